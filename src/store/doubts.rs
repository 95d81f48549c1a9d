//! Blobs of which a copy was found bad in a way that cannot be seen from outside: a block, behind a sound footer.
//!
//! The repair row counts copies, and a missing one counts as much as a bad one: the count alone does not tell whether
//! what is seen to be missing is all there is. Kept in memory, for there is no harm in a doubt too many: rows from
//! before the start are doubted without it.

use std::collections::HashSet;

use parking_lot::Mutex;

use crate::base::BlobId;

/// The blobs whose copies have to be read before they are believed.
#[derive(Default)]
pub(super) struct Doubts {
    blobs: Mutex<HashSet<BlobId>>,
}

impl Doubts {
    /// A copy of the blob was found bad.
    pub(super) fn note(&self, blob: BlobId) {
        self.blobs.lock().insert(blob);
    }

    /// Whether one was; whoever asks deals with it.
    pub(super) fn take(&self, blob: BlobId) -> bool {
        self.blobs.lock().remove(&blob)
    }

    /// Whether one was, and nobody has dealt with it yet.
    pub(super) fn holds(&self, blob: BlobId) -> bool {
        self.blobs.lock().contains(&blob)
    }
}
