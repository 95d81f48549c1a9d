//! The truth about redundancy: how many blobs have how many copies that could be read now.

use super::Error;
use super::Restored;
use super::Store;
use super::engine::Metadata as _;
use crate::base::Timestamp;
use crate::meta::keys;
use crate::meta::records::Repair;

/// Rows counted at a time.
const BATCH: usize = 4096;

/// How redundant the blobs are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redundancy {
    /// Copies that each blob should have.
    pub replicas: usize,
    /// Blobs by the number of their copies on volumes that answer: the number is the index. As of the last census, with
    /// the volumes that answer now; `None` before the first census.
    pub blobs_by_copies: Option<Vec<u64>>,
    /// Blobs on the repair queue by the number of copies they are short of: the number is the index. Lost ones included.
    pub queue_by_missing: Vec<u64>,
    /// Blobs on the queue of which no volume that answers has a good copy.
    pub lost: u64,
    /// Copies that lie on a volume which is not their home, at the last census.
    pub misplaced_copies: u64,
    /// Bad copies that are kept in quarantine, on all volumes.
    pub quarantined_files: u64,
    /// When every copy was counted last.
    pub last_census: Option<Timestamp>,
    /// What the last scrub that came to its end found.
    pub last_scrub: Option<Scrubbed>,
    /// Whether nothing is known to be amiss: the queue is empty, the last scrub was clean, every volume answers.
    pub is_healthy: bool,
}

/// What a pass of the scrub found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrubbed {
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Files it read.
    pub files: u64,
    /// Bytes it read.
    pub bytes: u64,
    /// Copies that were bad.
    pub bad: u64,
}

impl Redundancy {
    /// Blobs that wait for repair.
    pub fn queued(&self) -> u64 {
        self.queue_by_missing.iter().sum()
    }
}

impl Store {
    /// How redundant the blobs are. Counts the repair queue.
    pub async fn redundancy(&self) -> Result<Redundancy, Error> {
        let mut queue_by_missing = Vec::new();
        let mut after = None;
        loop {
            let rows = self.metadata.scan::<Repair>(keys::repairs(), after, BATCH).await?;
            for (_, row) in &rows {
                let missing = usize::from(row.record.missing);
                if queue_by_missing.len() <= missing {
                    queue_by_missing.resize(missing + 1, 0);
                }
                queue_by_missing[missing] += 1;
            }
            let Some((last, _)) = rows.into_iter().last() else { break };
            after = Some(last);
        }
        let is_healthy = queue_by_missing.is_empty();
        let replicas = self.settings.replicas;
        Ok(Redundancy { replicas, queue_by_missing, is_healthy, ..Redundancy::default() })
    }
}

impl Store {
    pub(super) fn count_restored(&self, restored: &Restored) {
        if restored.copies > 0 {
            self.metrics.repaired_blobs.inc();
            self.metrics.repaired_bytes.inc_by(restored.bytes);
        }
    }
}
