//! One budget of memory, and what it is split into.

use crate::sys::machine::Machine;

/// Smallest and largest default budget, in bytes.
const BUDGET_DEFAULT: std::ops::RangeInclusive<u64> = (128 << 20)..=(4 << 30);

/// More memory than this does not make uploads faster: a thousand of them with four buffers each.
const UPLOADS_MAX_BYTES: u64 = 1 << 30;

/// More unflushed rows than this only make a start after a crash slower.
const WRITE_BUFFER_MAX_BYTES: u64 = 512 << 20;

/// How much memory is used for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// For caches, write buffers, uploads and downloads together, in bytes, 64 MiB to 1 TiB; an eighth of the machine's memory
    /// (of the control group's, when that is less), at least 128 MiB and at most 4 GiB.
    pub budget_bytes: u64,
}

impl Memory {
    pub(super) fn defaults(machine: &Machine) -> Self {
        let budget_bytes = (machine.memory_bytes / 8).clamp(*BUDGET_DEFAULT.start(), *BUDGET_DEFAULT.end());
        Self { budget_bytes }
    }

    /// For rows and small bodies read before, in bytes: what the others leave.
    pub fn cache_bytes(&self) -> usize {
        self.budget_bytes as usize - self.write_buffer_bytes() - self.upload_bytes() - self.download_bytes()
    }

    /// For rows that are durable in the log but not yet in sorted files, in bytes: an eighth, at most 512 MiB.
    pub fn write_buffer_bytes(&self) -> usize {
        (self.budget_bytes / 8).min(WRITE_BUFFER_MAX_BYTES) as usize
    }

    /// For the buffers of all running uploads, in bytes: a quarter, at most 1 GiB.
    pub fn upload_bytes(&self) -> usize {
        (self.budget_bytes / 4).min(UPLOADS_MAX_BYTES) as usize
    }

    /// For the chunks of all running downloads, in bytes: half as much as for uploads.
    pub fn download_bytes(&self) -> usize {
        self.upload_bytes() / 2
    }
}
