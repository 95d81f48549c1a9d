//! `holdall job`: what happens without a caller, shown and commanded.

use std::time::Duration;

use clap::Args;
use clap::Subcommand;

use super::bench::units::parse_size;
use super::human;
use super::remote::NOTHING;
use super::remote::Remote;
use super::remote::RemoteArgs;
use super::volume::print_json;
use crate::admin::wire::Job;
use crate::admin::wire::Jobs;
use crate::admin::wire::Rate;
use crate::base::Timestamp;
use crate::sys::clock::Clock as _;
use crate::sys::clock::SystemClock;

/// The background jobs of a running server
#[derive(Debug, Args)]
pub(super) struct JobArgs {
    #[command(flatten)]
    remote: RemoteArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show every job
    #[command(after_help = "Examples:\n  holdall job list\n  watch holdall job list")]
    List,
    /// Begin a pass now, at full speed
    #[command(after_help = "A paused job goes on.\n\nExamples:\n  holdall job start scrub")]
    Start {
        /// The job
        name: String,
    },
    /// Stop within a moment; it stays paused when the server is started again
    #[command(after_help = "Examples:\n  holdall job pause rebalance")]
    Pause {
        /// The job
        name: String,
    },
    /// Go on
    #[command(after_help = "Examples:\n  holdall job resume rebalance")]
    Resume {
        /// The job
        name: String,
    },
    /// Bound what a job reads and writes in a second; works while it runs, and is kept
    #[command(after_help = "Examples:\n  holdall job rate scrub 50MiB\n  holdall job rate repair unlimited")]
    Rate {
        /// The job
        name: String,
        /// Bytes in a second, such as 50MiB, or unlimited
        #[arg(value_parser = parse_rate)]
        rate: u64,
    },
}

fn parse_rate(text: &str) -> Result<u64, String> {
    match text {
        "unlimited" => Ok(0),
        text => parse_size(text.strip_suffix("/s").unwrap_or(text)),
    }
}

/// Runs `holdall job`.
///
/// # Errors
/// The server cannot be reached or refuses.
pub(super) fn run(args: &JobArgs) -> anyhow::Result<()> {
    let mut remote = Remote::new(&args.remote)?;
    let mut post = |name: &str, verb: &str| -> anyhow::Result<Job> {
        remote.change("POST", &format!("/admin/v1/jobs/{}/{verb}", segment(name)), NOTHING)
    };
    let job = match &args.verb {
        Verb::List => {
            let jobs: Jobs = remote.get("/admin/v1/jobs")?;
            if args.remote.json {
                return print_json(&jobs);
            }
            print!("{}", table(&jobs.jobs, SystemClock.now()));
            return Ok(());
        }
        Verb::Start { name } => post(name, "start")?,
        Verb::Pause { name } => post(name, "pause")?,
        Verb::Resume { name } => post(name, "resume")?,
        Verb::Rate { name, rate } => {
            let body = Rate { bytes_per_second: *rate };
            remote.change("PUT", &format!("/admin/v1/jobs/{}/rate", segment(name)), Some(&body))?
        }
    };
    if args.remote.json {
        return print_json(&job);
    }
    let done = match &args.verb {
        Verb::List => String::new(),
        Verb::Start { .. } => "begins a pass".to_owned(),
        Verb::Pause { .. } => "is paused".to_owned(),
        Verb::Resume { .. } => "goes on".to_owned(),
        Verb::Rate { .. } => format!("has the rate {}", human::rate(job.rate_bytes_per_second)),
    };
    println!("The job {} {done}.", job.name);
    Ok(())
}

/// A name as a segment of a path.
fn segment(name: &str) -> String {
    crate::auth::sign::encoded(name)
}

/// One line for each job.
pub(super) fn table(jobs: &[Job], now: Timestamp) -> String {
    let row = |job: &Job| {
        vec![
            job.name.clone(),
            job.state.clone(),
            human::rate(job.rate_bytes_per_second),
            progress(job),
            job.eta_seconds.map_or_else(|| "-".to_owned(), |it| human::span(Duration::from_secs(it))),
            job.last_finished.as_ref().map_or_else(|| "-".to_owned(), |date| human::ago(date, now)),
            job.last_error.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = jobs.iter().map(row).collect();
    human::table(&["JOB", "STATE", "RATE", "DONE", "LEFT", "FINISHED", "ERROR"], &rows)
}

/// How far a pass has got: in bytes where it has bytes.
fn progress(job: &Job) -> String {
    if job.state == "idle" {
        return "-".to_owned();
    }
    match (job.done_bytes, job.total_bytes, job.done_items, job.total_items) {
        (done, total, ..) if total > 0 => format!("{} of {}", human::size(done), human::size(total)),
        (.., done, total) if total > 0 => format!("{done} of {total}"),
        (0, 0, done, _) => done.to_string(),
        (done, ..) => human::size(done),
    }
}

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;
