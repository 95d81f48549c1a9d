//! The command line: one file or folder per subcommand, and how its outcome becomes an exit code.
//!
//! What is always true: 0 is success, 2 is a command or settings that cannot be used, 1 is everything else that went
//! wrong. (`check` and `status` keep 1 for findings: whatever else goes wrong there is 2.) An error is one paragraph on standard error
//! that names what failed, and why, down to the cause.
//!
//! `main` calls [`main`]. Everything may be imported here; nothing imports this.

pub mod bench;
mod check;
mod human;
mod job;
mod remote;
mod serve;
mod settings;
mod status;
mod volume;

use std::process::ExitCode;

use clap::Parser;
use clap::Subcommand;

use crate::config;

/// The command or its settings cannot be used.
const USAGE: u8 = 2;

/// S3-compatible object storage: durable when acknowledged, every byte checked when read.
#[derive(Parser)]
#[command(name = "holdall", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server
    Serve(serve::ServeArgs),
    /// Say whether every acknowledged byte is on as many copies as it should be
    Status(status::StatusArgs),
    /// Show and change the volumes of a running server
    Volume(volume::VolumeArgs),
    /// Show and command the background jobs of a running server
    Job(job::JobArgs),
    /// Verify a deployment while its server is stopped, or make lost metadata anew
    Check(check::CheckArgs),
    /// Measure what an S3 server can do
    Bench(bench::BenchArgs),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    // Ends the process, with 2 when the arguments cannot be used.
    let outcome = match Cli::parse().command {
        Command::Serve(args) => serve::run(&args),
        Command::Status(args) => return status::run(&args),
        Command::Volume(args) => volume::run(&args),
        Command::Job(args) => job::run(&args),
        Command::Check(args) => return check::run(&args),
        Command::Bench(args) => bench::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("holdall: {error:#}");
            if error.is::<config::Error>() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}
