//! The queue to the sequencer's thread.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::TrySendError;

use super::CommitError;
use super::Error;
use super::ReplicaPlace;
use super::db::Setup;
use super::event::Event;
use super::sequencer::Sequencer;
use super::set::Set;
use super::transaction::Transaction;
use crate::sys::metrics::Metrics;

/// Transactions that may wait: far more than connections, so a full queue means that the disk has stopped.
const QUEUE_MAX: usize = 16_384;

pub(super) type Done = Box<dyn FnOnce(Result<u64, CommitError>) + Send>;

pub(super) struct Waiting {
    pub(super) transaction: Transaction,
    pub(super) done: Done,
}

/// The queue to the thread that commits.
pub(super) struct Committer {
    queue: Option<Sender<Waiting>>,
    thread: Option<JoinHandle<()>>,
}

/// What the sequencer is started with.
pub(super) struct Start<'a> {
    pub(super) places: &'a [ReplicaPlace],
    pub(super) voters: usize,
    pub(super) setup: Setup,
    pub(super) metrics: Arc<Metrics>,
    pub(super) set: Arc<Set>,
    pub(super) events: Receiver<Event>,
}

impl Committer {
    /// Opens the replicas; returns when reads can be answered, and commits too if they ever can be without others.
    pub(super) fn start(start: Start<'_>) -> Result<Self, Error> {
        let (queue, waiting) = crossbeam_channel::bounded(QUEUE_MAX);
        let (opened, opening) = mpsc::channel();
        let sequencer = Sequencer::new(start, opened)?;
        let thread = std::thread::Builder::new()
            .name("commit".to_owned())
            .spawn(move || sequencer.run(&waiting))
            .map_err(|error| Error::stopped(error.to_string()))?;
        let committer = Self { queue: Some(queue), thread: Some(thread) };
        opening.recv().unwrap_or_else(|_| Err(Error::stopped("the committer has stopped")))?;
        Ok(committer)
    }

    pub(super) fn submit(&self, transaction: Transaction, done: Done) {
        let Some(queue) = &self.queue else { return };
        match queue.try_send(Waiting { transaction, done }) {
            Ok(()) => {}
            Err(TrySendError::Full(waiting)) => (waiting.done)(Err(CommitError::Overloaded)),
            Err(TrySendError::Disconnected(waiting)) => {
                (waiting.done)(Err(CommitError::Unavailable(Error::stopped("the committer has stopped"))));
            }
        }
    }
}

/// Commits what waits, then stops.
impl Drop for Committer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
