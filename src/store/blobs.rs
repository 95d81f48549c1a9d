//! Blobs from their creation to the first row that names them.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Error;
use super::Store;
use super::local::LocalParts;
use super::local::Sink;
use super::redundancy::Tally;
use crate::base::BlobId;
use crate::volume::Tail;

/// Blobs that exist on volumes and that no committed row names yet. The sweep must not take them for orphans.
#[derive(Default)]
pub(super) struct Unnamed {
    blobs: Mutex<HashSet<BlobId>>,
}

impl Unnamed {
    /// Whether a running upload owns this blob.
    pub(super) fn contains(&self, blob: BlobId) -> bool {
        self.blobs.lock().contains(&blob)
    }
}

/// Owns a blob that no row names yet; dropping it removes the copies in the background.
pub(super) struct BlobGuard {
    id: BlobId,
    /// Copies short of the replica count: a repair row goes into the commit that names the blob.
    missing: usize,
    parts: Arc<LocalParts>,
    unnamed: Arc<Unnamed>,
    tally: Arc<Tally>,
    fate: Fate,
}

/// What becomes of a blob when its guard is dropped.
#[derive(PartialEq, Eq)]
enum Fate {
    /// No row names it: its copies go.
    Removed,
    /// A committed row names it.
    Named,
    /// A row may name it, which the next start will show: until then not even the sweep may take it.
    Unknown,
}

impl BlobGuard {
    pub(super) const fn id(&self) -> BlobId {
        self.id
    }

    /// The blob and the number of copies it is short of, when it is.
    pub(super) fn degraded(&self) -> Option<(BlobId, usize)> {
        (self.missing > 0).then_some((self.id, self.missing))
    }

    /// A committed row names the blob now.
    pub(super) fn keep(mut self) {
        self.tally.came();
        self.fate = Fate::Named;
    }

    /// A commit of unknown outcome may have named the blob.
    pub(super) fn leave(mut self) {
        self.fate = Fate::Unknown;
    }
}

impl Drop for BlobGuard {
    fn drop(&mut self) {
        if self.fate == Fate::Removed {
            self.parts.remove_later(self.id);
        }
        if self.fate != Fate::Unknown {
            self.unnamed.blobs.lock().remove(&self.id);
        }
    }
}

impl Store {
    /// Registers a new blob before its first byte is written.
    pub(super) fn own(&self, id: BlobId) -> BlobGuard {
        self.unnamed.blobs.lock().insert(id);
        BlobGuard {
            id,
            missing: 0,
            parts: Arc::clone(&self.parts),
            unnamed: Arc::clone(&self.unnamed),
            tally: Arc::clone(&self.tally),
            fate: Fate::Removed,
        }
    }

    /// Finishes a blob on its volumes: durable on a quorum when this returns.
    pub(super) async fn land(
        &self,
        mut guard: BlobGuard,
        sink: Sink,
        tail: Tail,
    ) -> Result<BlobGuard, Error> {
        guard.missing = sink.finish(tail).await?;
        Ok(guard)
    }
}
