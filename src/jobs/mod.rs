//! What happens without a caller: giving space back, and finding what crashes left behind.
//!
//! Requests and jobs meet only in rows: a request writes an outbox row in its own commit and never calls a job. Every
//! job has the one shape of [`worker::Job`]: bounded steps that can be repeated at any point.

mod reclaim;
mod sweep;
pub mod worker;

pub use reclaim::Reclaimer;
pub use sweep::Sweep;
pub use sweep::SweepSettings;

#[cfg(test)]
mod tests;
