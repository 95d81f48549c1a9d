//! The documents of the admin API, as `docs/openapi.json` describes them. They are read here too: the command line is a
//! client of the same release or of another, so it takes fields that it does not know.

use serde::Deserialize;
use serde::Serialize;

/// Is every acknowledged byte on as many copies as it should be, and what is going on?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The release that serves.
    pub version: String,
    /// Whether nothing is known to be amiss.
    pub healthy: bool,
    /// What is amiss, a sentence each; empty when healthy.
    pub reasons: Vec<String>,
    /// How redundant the blobs are.
    pub redundancy: Redundancy,
    /// Every volume that belongs.
    pub volumes: Vec<Volume>,
    /// Every job.
    pub jobs: Vec<Job>,
}

/// Volumes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Volumes {
    /// In the order in which they came.
    pub volumes: Vec<Volume>,
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Volume {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Where it is mounted, or should be.
    pub path: String,
    /// What is wanted of it: active or draining.
    pub state: String,
    /// How it is doing: healthy, suspect, read_only, failed, probing or absent.
    pub health: String,
    /// Since when it has been there, or away.
    pub since: Option<String>,
    /// Why it is not there.
    pub reason: Option<String>,
    /// Whether it has been away for so long that its copies are made elsewhere.
    pub replaced_elsewhere: bool,
    /// Size of its disk in bytes.
    pub capacity_bytes: u64,
    /// Room on its disk in bytes, while it tells.
    pub available_bytes: Option<u64>,
    /// The replica of the metadata on it.
    pub metadata: Option<Replica>,
    /// What a change of membership is doing to it.
    pub progress: Option<Progress>,
}

/// A replica of the metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replica {
    /// leader, follower, lagging, rebuilding, failed or absent.
    pub role: String,
    /// Whether its word counts for the majority.
    pub voter: bool,
    /// Number of the newest commit that is durable in it.
    pub commit: u64,
    /// Commits that a lagging one lacks.
    pub behind: Option<u64>,
    /// Bytes that a rebuild has copied.
    pub done_bytes: Option<u64>,
    /// Bytes that a rebuild copies in all.
    pub total_bytes: Option<u64>,
    /// Why it failed.
    pub reason: Option<String>,
}

/// How far a change of membership has got with a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The job that does it.
    pub job: String,
    /// What that job does now: idle, running, paused or failed.
    pub state: String,
    /// Whether everything is where it belongs.
    pub done: bool,
    /// Bytes moved so far.
    pub done_bytes: u64,
    /// Bytes that are left, when that is known.
    pub left_bytes: Option<u64>,
    /// Seconds that are left at the speed so far, when that is known.
    pub eta_seconds: Option<u64>,
}

/// Jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Jobs {
    /// In the order in which they were started.
    pub jobs: Vec<Job>,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// idle, running, paused or failed.
    pub state: String,
    /// What it may read and write in a second, in bytes; 0 for as much as it can.
    pub rate_bytes_per_second: u64,
    /// Bytes of this pass that are done.
    pub done_bytes: u64,
    /// Bytes of this pass; 0 when that is not known.
    pub total_bytes: u64,
    /// Files, blobs or rows of this pass that are done.
    pub done_items: u64,
    /// Files, blobs or rows of this pass; 0 when that is not known.
    pub total_items: u64,
    /// When this pass began, or the last when none is under way.
    pub started: Option<String>,
    /// Seconds that are left at the speed so far, when that is known.
    pub eta_seconds: Option<u64>,
    /// When the last pass came to its end.
    pub last_finished: Option<String>,
    /// Why the last step that failed did.
    pub last_error: Option<String>,
}

/// How redundant the blobs are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redundancy {
    /// Copies that each blob should have.
    pub replicas: u64,
    /// Blobs by the number of their copies on volumes that answer, the number being the index; absent before the first
    /// census.
    pub blobs_by_copies: Option<Vec<u64>>,
    /// Blobs that wait for repair.
    pub queued: u64,
    /// The same by the number of copies they are short of, the number being the index.
    pub queue_by_missing: Vec<u64>,
    /// Blobs of which no volume that answers has a good copy.
    pub lost: u64,
    /// Copies that lie on a volume which is not their home, at the last census.
    pub misplaced_copies: u64,
    /// Bad copies that are kept in quarantine.
    pub quarantined_files: u64,
    /// When every copy was counted last.
    pub last_census: Option<String>,
    /// What the last scrub that came to its end found.
    pub last_scrub: Option<Scrub>,
}

/// A pass of the scrub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scrub {
    /// When it began.
    pub began: String,
    /// When it ended.
    pub ended: String,
    /// Files it read.
    pub files: u64,
    /// Bytes it read.
    pub bytes: u64,
    /// Copies that were bad.
    pub bad: u64,
    /// Files and volumes that could not be read because a volume did not answer.
    pub unread: u64,
}

/// Where a volume is, or shall be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// An absolute path on the server's machine.
    pub path: String,
}

/// How fast a job may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Bytes that it may read and write in a second; 0 for as much as it can.
    pub bytes_per_second: u64,
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// For programs.
    pub code: String,
    /// For people: what was wrong, and what to do.
    pub message: String,
}
