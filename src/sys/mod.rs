//! What the machine gives: disk, clock, entropy, failpoints, metrics.
//!
//! The only place that touches the outside, so that tests can replace it: a clock that stands still, a disk that
//! forgets what was not synced.

pub mod clock;
pub mod disk;
pub mod entropy;
pub mod failpoint;
pub mod machine;
pub mod metrics;
