//! Which reads are under way, so that the reclaimer unlinks nothing they still need.
//!
//! A read registers before it looks up its object row. Until it knows its blobs, everything that lost its last
//! reference after it began may be wanted by it; from then on it holds those blobs alone, so that a download of hours
//! keeps no other space from being given back. It leaves when it is dropped.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::base::BlobId;

/// The reads under way.
#[derive(Default)]
pub(super) struct Readers {
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    /// Reads that do not know their blobs yet, by the commit number that was newest when they began.
    beginning: BTreeMap<u64, usize>,
    /// Blobs that are being read, and by how many.
    held: HashMap<BlobId, usize>,
}

impl Readers {
    /// Registers a read that sees everything up to commit `now`.
    pub(super) fn enter(self: &Arc<Self>, now: u64) -> Reading {
        *self.running.lock().beginning.entry(now).or_insert(0) += 1;
        Reading { readers: Arc::clone(self), began: Some(now), blobs: Vec::new() }
    }

    /// Whether a running read may still want a blob that lost a reference with commit `revision`.
    pub(super) fn may_want(&self, blob: BlobId, revision: u64) -> bool {
        let running = self.running.lock();
        let oldest = running.beginning.keys().next();
        oldest.is_some_and(|oldest| *oldest < revision) || running.held.contains_key(&blob)
    }
}

impl Running {
    fn begun(&mut self, began: u64) {
        if let Some(count) = self.beginning.get_mut(&began) {
            *count -= 1;
            if *count == 0 {
                self.beginning.remove(&began);
            }
        }
    }

    fn let_go(&mut self, blob: BlobId) {
        if let Some(count) = self.held.get_mut(&blob) {
            *count -= 1;
            if *count == 0 {
                self.held.remove(&blob);
            }
        }
    }
}

/// A read under way; dropping it ends it.
pub(super) struct Reading {
    readers: Arc<Readers>,
    began: Option<u64>,
    blobs: Vec<BlobId>,
}

impl Reading {
    /// From now on the read wants these blobs and no others.
    pub(super) fn narrow(&mut self, blobs: Vec<BlobId>) {
        let mut running = self.readers.running.lock();
        for blob in &blobs {
            *running.held.entry(*blob).or_insert(0) += 1;
        }
        self.blobs = blobs;
        if let Some(began) = self.began.take() {
            running.begun(began);
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut running = self.readers.running.lock();
        for blob in self.blobs.drain(..) {
            running.let_go(blob);
        }
        if let Some(began) = self.began.take() {
            running.begun(began);
        }
    }
}

#[cfg(test)]
#[path = "readers_tests.rs"]
mod tests;
