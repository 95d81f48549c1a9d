//! Two walks in different orders compared in bounded memory: every item is added by the one and taken away by the
//! other, in a cell chosen by the first two bytes of its id. A cell that is not empty at the end holds a difference, and
//! only its items are looked at one by one.
//!
//! A cell is a number and a sum of 128-bit fingerprints: that a difference sums up to nothing has a chance of less than
//! 2^-100, since ids are random.

use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher as _;

use crate::base::BlobId;

/// Cells: 2 MiB, and a difference is found among one 65,536th of the items.
const CELLS: usize = 1 << 16;

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Cell {
    count: i64,
    sum: u128,
}

/// Items added by one walk and taken away by another.
pub(super) struct Tally {
    cells: Vec<Cell>,
}

/// Cells that hold a difference.
pub(super) struct Shards {
    marked: Vec<bool>,
    count: usize,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self { cells: vec![Cell::default(); CELLS] }
    }

    /// The one walk has met what is said `about` a blob.
    pub(super) fn add(&mut self, blob: BlobId, about: impl Hash) {
        let cell = &mut self.cells[cell_of(blob)];
        cell.count += 1;
        cell.sum = cell.sum.wrapping_add(fingerprint(blob, about));
    }

    /// The other walk has met it so many times.
    pub(super) fn take(&mut self, blob: BlobId, about: impl Hash, times: u64) {
        let cell = &mut self.cells[cell_of(blob)];
        cell.count -= times as i64;
        cell.sum = cell.sum.wrapping_sub(fingerprint(blob, about).wrapping_mul(u128::from(times)));
    }

    /// How many more items were added than taken away.
    pub(super) fn surplus(&self) -> i64 {
        self.cells.iter().map(|cell| cell.count).sum()
    }

    /// Where the two differ.
    pub(super) fn differing(&self) -> Shards {
        let marked: Vec<bool> = self.cells.iter().map(|cell| *cell != Cell::default()).collect();
        let count = marked.iter().filter(|marked| **marked).count();
        Shards { marked, count }
    }
}

impl Shards {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn contains(&self, blob: BlobId) -> bool {
        self.marked[cell_of(blob)]
    }

    /// The first two bytes of the ids in each, in order.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = [u8; 2]> + '_ {
        (0..=u16::MAX).filter(|cell| self.marked[usize::from(*cell)]).map(u16::to_be_bytes)
    }
}

fn cell_of(blob: BlobId) -> usize {
    let [first, second, ..] = *blob.as_bytes();
    usize::from(u16::from_be_bytes([first, second]))
}

fn fingerprint(blob: BlobId, about: impl Hash) -> u128 {
    let mut hasher = DefaultHasher::new();
    blob.hash(&mut hasher);
    about.hash(&mut hasher);
    let low = hasher.finish();
    0_u8.hash(&mut hasher);
    u128::from(hasher.finish()) << 64 | u128::from(low)
}

#[cfg(test)]
#[path = "tally_tests.rs"]
mod tests;
