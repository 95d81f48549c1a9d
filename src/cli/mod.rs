//! The command line: one file or folder per subcommand, and how its outcome becomes an exit code.
//!
//! What is always true: 0 is success, 2 is a command or settings that cannot be used, 1 is everything else that went
//! wrong. An error is one paragraph on standard error that names what failed, and why, down to the cause.
//!
//! `main` calls [`main`]. Everything may be imported here; nothing imports this.

pub mod bench;
mod serve;

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
    /// Measure what an S3 server can do
    Bench(bench::BenchArgs),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    // Ends the process, with 2 when the arguments cannot be used.
    let outcome = match Cli::parse().command {
        Command::Serve(args) => serve::run(&args),
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
