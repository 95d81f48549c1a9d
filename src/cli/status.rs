//! `holdall status`: one screen that says whether every acknowledged byte is on as many copies as it should be.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;

use super::human;
use super::human::count;
use super::job;
use super::remote::Remote;
use super::remote::RemoteArgs;
use super::volume::print_json;
use super::volume::table_of;
use crate::admin::wire::Job;
use crate::admin::wire::Redundancy;
use crate::admin::wire::Status;
use crate::base::Timestamp;
use crate::sys::clock::Clock as _;
use crate::sys::clock::SystemClock;

/// Something is amiss.
const DEGRADED: u8 = 1;
/// It cannot be said.
const UNKNOWN: u8 = 2;

/// Whether every acknowledged byte is on as many copies as it should be
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 healthy, 1 degraded, 2 it cannot be said (no answer, wrong credentials).

Examples:
  holdall status
  holdall status --json | jq .reasons
  holdall status >/dev/null || mail -s 'look at the disks' ops@example.com")]
pub(super) struct StatusArgs {
    #[command(flatten)]
    remote: RemoteArgs,
}

/// Runs `holdall status`.
pub(super) fn run(args: &StatusArgs) -> ExitCode {
    show(args).unwrap_or_else(|error| {
        eprintln!("holdall: {error:#}");
        ExitCode::from(UNKNOWN)
    })
}

fn show(args: &StatusArgs) -> anyhow::Result<ExitCode> {
    let status: Status = Remote::new(&args.remote)?.get("/admin/v1/status")?;
    match args.remote.json {
        true => print_json(&status)?,
        false => print!("{}", screen(&status, SystemClock.now())),
    }
    Ok(if status.healthy { ExitCode::SUCCESS } else { ExitCode::from(DEGRADED) })
}

/// The screen.
fn screen(status: &Status, now: Timestamp) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    match status.healthy {
        true => drop(writeln!(text, "Healthy. Nothing is known to be amiss.\n")),
        false => {
            let _ = writeln!(text, "DEGRADED");
            for reason in &status.reasons {
                let _ = writeln!(text, "  - {reason}");
            }
            text.push('\n');
        }
    }
    let redundancy = &status.redundancy;
    for (title, line) in [
        ("copies", copies(redundancy, now)),
        ("repair queue", queue(redundancy)),
        ("last scrub", scrub(redundancy, now)),
        ("metadata", metadata(status)),
    ] {
        let _ = writeln!(text, "{title:<14}{line}");
    }
    let _ = write!(text, "\n{}", table_of(&status.volumes));
    let busy: Vec<Job> = status.jobs.iter().filter(|job| job.state != "idle").cloned().collect();
    match busy.is_empty() {
        true => text.push_str("\nNo job is running.\n"),
        false => drop(write!(text, "\n{}", job::table(&busy, now))),
    }
    text
}

fn copies(redundancy: &Redundancy, now: Timestamp) -> String {
    let wanted = count(redundancy.replicas, "copy is wanted", "copies are wanted");
    let Some(blobs) = &redundancy.blobs_by_copies else {
        return format!("{wanted}; not counted yet");
    };
    let groups = blobs.iter().enumerate().rev().filter(|(_, blobs)| **blobs > 0);
    let groups: Vec<String> =
        groups.map(|(copies, blobs)| format!("{} on {copies}", count(*blobs, "blob", "blobs"))).collect();
    let groups = if groups.is_empty() { "no blob yet".to_owned() } else { groups.join(", ") };
    let counted = redundancy.last_census.as_ref().map(|date| human::ago(date, now));
    let misplaced = match redundancy.misplaced_copies {
        0 => String::new(),
        copies => format!(", {} to be moved", count(copies, "copy is", "copies are")),
    };
    format!("{groups}; {wanted}{misplaced}; counted {}", counted.as_deref().unwrap_or("at a time not known"))
}

fn queue(redundancy: &Redundancy) -> String {
    let mut line = match redundancy.queued {
        0 => "empty".to_owned(),
        queued => count(queued, "blob", "blobs"),
    };
    if redundancy.lost > 0 {
        let _ = write!(line, ", {} without any good copy", redundancy.lost);
    }
    if redundancy.quarantined_files > 0 {
        let _ =
            write!(line, "; {} in quarantine", count(redundancy.quarantined_files, "bad copy", "bad copies"));
    }
    line
}

fn scrub(redundancy: &Redundancy, now: Timestamp) -> String {
    match &redundancy.last_scrub {
        None => "none has come to its end yet; `holdall job start scrub` begins one".to_owned(),
        Some(scrub) => format!(
            "{}, {} read, {} bad; ended {}",
            count(scrub.files, "file", "files"),
            human::size(scrub.bytes),
            scrub.bad,
            human::ago(&scrub.ended, now)
        ),
    }
}

fn metadata(status: &Status) -> String {
    let replicas = status.volumes.iter().filter_map(|volume| volume.metadata.as_ref());
    let (mut all, mut sound) = (0, 0);
    for replica in replicas {
        all += 1;
        sound += u64::from(matches!(replica.role.as_str(), "leader" | "follower"));
    }
    format!("{}, {sound} up to date", count(all, "replica", "replicas"))
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
