//! Room, and the reserve that is kept for metadata and deletes.

use crate::sys::disk::Space;

/// Kept free on a large disk.
const RESERVE_BYTES_MAX: u64 = 1 << 30;

/// Part of a small disk that is kept free: one tenth.
const RESERVE_DIVISOR: u64 = 10;

/// Whether a part of `bytes` may be written: the smaller of 1 GiB and a tenth of the disk stays free, so that
/// metadata can grow and deletes always work.
pub fn has_room(space: Space, bytes: u64) -> bool {
    let reserve = RESERVE_BYTES_MAX.min(space.total_bytes / RESERVE_DIVISOR);
    space.available_bytes >= reserve.saturating_add(bytes)
}
