//! Blobs that background work has in hand. Repair writes copies and the reclaimer removes them: never both at once.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::base::BlobId;

/// The blobs that somebody has in hand.
#[derive(Default)]
pub(super) struct Exclusive {
    blobs: Mutex<HashSet<BlobId>>,
}

impl Exclusive {
    /// Takes a blob in hand until what is returned is dropped; `None` while somebody else has it.
    pub(super) fn enter(self: &Arc<Self>, blob: BlobId) -> Option<InHand> {
        let is_free = self.blobs.lock().insert(blob);
        is_free.then(|| InHand { exclusive: Arc::clone(self), blob })
    }
}

/// A blob in hand.
pub(super) struct InHand {
    exclusive: Arc<Exclusive>,
    blob: BlobId,
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.exclusive.blobs.lock().remove(&self.blob);
    }
}
