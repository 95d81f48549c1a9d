//! Work that requests leave for jobs.

use serde::Deserialize;
use serde::Serialize;

use super::Record;
use crate::base::BlobId;
use crate::base::Timestamp;

/// A blob that lost a reference: when no other is left, its files can go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reclaim {
    /// Which.
    pub blob: BlobId,
    /// Since when.
    pub at: Timestamp,
}

impl Record for Reclaim {}

/// A blob with fewer good copies than it should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// Which.
    pub blob: BlobId,
    /// How many copies are missing or bad, as far as is known.
    pub missing: u8,
    /// Since when.
    pub at: Timestamp,
}

impl Record for Repair {}
