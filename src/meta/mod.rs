//! Metadata: rows in RocksDB, changed by transactions only.
//!
//! What is always true:
//! - A [`Transaction`] is applied whole or not at all; its expectations are checked in commit order, one after the
//!   other, against every transaction before it.
//! - Commits are numbered without gaps. A row carries the number of the commit that wrote it: its revision.
//! - Nothing is acknowledged before it is durable ([`Durability::Strict`]); after a failed write nothing is
//!   acknowledged at all until the database has been opened anew.
//! - Usage counters are exact: they change in the commits that change the rows they count.
//! - Key bytes are built and taken apart in [`keys`] only; records carry a format number and a newer one is refused.
//!
//! Synchronous; it knows no volume, no async, no S3 beyond names. No RocksDB type leaves this room.

mod codec;
mod committer;
mod db;
mod error;
mod inline;
pub mod keys;
mod list;
mod offline;
pub mod records;
mod status;
mod transaction;
mod uploads;
mod view;
mod wal;

use std::path::Path;
use std::sync::Arc;

use crate::base::DeploymentId;
use crate::sys::clock::Clock;
use crate::sys::disk::Disk as _;
use crate::sys::disk::RealDisk;
use crate::sys::metrics::Metrics;

use committer::Committer;
use db::Database;

pub use codec::Stored;
pub use db::Durability;
pub use db::Options;
pub use error::CommitError;
pub use error::Error;
pub use keys::Family;
pub use keys::Key;
pub use keys::Named;
pub use list::ListItem;
pub use list::ListPage;
pub use list::ListQuery;
pub use offline::Offline;
pub use offline::Row;
pub use offline::Rows;
pub use offline::discard;
pub use status::ReplicaPlace;
pub use status::ReplicaStatus;
pub use status::Role;
pub use transaction::Expect;
pub use transaction::Transaction;
pub use transaction::UsageDelta;
pub use uploads::UploadPage;
pub use uploads::UploadQuery;
pub use view::Lookup;
pub use view::Tier;

/// The metadata of one deployment.
pub struct Meta {
    database: Arc<Database>,
    committer: Committer,
    place: ReplicaPlace,
}

impl Meta {
    /// Opens or creates the replicas at `places`, which are there; of `options.voters`, others may be absent.
    pub fn open(
        places: &[ReplicaPlace],
        options: &Options,
        metrics: Arc<Metrics>,
        clock: &dyn Clock,
    ) -> Result<Self, Error> {
        let [place] = places else { return Err(Error::stopped("several replicas are not served yet")) };
        let path = &place.path;
        let database = Arc::new(Database::open(path, options, clock)?);
        // RocksDB syncs its directory, not the entry of it: a crash after the first start would take everything.
        let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        RealDisk.sync_dir(above).map_err(|error| Error::io("open", above, &error))?;
        let committer = Committer::start(Arc::clone(&database), options.durability, metrics)?;
        Ok(Self { database, committer, place: place.clone() })
    }

    /// All replicas, voters that are not there included.
    pub fn replicas(&self) -> Vec<ReplicaStatus> {
        let ReplicaPlace { name, path } = self.place.clone();
        let role = match self.has_stopped() {
            true => Role::Failed { reason: "a write failed".to_owned() },
            false => Role::Leader,
        };
        vec![ReplicaStatus { name, path, role, commit: self.newest_commit(), voter: true }]
    }

    /// Adds a replica, which is caught up or built in the background. `voter` says that it is one of `Options::voters`
    /// already and comes back; otherwise it is a learner until it is promoted.
    pub fn attach(&self, place: ReplicaPlace, voter: bool) -> Result<(), Error> {
        Err(Error::stopped(format!("cannot attach {} (voter: {voter}) yet", place.name)))
    }

    /// Makes a learner a voter, from the next commit on; to be called when the roster says so. There is one voter more.
    pub fn promote(&self, name: &str) -> Result<(), Error> {
        Err(Error::stopped(format!("cannot promote {name} yet")))
    }

    /// Forgets a replica and closes it. When it was a voter there is one less; a name that is not known is taken for
    /// that of an absent voter.
    pub fn detach(&self, name: &str) -> Result<(), Error> {
        Err(Error::stopped(format!("cannot detach {name} yet")))
    }

    /// Queues a transaction; `done` hears the outcome on the committer's thread and must not block it.
    pub fn submit(
        &self,
        transaction: Transaction,
        done: impl FnOnce(Result<u64, CommitError>) + Send + 'static,
    ) {
        self.committer.submit(transaction, Box::new(done));
    }

    /// Commits and waits; for jobs without a runtime, and for tests.
    pub fn commit(&self, transaction: Transaction) -> Result<u64, CommitError> {
        let (outcome, decided) = std::sync::mpsc::channel();
        self.submit(transaction, move |result| {
            let _ = outcome.send(result);
        });
        decided
            .recv()
            .unwrap_or_else(|_| Err(CommitError::Unavailable(Error::stopped("the committer has stopped"))))
    }

    /// The deployment this database belongs to; `None` when it is new.
    pub fn deployment(&self) -> Result<Option<DeploymentId>, Error> {
        let key = keys::system("deployment");
        let row = self.get::<records::Cursor>(&key, Tier::Any)?.into_option();
        let Some(row) = row else { return Ok(None) };
        let id = row.record.position.try_into().map_err(|_| Error::corrupt(key.describe(), "not an id"))?;
        Ok(Some(DeploymentId::from_bytes(id)))
    }

    /// Writes down to which deployment this database belongs; durable with either [`Durability`], or else a power cut
    /// after the first minute of a relaxed server would look like lost metadata at the next start.
    pub fn bind(&self, deployment: DeploymentId) -> Result<(), CommitError> {
        let mut transaction = Transaction::new();
        let position = deployment.as_bytes().to_vec();
        transaction.put(keys::system("deployment"), &records::Cursor { position });
        self.commit(transaction)?;
        let synced = self.database.db.flush_wal(true);
        synced.map_err(|error| CommitError::Unavailable(Error::rocksdb("sync", "the log", &error)))
    }

    /// Number of the newest commit that reads can see.
    pub fn newest_commit(&self) -> u64 {
        self.committer.newest()
    }

    /// Moves on, after they became visible, with every commit that wrote a bucket row.
    pub fn bucket_generation(&self) -> u64 {
        self.committer.bucket_generation()
    }

    /// Whether a write failed, so that nothing is acknowledged until the next start.
    pub fn has_stopped(&self) -> bool {
        self.committer.has_stopped()
    }
}

#[cfg(test)]
mod tests;
