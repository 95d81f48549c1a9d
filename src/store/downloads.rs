//! How much memory a download may hold: the share of each shrinks as more are under way.
//!
//! A download holds a chunk that is being sent and one that is being read ahead. Its reader may be slow or not read at
//! all, so the number of downloads must not decide how much that is in sum. Nobody waits for memory that a slow reader
//! holds: who comes late gets smaller chunks, and those that are large become smaller with the next.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use crate::volume::BLOCK_BYTES;

/// Eight blocks, so that checks and system calls are few.
const CHUNK_MAX_BYTES: u64 = 512 << 10;

/// A quarter of a block. Each block is then read and checked four times, from the page cache mostly, which costs a
/// crowd of readers less than the memory would.
const CHUNK_MIN_BYTES: u64 = 16 << 10;

/// Chunks that a download counts for: one that is being sent, half of it copied into the connection's buffer; one that is
/// read ahead; and what those hold still that came when there were fewer.
const CHUNKS_PER_DOWNLOAD: u64 = 4;

/// The downloads under way.
pub(super) struct Downloads {
    running: AtomicUsize,
    budget_bytes: u64,
}

impl Downloads {
    /// Downloads that share this much memory.
    pub(super) const fn new(budget_bytes: u64) -> Self {
        Self { running: AtomicUsize::new(0), budget_bytes }
    }

    /// One more begins; it ends when this is dropped.
    pub(super) fn enter(self: &Arc<Self>) -> Download {
        self.running.fetch_add(1, Ordering::Relaxed);
        Download(Arc::clone(self))
    }
}

/// A download under way.
pub(super) struct Download(Arc<Downloads>);

impl Download {
    /// How much to read next: a power of two, so that chunks keep to the bounds of blocks.
    pub(super) fn chunk_bytes(&self) -> u64 {
        let running = self.0.running.load(Ordering::Relaxed).max(1) as u64;
        let share = (self.0.budget_bytes / (running * CHUNKS_PER_DOWNLOAD)).max(1);
        (1 << share.ilog2()).clamp(CHUNK_MIN_BYTES, CHUNK_MAX_BYTES)
    }

    /// Whether to read ahead chunks of this size: not in a crowd, where each would hold what another could send.
    pub(super) const fn may_read_ahead(chunk_bytes: u64) -> bool {
        chunk_bytes >= BLOCK_BYTES as u64
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[path = "downloads_tests.rs"]
mod tests;
