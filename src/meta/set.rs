//! What readers, replicas and the sequencer share: who leads, and how far everybody is.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crossbeam_channel::Sender;
use parking_lot::RwLock;

use super::Error;
use super::db::Database;
use super::event::Event;
use super::replica::Replica;

/// The replicas of this process.
pub(super) struct Set {
    /// Where reads go. `None` while there is no replica that could answer.
    leader: RwLock<Option<Arc<Database>>>,
    replicas: RwLock<Vec<Arc<Replica>>>,
    newest: AtomicU64,
    bucket_generation: AtomicU64,
    /// Whether commits are not acknowledged now.
    stopped: AtomicBool,
    closing: AtomicBool,
    events: Sender<Event>,
}

impl Set {
    pub(super) fn new(events: Sender<Event>) -> Self {
        Self {
            leader: RwLock::default(),
            replicas: RwLock::default(),
            newest: AtomicU64::new(0),
            bucket_generation: AtomicU64::new(0),
            stopped: AtomicBool::new(true),
            closing: AtomicBool::new(false),
            events,
        }
    }

    pub(super) fn leader(&self) -> Option<Arc<Database>> {
        self.leader.read().clone()
    }

    pub(super) fn lead(&self, database: Option<Arc<Database>>) {
        *self.leader.write() = database;
    }

    /// Ends the reads from a database, when it is the one that leads.
    pub(super) fn leave(&self, slot: u64) {
        let mut leader = self.leader.write();
        if leader.as_ref().is_some_and(|database| database.slot == slot) {
            *leader = None;
        }
    }

    /// A replica other than `slot` that has everything that reads may have seen.
    pub(super) fn another(&self, slot: u64) -> Option<Arc<Database>> {
        let newest = self.newest();
        let replicas = self.replicas.read();
        let fit = replicas.iter().find(|replica| replica.slot != slot && replica.follows_up_to(newest))?;
        fit.database()
    }

    pub(super) fn replicas(&self) -> Vec<Arc<Replica>> {
        self.replicas.read().clone()
    }

    pub(super) fn replica(&self, name: &str) -> Option<Arc<Replica>> {
        self.replicas.read().iter().find(|replica| replica.place.name == name).cloned()
    }

    pub(super) fn add(&self, replica: Arc<Replica>) {
        self.replicas.write().push(replica);
    }

    pub(super) fn remove(&self, slot: u64) {
        self.replicas.write().retain(|replica| replica.slot != slot);
    }

    pub(super) fn newest(&self) -> u64 {
        self.newest.load(Ordering::Acquire)
    }

    pub(super) fn publish(&self, newest: u64) {
        self.newest.store(newest, Ordering::Release);
    }

    pub(super) fn bucket_generation(&self) -> u64 {
        self.bucket_generation.load(Ordering::Acquire)
    }

    /// Cached buckets are to be read again.
    pub(super) fn buckets_changed(&self) {
        self.bucket_generation.fetch_add(1, Ordering::Release);
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    pub(super) fn set_stopped(&self, stopped: bool) {
        self.stopped.store(stopped, Ordering::Release);
    }

    /// Refuses, once the replica is about to be closed: long work on it ends.
    pub(super) fn check_open(&self, replica: &Replica) -> Result<(), Error> {
        match self.closing.load(Ordering::Acquire) || replica.leaves.load(Ordering::Acquire) {
            true => Err(Error::stopped("it is being closed")),
            false => Ok(()),
        }
    }

    /// Refuses, once this one does not lead any more: it may wait to be closed and opened anew.
    pub(super) fn check_leads(&self, slot: u64) -> Result<(), Error> {
        match self.leader.read().as_ref().is_some_and(|leader| leader.slot == slot) {
            true => Ok(()),
            false => Err(Error::stopped("what it is made from does not lead any more")),
        }
    }

    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.set_stopped(true);
    }

    /// Tells the sequencer. When it has died there is nobody who could act.
    pub(super) fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }
}
