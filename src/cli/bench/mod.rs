//! `holdall bench`: what an S3 server can do, measured from outside.
//!
//! It works against any server that speaks the protocol; nothing here knows Holdall. What is always true:
//! - One thread, one keep-alive connection per worker, buffers that are reused: the client shares the machine with
//!   the server it measures, so its own cost must be small and is reported.
//! - Only operations that begin and end the same way are compared: a failed one counts as an error, never as speed.
//! - No two bodies are alike (`content`), so nothing can be deduplicated or compressed.
//!
//! `client` speaks HTTP and signs, `workload` has a file per operation, `runner` holds the clock, `report` and
//! `compare` print. Files under `/proc` are read here, by `process`.

mod args;
pub mod client;
mod compare;
mod content;
#[cfg(test)]
mod fake;
mod prepare;
mod process;
mod progress;
mod report;
mod runner;
mod stats;
mod target;
pub mod units;
mod workload;

use anyhow::Context as _;

pub use args::BenchArgs;

use args::Command;

/// Runs `holdall bench`.
///
/// # Errors
/// When the arguments contradict each other, when the server cannot be reached or refuses the bucket or the
/// prepared objects, and when the report cannot be written. Failed operations inside the window are no error: they
/// are in the report.
pub fn run(args: BenchArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let local = tokio::task::LocalSet::new();
    match args.command() {
        Command::Compare(args) => runtime.block_on(local.run_until(compare::run(args))),
        Command::Single(operation, args) => runtime.block_on(local.run_until(report::run(operation, args))),
    }
}

#[cfg(test)]
mod tests;
