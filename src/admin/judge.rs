//! Whether all is well, and how far a change has got: decided from what the server shows of itself. Pure.

use super::wire::Job;
use super::wire::Progress;
use super::wire::Redundancy;
use super::wire::Volume;

/// What is amiss, a sentence each; nothing when every acknowledged byte is on as many copies as it should be, as far as
/// is known.
pub(super) fn reasons(redundancy: &Redundancy, volumes: &[Volume], jobs: &[Job]) -> Vec<String> {
    let mut reasons = Vec::new();
    if redundancy.lost > 0 {
        let lost = counted(redundancy.lost, "blob has", "blobs have");
        reasons.push(format!("{lost} no good copy on any volume that answers"));
    }
    let waiting = redundancy.queued.saturating_sub(redundancy.lost);
    if waiting > 0 {
        let waiting = counted(waiting, "blob waits", "blobs wait");
        reasons.push(format!("{waiting} for another copy"));
    }
    let short = short_of_copies(redundancy);
    if redundancy.queued == 0 && short > 0 {
        let short = counted(short, "blob has", "blobs have");
        reasons.push(format!("{short} fewer than {} copies on volumes that answer", redundancy.replicas));
    }
    if let Some(scrub) = redundancy.last_scrub.as_ref().filter(|scrub| scrub.bad > 0) {
        let bad = counted(scrub.bad, "bad copy", "bad copies");
        reasons.push(format!("the last scrub, which ended {}, found {bad}", scrub.ended));
    }
    if let Some(scrub) = redundancy.last_scrub.as_ref().filter(|scrub| scrub.unread > 0) {
        let unread = counted(scrub.unread, "file or volume", "files or volumes");
        reasons.push(format!("the last scrub, which ended {}, could not read {unread}", scrub.ended));
    }
    for volume in volumes {
        let Volume { path, health, reason, metadata, .. } = volume;
        if !matches!(health.as_str(), "healthy" | "suspect") {
            let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            reasons.push(format!("the volume {path} is {health}{why}"));
        }
        if let Some(replica) = metadata
            && !matches!(replica.role.as_str(), "leader" | "follower")
        {
            let why = replica.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            reasons.push(format!("the metadata on {path} is {}{why}", replica.role));
        }
    }
    for job in jobs.iter().filter(|job| job.state == "failed") {
        let why = job.last_error.as_deref().unwrap_or("for a reason not known");
        reasons.push(format!("the job {} failed and tries again: {why}", job.name));
    }
    reasons
}

/// What is amiss when fewer volumes have a replica of the metadata than should.
pub(super) fn short_of_metadata(volumes: &[Volume], replicas_max: usize) -> Option<String> {
    let may = |volume: &&Volume| volume.state == "active" && !volume.replaced_elsewhere;
    let wanted = volumes.iter().filter(may).count().min(replicas_max);
    let have = volumes.iter().filter(|volume| volume.metadata.is_some()).count();
    (have < wanted).then(|| format!("the metadata is on {have} of the {wanted} volumes that it should be on"))
}

/// Blobs with fewer copies than they should have, as of the last census.
fn short_of_copies(redundancy: &Redundancy) -> u64 {
    let wanted = usize::try_from(redundancy.replicas).unwrap_or(usize::MAX);
    redundancy.blobs_by_copies.iter().flatten().take(wanted).sum()
}

fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// What a volume is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Copies find their homes anew.
    Moved,
    /// A new disk is filled.
    Replaced,
}

/// A change that was asked for, and when, in the form of the documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub cause: Cause,
    pub at: String,
}

/// How far a change of membership has got with `volume`: of one that was asked for since the server started, or of a
/// drain.
pub(super) fn progress(
    volume: &Volume,
    asked: Option<&Asked>,
    jobs: &[Job],
    redundancy: &Redundancy,
) -> Option<Progress> {
    let cause = match asked {
        Some(asked) => asked.cause,
        None if volume.state == "draining" => Cause::Moved,
        None => return None,
    };
    // From one that cannot be read nothing is moved: what it had is copied anew.
    let is_gone =
        volume.state == "draining" && !matches!(&*volume.health, "healthy" | "suspect" | "read_only");
    let cause = if is_gone { Cause::Replaced } else { cause };
    let find = |name: &str| jobs.iter().find(|job| job.name == name);
    let rebalance = find("rebalance")?;
    if !has_settled(rebalance, asked) {
        return Some(of(rebalance, false));
    }
    match (cause, find("repair")) {
        (Cause::Replaced, Some(repair)) if redundancy.queued > 0 || repair.state == "running" => {
            Some(of(repair, false))
        }
        (Cause::Replaced, Some(repair)) => Some(of(repair, true)),
        // What could not be moved is tried again.
        _ if redundancy.misplaced_copies > 0 => Some(of(rebalance, false)),
        _ => match find("metadata").filter(|_| volume.state == "draining" && volume.metadata.is_some()) {
            Some(metadata) => Some(of(metadata, false)),
            None => Some(of(rebalance, true)),
        },
    }
}

/// Whether a pass that began after the change has come to its end. Dates of the documents have one width, so they
/// compare as text.
fn has_settled(rebalance: &Job, asked: Option<&Asked>) -> bool {
    let since = asked.map_or("", |asked| asked.at.as_str());
    let is_later = |date: &Option<String>| date.as_deref().is_some_and(|date| date >= since);
    rebalance.state == "idle" && is_later(&rebalance.started) && is_later(&rebalance.last_finished)
}

fn of(job: &Job, done: bool) -> Progress {
    Progress {
        job: job.name.clone(),
        state: job.state.clone(),
        done,
        done_bytes: job.done_bytes,
        left_bytes: match (done, job.total_bytes) {
            (true, _) => Some(0),
            (false, 0) => None,
            (false, total) => Some(total.saturating_sub(job.done_bytes)),
        },
        eta_seconds: if done { Some(0) } else { job.eta_seconds },
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
