//! Which reads are under way, so that the reclaimer unlinks nothing they still need.
//!
//! A read registers before it looks up its object row and leaves when it is dropped. Blobs whose last reference
//! went away after the oldest running read began may still be wanted by it; older ones cannot.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// The reads under way, by the commit number that was newest when they began.
#[derive(Default)]
pub(super) struct Readers {
    running: Mutex<BTreeMap<u64, usize>>,
}

impl Readers {
    /// Registers a read that sees everything up to commit `now`.
    pub(super) fn enter(self: &Arc<Self>, now: u64) -> Reading {
        *self.running.lock().entry(now).or_insert(0) += 1;
        Reading { readers: Arc::clone(self), began: now }
    }

    /// The commit number at which the oldest running read began; `None` when nothing is read.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.running.lock().keys().next().copied()
    }
}

/// A read under way; dropping it ends it.
pub(super) struct Reading {
    readers: Arc<Readers>,
    began: u64,
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut running = self.readers.running.lock();
        if let Some(count) = running.get_mut(&self.began) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.began);
            }
        }
    }
}

#[cfg(test)]
#[path = "readers_tests.rs"]
mod tests;
