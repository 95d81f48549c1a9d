//! Aligned buffers, pooled: direct I/O wants the alignment, and a fresh megabyte costs as much as writing one.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::sys::disk::ALIGNMENT;

/// Payload bytes of one pooled buffer: large enough for full disk speed, small enough for three per upload.
pub const BUFFER_BYTES: usize = 512 << 10;

/// Bytes that begin at an aligned address.
pub struct AlignedBuffer {
    /// Over-allocated, so that an aligned window of `capacity` lies inside wherever it was put.
    memory: Box<[u8]>,
    start: usize,
    length: usize,
    capacity: usize,
    home: Option<Arc<BufferPool>>,
}

impl AlignedBuffer {
    /// An empty buffer for `capacity` bytes, rounded up to the alignment.
    pub fn with_capacity(capacity: usize) -> Self {
        let capacity = capacity.next_multiple_of(ALIGNMENT);
        let memory = vec![0; capacity + ALIGNMENT].into_boxed_slice();
        let start = memory.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        Self { memory, start, length: 0, capacity, home: None }
    }

    /// Takes what fits of `bytes`; returns how many were taken.
    pub fn fill_from(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.capacity - self.length);
        let at = self.start + self.length;
        self.memory[at..at + taken].copy_from_slice(&bytes[..taken]);
        self.length += taken;
        taken
    }

    /// Keeps the first `length` bytes of what was taken.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Whether nothing more fits.
    pub const fn is_full(&self) -> bool {
        self.length == self.capacity
    }

    /// What was taken.
    pub fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.length]
    }

    /// What was taken, and zeros up to the alignment.
    pub fn padded(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.length.next_multiple_of(ALIGNMENT)]
    }
}

/// A bounded number of buffers of [`BUFFER_BYTES`], allocated when first used.
pub struct BufferPool {
    free: Mutex<Vec<AlignedBuffer>>,
    keep: usize,
}

impl BufferPool {
    /// A pool that keeps up to `keep` returned buffers.
    pub fn new(keep: usize) -> Arc<Self> {
        Arc::new(Self { free: Mutex::default(), keep })
    }

    /// An empty buffer; goes back to the pool when it is dropped.
    pub fn take(self: &Arc<Self>) -> AlignedBuffer {
        let returned = self.free.lock().pop();
        let mut buffer = returned.unwrap_or_else(|| AlignedBuffer::with_capacity(BUFFER_BYTES));
        buffer.length = 0;
        buffer.home = Some(Arc::clone(self));
        buffer
    }
}

impl Drop for AlignedBuffer {
    fn drop(&mut self) {
        let Some(home) = self.home.take() else { return };
        let mut free = home.free.lock();
        if free.len() < home.keep {
            let memory = std::mem::take(&mut self.memory);
            free.push(Self { memory, start: self.start, length: 0, capacity: self.capacity, home: None });
        }
    }
}
