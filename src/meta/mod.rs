//! Metadata: rows in RocksDB, in replicas on several volumes, changed by transactions only.
//!
//! What is always true:
//! - A [`Transaction`] is applied whole or not at all; its expectations are checked in commit order, one after the
//!   other, against every transaction before it.
//! - Commits are numbered without gaps. A row carries the number of the commit that wrote it: its revision.
//! - Nothing is acknowledged before it is durable ([`Durability::Strict`]) in the leader and in a majority of the
//!   voters. A group that did not get there is in doubt; before anything else is committed a leader is elected anew,
//!   under a new epoch, from what is durable.
//! - All replicas have the same history; one that has not is made anew.
//! - Usage counters are exact: they change in the commits that change the rows they count.
//! - Key bytes are built and taken apart in [`keys`] only; records carry a format number and a newer one is refused.
//!
//! `sequencer` commits, `members` and `election` say who takes part, `replica` is the thread of each one, `catch_up` and
//! `rebuild` bring it back, `verify` reads all of it. Synchronous; it knows no volume, no async, no S3 beyond names. No
//! RocksDB type leaves this room.

mod catch_up;
mod codec;
mod committer;
mod db;
mod election;
mod error;
mod event;
mod files;
mod group;
mod inline;
pub mod keys;
mod list;
mod logs;
mod members;
mod offline;
mod rebuild;
pub mod records;
mod redo;
mod replica;
mod sequencer;
mod set;
mod status;
mod transaction;
mod uploads;
mod verify;
mod view;
mod vote;
mod wal;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use rocksdb::Env;

use crate::base::BlobId;
use crate::base::BucketId;
use crate::base::DeploymentId;
use crate::sys::clock::Clock;
use crate::sys::metrics::Metrics;

use committer::Committer;
use committer::Start;
use db::Setup;
use error::Fault;
use event::Event;
use records::Record;
use records::Usage;
use set::Set;

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
pub use offline::awaits_rebuild;
pub use offline::discard;
pub use status::ReplicaPlace;
pub use status::ReplicaStatus;
pub use status::Role;
pub use transaction::Expect;
pub use transaction::Transaction;
pub use transaction::UsageDelta;
pub use uploads::UploadPage;
pub use uploads::UploadQuery;
pub use verify::Verified;
pub use view::Lookup;
pub use view::Reader;
pub use view::Tier;

/// How long a replica that leaves may take to close, and those that stay before that to have every commit.
const DETACH_MAX: Duration = Duration::from_secs(15);

/// Replicas that may be there at once, learners included: as many threads flush and compact, so that those that hang on
/// a dead disk leave one to each of the others.
const REPLICAS_MAX: i32 = 6;

/// The metadata of one deployment.
pub struct Meta {
    set: Arc<Set>,
    committer: Committer,
}

impl Meta {
    /// Opens or creates the replicas at `places`, which are there; of `options.voters`, others may be absent. Returns
    /// when reads can be answered, and commits too when a majority is there and sound.
    ///
    /// # Errors
    /// Too few replicas are sound to tell what was acknowledged: of three voters two have to be, of two one. The message
    /// names those that are missing. (With a majority absent, commits are refused and reads are answered.)
    pub fn open(
        places: &[ReplicaPlace],
        options: &Options,
        metrics: Arc<Metrics>,
        clock: &dyn Clock,
    ) -> Result<Self, Error> {
        let mut threads = Env::new().map_err(|error| Error::rocksdb("open", "", &error))?;
        threads.set_background_threads(REPLICAS_MAX);
        threads.set_high_priority_background_threads(REPLICAS_MAX);
        let (tell, events) = crossbeam_channel::unbounded();
        let set = Arc::new(Set::new(tell));
        let setup = Setup::new(options, places.len().max(options.voters), clock.now());
        let (voters, shared) = (options.voters, Arc::clone(&set));
        let committer = Committer::start(Start { places, voters, setup, metrics, set: shared, events })?;
        Ok(Self { set, committer })
    }

    /// All replicas whose volumes are there or were; those of absent volumes are known to the roster only.
    pub fn replicas(&self) -> Vec<ReplicaStatus> {
        let (leader, newest) = (self.set.leader().map(|leader| leader.slot), self.newest_commit());
        self.set.replicas().iter().map(|replica| replica.status(leader, newest)).collect()
    }

    /// Adds a replica, which is caught up or built in the background. `voter` says that it is one of `Options::voters`
    /// already and comes back; otherwise it is a learner until it is promoted. One that is known already looks for its disk
    /// by itself: it may be attached again at the same place, to no effect.
    pub fn attach(&self, place: ReplicaPlace, voter: bool) -> Result<(), Error> {
        if let Some(known) = self.set.replica(&place.name) {
            let is_same = known.place == place && (known.voter.load(Ordering::Relaxed) || !voter);
            let error = || Error::stopped(format!("the replica {} is known at another place", place.name));
            return is_same.then_some(()).ok_or_else(error);
        }
        self.set.tell(Event::Attach(place, voter));
        Ok(())
    }

    /// Makes a learner a voter, from the next commit on; to be called when the roster says so. There is one voter more.
    pub fn promote(&self, name: &str) -> Result<(), Error> {
        if self.set.replica(name).is_none() {
            return Err(Error::stopped(format!("there is no replica {name}")));
        }
        self.set.tell(Event::Promote(name.to_owned()));
        Ok(())
    }

    /// Forgets a replica and closes it. When it was a voter there is one less; a name that is not known is taken for
    /// that of an absent voter. The only replica that can lead is refused.
    pub fn detach(&self, name: &str) -> Result<(), Error> {
        let (answer, detached) = crossbeam_channel::bounded(1);
        self.set.tell(Event::Detach(name.to_owned(), answer));
        let detached = detached.recv_timeout(DETACH_MAX);
        let thread = detached.map_err(|_| Error::stopped("the committer does not answer"))??;
        match thread.is_none_or(|thread| members::join_within(thread, DETACH_MAX)) {
            true => Ok(()),
            false => Err(Error::stopped(format!("the replica {name} has left, but its disk holds it open"))),
        }
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

    /// The replica that leads.
    pub fn reader(&self) -> Result<Reader, Error> {
        let database = self.set.leader();
        database
            .map(|database| Reader { database })
            .ok_or_else(|| Error::stopped("no metadata replica is open"))
    }

    /// Another replica that has everything as well, if there is one.
    pub fn other_reader(&self, than: &Reader) -> Option<Reader> {
        self.set.another(than.replica()).map(|database| Reader { database })
    }

    /// This replica has not answered for a second, and another did.
    pub fn is_silent(&self, replica: u64) {
        self.set.tell(Event::Silent(replica));
    }

    /// Reads from the leader, or from another when its bytes are bad or its disk fails; that one is then made anew.
    pub fn read<T>(&self, read: impl Fn(&Reader) -> Result<T, Error>) -> Result<T, Error> {
        let reader = self.reader()?;
        let outcome = read(&reader);
        let Err(error) = outcome else { return outcome };
        let Some(other) = self.other_after(&reader, &error) else { return Err(error) };
        let Ok(answer) = read(&other) else { return Err(error) };
        self.is_bad(reader.replica(), error);
        Ok(answer)
    }

    /// Whom to ask instead, when this answer says that the replica's bytes are bad or that its disk fails.
    pub fn other_after(&self, reader: &Reader, error: &Error) -> Option<Reader> {
        self.other_reader(reader).filter(|_| error.fault() != Fault::None)
    }

    /// This replica gave such an answer, and another a good one.
    pub fn is_bad(&self, replica: u64, error: Error) {
        tracing::warn!(%error, "another metadata replica answered");
        self.set.tell(Event::Damaged(replica, error));
    }

    /// One row.
    pub fn get<R: Record>(&self, key: &Key, tier: Tier) -> Result<Lookup<Stored<R>>, Error> {
        self.read(|reader| reader.get(key, tier))
    }

    /// An inline body.
    pub fn get_inline(&self, blob: BlobId, tier: Tier) -> Result<Lookup<Bytes>, Error> {
        self.read(|reader| reader.get_inline(blob, tier))
    }

    /// Exact counters of a bucket; reads memory or one block.
    pub fn usage(&self, bucket: BucketId) -> Result<Usage, Error> {
        self.read(|reader| reader.usage(bucket))
    }

    /// Up to `limit` rows whose keys begin with `prefix`, behind `after`, in order.
    pub fn scan<R: Record>(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored<R>)>, Error> {
        self.read(|reader| reader.scan(prefix, after, limit))
    }

    /// A page of the bucket's current objects.
    pub fn list(&self, bucket: BucketId, query: &ListQuery) -> Result<ListPage, Error> {
        self.read(|reader| reader.list(bucket, query))
    }

    /// A page of the uploads of a bucket that are open.
    pub fn list_uploads(&self, bucket: BucketId, query: &UploadQuery) -> Result<UploadPage, Error> {
        self.read(|reader| reader.list_uploads(bucket, query))
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
        let reader = self.reader().map_err(CommitError::Unavailable)?;
        reader.database.sync().map_err(CommitError::Unavailable)
    }

    /// Number of the newest commit that reads can see.
    pub fn newest_commit(&self) -> u64 {
        self.set.newest()
    }

    /// Moves on, after they became visible, with every commit that wrote a bucket row.
    pub fn bucket_generation(&self) -> u64 {
        self.set.bucket_generation()
    }

    /// Whether nothing can be acknowledged now: a write failed and has not been put right, too few replicas are there,
    /// or the committer has died.
    pub fn has_stopped(&self) -> bool {
        self.set.has_stopped()
    }
}

#[cfg(test)]
mod tests;
