//! Counters, cursors, and the number of the last commit.

use serde::Deserialize;
use serde::Serialize;

use super::Record;
use crate::base::Timestamp;

/// A row that only exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty;

impl Record for Empty {}

/// Exact counters of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Objects, noncurrent versions included.
    pub objects: i64,
    /// Their bytes.
    pub bytes: i64,
}

impl Record for Usage {}

impl Usage {
    /// Whether the bucket may be deleted.
    pub const fn is_empty(&self) -> bool {
        self.objects == 0
    }
}

/// The last commit of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Commit {
    /// Its number.
    pub number: u64,
    /// CRC-32 over the predecessor's chain value and this write's rows: two databases with the same number and
    /// chain hold the same rows.
    pub chain: u32,
}

impl Record for Commit {}

/// Which start of the deployment this is, counting those in which a majority of the replicas took part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Epoch {
    /// Never the same for two starts that committed anything.
    pub number: u64,
}

impl Record for Epoch {}

/// Where a job has got to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cursor {
    /// Opaque to everyone but the job.
    pub position: Vec<u8>,
}

impl Record for Cursor {}

/// What a job must know after a restart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Job {
    /// Where its pass has got to. Opaque to everyone but the job.
    pub cursor: Vec<u8>,
    /// What it may read and write in a second, in bytes; 0 for as much as it can.
    pub rate_bytes_per_second: u64,
    /// Whether it was told to stop.
    pub paused: bool,
    /// When its last pass came to its end.
    pub last_finished: Option<Timestamp>,
}

impl Record for Job {}
