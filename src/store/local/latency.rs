//! How fast a volume answers, of late.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::slot::LAG_MAX;
use crate::volume::Use;

/// The newest answer counts for this part of the average, so that the last dozen or two decide.
const WEIGHT_DIVISOR: u64 = 8;

/// A copy elsewhere is not asked sooner than this: disks that are only busy would do everything twice.
const HEDGE_MIN: Duration = Duration::from_millis(50);

/// Times the recent latency: few answers of a healthy disk are slower.
const HEDGE_FACTOR: u32 = 4;

/// Moving averages, in microseconds from when a volume was asked to when it had answered. Two threads may overwrite each
/// other's answer: one of many.
#[derive(Default)]
pub(in crate::store) struct Latencies {
    reads: AtomicU64,
    syncs: AtomicU64,
}

impl Latencies {
    /// An answer came after `took`.
    pub(super) fn note(&self, used: Use, took: Duration) {
        let average = match used {
            Use::Read => &self.reads,
            Use::Sync => &self.syncs,
            Use::Look | Use::Write => return,
        };
        let (old, new) = (average.load(Ordering::Relaxed), took.as_micros() as u64);
        let moved = match old {
            0 => new,
            old => old - old / WEIGHT_DIVISOR + new / WEIGHT_DIVISOR,
        };
        average.store(moved.max(1), Ordering::Relaxed);
    }

    /// Of a read of a chunk.
    pub(in crate::store) fn reads(&self) -> Duration {
        Duration::from_micros(self.reads.load(Ordering::Relaxed))
    }

    /// Of making a part durable.
    pub(in crate::store) fn syncs(&self) -> Duration {
        Duration::from_micros(self.syncs.load(Ordering::Relaxed))
    }

    /// How long a read may take before the `next` copy is asked too. A multiple of what it takes of late, or of what the
    /// next one takes when that is less: a disk that has become slow must not buy itself time with it.
    pub(super) fn hedge_after(&self, next: &Self) -> Duration {
        let recent = match next.reads() {
            Duration::ZERO => self.reads(),
            next => self.reads().min(next),
        };
        (recent * HEDGE_FACTOR).clamp(HEDGE_MIN, LAG_MAX)
    }
}

#[cfg(test)]
#[path = "latency_tests.rs"]
mod tests;
