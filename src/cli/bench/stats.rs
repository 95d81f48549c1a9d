//! What the workers counted inside the window.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::cli::bench::args::Operation;
use crate::cli::bench::client::Failure;

/// Longest latency that is told apart, in microseconds: ten minutes.
const LATENCY_MICROS_MAX: u64 = 600_000_000;

/// Successful operations of one kind.
pub struct Tally {
    /// Latencies in microseconds, to three digits.
    pub latency: Histogram<u64>,
    /// Bytes of bodies moved.
    pub bytes: u64,
}

/// What one worker counted, or all of them together.
#[derive(Default)]
pub struct Stats {
    /// Successes by operation.
    pub done: BTreeMap<Operation, Tally>,
    /// Failures by reason.
    pub errors: BTreeMap<String, u64>,
    /// Connections made.
    pub connects: u64,
}

impl Stats {
    /// Counts a success.
    pub fn succeeded(&mut self, operation: Operation, bytes: u64, took: Duration) {
        if let Some(tally) = self.tally(operation) {
            tally.latency.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
            tally.bytes += bytes;
        }
    }

    /// Counts a failure.
    pub fn failed(&mut self, failure: &Failure) {
        *self.errors.entry(failure.to_string()).or_default() += 1;
    }

    /// Adds what another worker counted.
    pub fn add(&mut self, other: &Stats) {
        for (operation, theirs) in &other.done {
            if let Some(ours) = self.tally(*operation) {
                // Both have the same bounds, so no value of one is out of the other's range.
                let _ = ours.latency.add(&theirs.latency);
                ours.bytes += theirs.bytes;
            }
        }
        for (reason, count) in &other.errors {
            *self.errors.entry(reason.clone()).or_default() += count;
        }
        self.connects += other.connects;
    }

    /// `None` never happens: the bounds are fixed and right.
    fn tally(&mut self, operation: Operation) -> Option<&mut Tally> {
        match self.done.entry(operation) {
            Entry::Occupied(entry) => Some(entry.into_mut()),
            Entry::Vacant(entry) => {
                let latency = Histogram::new_with_bounds(1, LATENCY_MICROS_MAX, 3).ok()?;
                Some(entry.insert(Tally { latency, bytes: 0 }))
            }
        }
    }
}
