//! What happens without a caller: keeping every blob in as many good copies as it should have, where they belong; giving
//! space back; finding what crashes left behind.
//!
//! Requests and jobs meet only in rows: a request writes an outbox row in its own commit and never calls a job. Every
//! job has the one shape of [`worker::Job`]: bounded steps that can be repeated at any point. [`Board`] is what operators
//! see of them; a [`Control`] is what a job and the board share.

mod board;
mod control;
mod metadata;
mod rebalance;
mod reclaim;
mod repair;
mod scrub;
mod sweep;
pub mod worker;

pub use board::Board;
pub use board::Command;
pub use board::JobStatus;
pub use board::NoSuchJob;
pub use board::State;
pub use control::Control;
pub use control::Progress;
pub use metadata::Metadata;
pub use rebalance::Rebalance;
pub use reclaim::Reclaimer;
pub use repair::Repair;
pub use scrub::Scrub;
pub use sweep::Sweep;
pub use sweep::SweepSettings;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod throughput_tests;
