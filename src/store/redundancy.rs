//! The truth about redundancy: how many blobs have how many copies that could be read now.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use futures_util::future::join_all;

use super::Error;
use super::Restored;
use super::Store;
use super::census;
use crate::base::Timestamp;

/// Rows counted at a time.
const BATCH: usize = 4096;

/// How redundant the blobs are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redundancy {
    /// Copies that each blob should have.
    pub replicas: usize,
    /// Blobs by the number of their copies on volumes that answer: the number is the index. Counted by the last census and
    /// brought up to date by the repair queue, by the volumes that answer now, and by the blobs that came and went since.
    /// `None` before the first census.
    pub blobs_by_copies: Option<Vec<u64>>,
    /// Blobs on the repair queue by the number of copies they are short of: the number is the index. Lost ones included.
    pub queue_by_missing: Vec<u64>,
    /// Blobs on the queue of which no volume that answers has a good copy.
    pub lost: u64,
    /// Copies that lay on a volume where they do not belong, at the last census.
    pub misplaced_copies: u64,
    /// Bad copies that are kept in quarantine, on all volumes that answer.
    pub quarantined_files: u64,
    /// When every copy was counted last.
    pub last_census: Option<Timestamp>,
    /// What the last scrub that came to its end found.
    pub last_scrub: Option<Scrubbed>,
    /// Whether nothing is known to be amiss: the queue is empty, the last scrub was clean, every volume answers.
    pub is_healthy: bool,
}

/// What a pass of the scrub found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
    /// Files and volumes that could not be read because a volume did not answer.
    pub unread: u64,
}

/// Blobs that came and went since the start.
#[derive(Default)]
pub(super) struct Tally {
    came: AtomicU64,
    went: AtomicU64,
}

impl Tally {
    /// A committed row names a new blob.
    pub(super) fn came(&self) {
        self.came.fetch_add(1, Ordering::Relaxed);
    }

    /// A blob that no row names was removed.
    pub(super) fn went(&self) {
        self.went.fetch_add(1, Ordering::Relaxed);
    }
}

impl Redundancy {
    /// Blobs that wait for repair.
    pub fn queued(&self) -> u64 {
        self.queue_by_missing.iter().sum()
    }
}

impl Store {
    /// How redundant the blobs are. Counts the repair queue, and tells the metrics.
    ///
    /// # Errors
    /// Metadata cannot be read.
    pub async fn redundancy(&self) -> Result<Redundancy, Error> {
        let members = self.parts.members();
        let replicas = members.replicas();
        let queue_by_missing = self.count_repairs().await?;
        let census = self.census();
        let blobs_by_copies = census.as_ref().map(|census| {
            let mut counts = census.by_copies();
            for (missing, blobs) in queue_by_missing.iter().enumerate() {
                census::add(&mut counts, replicas.saturating_sub(missing), *blobs);
            }
            // Those that came since have all their copies, or are on the queue.
            census::add(&mut counts, replicas, 0);
            let total = census.blobs_now(self.came_and_went());
            let others = counts.iter().sum::<u64>() - counts[replicas];
            counts[replicas] = total.saturating_sub(others);
            counts
        });
        let answering = members.slots().iter().filter(|slot| slot.answers());
        let kept = join_all(answering.clone().map(|slot| slot.quarantined())).await;
        let last_scrub = *self.scrubbed.read();
        let is_clean = last_scrub.is_none_or(|scrub| scrub.bad == 0 && scrub.unread == 0);
        let redundancy = Redundancy {
            replicas,
            blobs_by_copies,
            lost: queue_by_missing.iter().skip(replicas).sum(),
            misplaced_copies: census.as_ref().map_or(0, |census| census.misplaced()),
            quarantined_files: kept.into_iter().flatten().map(|files| files as u64).sum(),
            last_census: census.map(|census| census.began()),
            last_scrub,
            is_healthy: queue_by_missing.is_empty() && is_clean && answering.count() == members.slots().len(),
            queue_by_missing,
        };
        self.publish(&redundancy);
        Ok(redundancy)
    }

    async fn count_repairs(&self) -> Result<Vec<u64>, Error> {
        let mut counts = Vec::new();
        let mut after = None;
        loop {
            let rows = self.repairs(after, BATCH).await?;
            rows.iter().for_each(|(_, row)| census::add(&mut counts, usize::from(row.record.missing), 1));
            let Some((last, _)) = rows.into_iter().last() else { return Ok(counts) };
            after = Some(last);
        }
    }

    /// What the last scrub that came to its end found; kept by the scrub over restarts.
    pub fn set_scrubbed(&self, scrubbed: Scrubbed) {
        *self.scrubbed.write() = Some(scrubbed);
    }

    fn publish(&self, redundancy: &Redundancy) {
        let metrics = &self.metrics;
        if let Some(blobs) = &redundancy.blobs_by_copies {
            metrics.blobs_by_copies(blobs);
        }
        metrics.repair_queue(&redundancy.queue_by_missing);
        metrics.blobs_lost.set(as_gauge(redundancy.lost));
        metrics.misplaced_copies.set(as_gauge(redundancy.misplaced_copies));
        metrics.quarantined_files.set(as_gauge(redundancy.quarantined_files));
        if let Some(scrub) = redundancy.last_scrub {
            let age = self.clock.now().since(scrub.ended).as_secs();
            metrics.scrub(as_gauge(age), as_gauge(scrub.bytes), as_gauge(scrub.bad));
        }
    }

    pub(super) fn came_and_went(&self) -> (u64, u64) {
        (self.tally.came.load(Ordering::Relaxed), self.tally.went.load(Ordering::Relaxed))
    }

    pub(super) fn count_restored(&self, restored: &Restored) {
        if restored.copies > 0 {
            self.metrics.repaired_blobs.inc();
            self.metrics.repaired_bytes.inc_by(restored.bytes);
        }
    }

    /// What operators read.
    pub fn metrics(&self) -> std::sync::Arc<crate::sys::metrics::Metrics> {
        std::sync::Arc::clone(&self.metrics)
    }
}

fn as_gauge(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
