//! What the sequencer and the threads of the replicas tell each other.

use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::Sender;

use super::Error;
use super::ReplicaPlace;
use super::keys::Key;
use super::records::Commit;
use super::vote::Standing;

/// A group of transactions, as the sequencer made it.
pub(super) struct Written {
    /// What must be the last commit before it.
    pub(super) previous: Commit,
    pub(super) commit: Commit,
    /// The bytes of the batch.
    pub(super) batch: Vec<u8>,
}

/// The bytes of a row, or that there is none.
pub(super) type RowRead = Result<Option<Vec<u8>>, Error>;

/// What a replica is told. It does one after the other.
pub(super) enum Work {
    /// Apply it, make it durable, say so.
    Write(Arc<Written>),
    /// Read a row, for the sequencer.
    Row(Key, Sender<RowRead>),
    /// Promise an epoch.
    Promise(u64),
    /// Say where it stands.
    Report,
    /// Catch up with the leader until near, and say so.
    CatchUp,
    /// Catch up to exactly this; the writes behind it follow in the queue.
    Join(Commit),
    /// Close the database and open it anew, as soon as the disk takes writes.
    Reopen,
    /// Be made anew from the leader.
    Rebuild(Error),
}

/// What has to be done about a replica that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    Reopen,
    Rebuild,
}

/// What the sequencer hears. The first number is the replica's slot.
pub(super) enum Event {
    /// It is open, and stands there.
    Opened(u64, Standing),
    /// It cannot be opened.
    Unopened(u64, Error),
    /// It promised an epoch.
    Promised(u64, u64),
    /// The commit is durable in it.
    Applied(u64, Commit),
    /// It has almost caught up.
    Near(u64),
    /// It has caught up to what it was told, and follows.
    CaughtUp(u64),
    /// It follows no longer.
    Failed(u64, Error, Remedy),
    /// A reader got no answer from it.
    Silent(u64),
    /// A reader or the scrub found it damaged.
    Damaged(u64, Error),
    /// One is added.
    Attach(ReplicaPlace, bool),
    /// A learner becomes a voter.
    Promote(String),
    /// One leaves; the answer is its thread.
    Detach(String, Sender<Result<Option<JoinHandle<()>>, Error>>),
}
