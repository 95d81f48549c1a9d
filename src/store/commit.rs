//! Committing, and who owns the bytes meanwhile.
//!
//! The ladder of a PUT, and what start-up does when it finds the work stopped behind a rung:
//!
//! 1. part files created on R volumes - orphans; the sweep removes them
//! 2. payload, table, owner, footer written and synced, directory synced - orphans still
//! 3. transaction checked, numbered, written and synced (object row, references, counters, outbox) - the object
//!    exists with all its rows; the reply may be missing, so the client may or may not know
//! 4. reply sent - acknowledged
//! 5. blobs of the overwritten version unlinked by the reclaimer, from its outbox rows - done again
//!
//! Nothing is visible before 3 and nothing is lost after it.

use std::hash::DefaultHasher;
use std::hash::Hash as _;
use std::hash::Hasher as _;

use tokio::sync::Mutex;
use tokio::sync::MutexGuard;

use super::Error;
use super::Store;
use super::blobs::BlobGuard;
use super::engine::Decided;
use super::engine::Metadata as _;
use crate::base::BucketId;
use crate::meta::Expect;
use crate::meta::Key;
use crate::meta::Transaction;
use crate::sys::failpoint::failpoint;

/// The staged blobs a transaction will name. It travels with the commit: whoever learns the outcome first (the
/// committer, even when the request has gone away) keeps or drops the blobs.
#[derive(Default)]
pub(super) struct Custody {
    blobs: Vec<BlobGuard>,
}

impl Custody {
    pub(super) fn of(blob: Option<BlobGuard>) -> Self {
        Self { blobs: blob.into_iter().collect() }
    }

    /// The rows are durable: the blobs are no longer ours to remove.
    pub(super) fn release(self) {
        self.blobs.into_iter().for_each(BlobGuard::keep);
    }

    /// The rows may be durable: nobody removes the blobs before the next start has shown it.
    pub(super) fn leave(self) {
        self.blobs.into_iter().for_each(BlobGuard::leave);
    }
}

/// Why an update did not happen.
#[derive(Debug)]
pub enum UpdateError<R> {
    /// The caller's own check refused it.
    Refused(R),
    /// The bucket has gone.
    NoSuchBucket,
    /// The store could not do it.
    Store(Error),
}

impl<R> From<Error> for UpdateError<R> {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// How often a transaction is built anew after a conflict before the client is asked to slow down. Writers of one row
/// go one at a time after the first conflict, so only what changes the row from elsewhere gets one here.
const ATTEMPTS_MAX: usize = 64;

/// Queues of [`Turns`]: few rows are contended at a time, and two that share one only wait for each other.
const QUEUES: usize = 64;

/// Writers that met a conflict wait here for each other, by the row they want to change. The first attempt does not:
/// most rows have one writer.
pub(super) struct Turns([Mutex<()>; QUEUES]);

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

/// The attempts of one request to change one row.
pub(super) struct Attempts<'a> {
    queue: &'a Mutex<()>,
    turn: Option<MutexGuard<'a, ()>>,
    count: usize,
}

impl Attempts<'_> {
    /// Begins another attempt: at once the first time, in turn after a conflict.
    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        self.count += 1;
        if self.count > ATTEMPTS_MAX {
            return Err(Error::Overloaded);
        }
        if self.count == 2 {
            self.turn = Some(self.queue.lock().await);
        }
        Ok(())
    }
}

/// How one attempt to commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// Durable.
    Committed,
    /// A row has changed: read again, build anew.
    Conflict,
    /// The bucket of [`in_bucket`] has gone.
    NoSuchBucket,
}

/// A transaction that holds only while the bucket exists. Its configuration may change meanwhile.
pub(super) fn in_bucket(bucket: BucketId) -> Transaction {
    let mut transaction = Transaction::new();
    // The first expectation, see `Store::attempt`.
    transaction.expect(Expect::Counted(bucket));
    transaction
}

impl Store {
    /// Counts the attempts to change `row`.
    pub(super) fn attempts(&self, row: &Key) -> Attempts<'_> {
        let mut hasher = DefaultHasher::new();
        row.hash(&mut hasher);
        let queue = &self.turns.0[hasher.finish() as usize % QUEUES];
        Attempts { queue, turn: None, count: 0 }
    }

    /// Commits a transaction that began with [`in_bucket`]; after a conflict `custody` holds the blobs again.
    pub(super) async fn attempt(
        &self,
        transaction: Transaction,
        custody: &mut Custody,
    ) -> Result<Attempt, Error> {
        let _under_way = self.traffic.enter();
        failpoint!("store::commit::before_submit");
        match self.metadata.commit(transaction, std::mem::take(custody)).await? {
            Decided::Committed => {
                failpoint!("store::commit::before_reply");
                Ok(Attempt::Committed)
            }
            Decided::Conflict { which, custody: returned } => {
                *custody = returned;
                Ok(if which == 0 { Attempt::NoSuchBucket } else { Attempt::Conflict })
            }
        }
    }

    /// Commits rows that name no new blob; `false` after a conflict.
    pub(super) async fn try_commit(&self, transaction: Transaction) -> Result<bool, Error> {
        let decided = self.metadata.commit(transaction, Custody::default()).await?;
        Ok(matches!(decided, Decided::Committed))
    }
}
