//! What a check tells: numbers, and findings from the worst to the least.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::findings::Findings;
use super::findings::Kind;
use super::findings::Severity;

/// What was looked at, and what was found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether every block of every part file was read.
    pub deep: bool,
    /// The deployment's id.
    pub deployment: String,
    /// Copies that each blob should have.
    pub copies: usize,
    /// The volumes that were there.
    pub volumes: Vec<VolumeSummary>,
    /// The metadata replicas that were there; the one that was checked is first.
    pub metadata: Vec<ReplicaSummary>,
    /// What was counted.
    pub counts: Counts,
    /// What is wrong, the worst first; empty when nothing is.
    pub findings: Vec<Finding>,
}

/// A volume that was looked at.
#[derive(Debug, Clone, Default, Serialize)]
pub struct VolumeSummary {
    /// Its id.
    pub id: String,
    /// Where it is.
    pub path: PathBuf,
    /// Part files on it.
    pub files: u64,
    /// Their payload in bytes.
    pub bytes: u64,
    /// Files that are damaged or cannot be read.
    pub bad: u64,
}

/// A metadata replica that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct ReplicaSummary {
    /// Where it is.
    pub path: PathBuf,
    /// Its last commit; `None` when it cannot be opened.
    pub commit: Option<u64>,
    /// The checksum over all its commits.
    pub chain: Option<u32>,
    /// Whether it was not looked at, since its volume does not vote: left there when the vote moved, or being made.
    pub unused: bool,
}

impl ReplicaSummary {
    pub(super) const fn unused(path: PathBuf) -> Self {
        Self { path, commit: None, chain: None, unused: true }
    }
}

/// What was counted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counts {
    /// Buckets.
    pub buckets: u64,
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Uploads that are open.
    pub uploads: u64,
    /// Their parts.
    pub parts: u64,
    /// Inline bodies and lists of parts.
    pub inline: u64,
    /// Blobs that rows name.
    pub blobs: u64,
    /// Blobs by the number of their good copies.
    pub blobs_by_copies: BTreeMap<usize, u64>,
    /// Blobs that no row names any more and that the reclaimer will unlink.
    pub awaiting_reclaim: u64,
    /// Blobs that are named, but not by the key they were written for: copies whose source has gone.
    pub named_by_copies_alone: u64,
    /// Payload that was read and verified, in bytes.
    pub verified_bytes: u64,
}

/// All findings of one kind.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Which kind.
    pub kind: Kind,
    /// How bad.
    pub severity: Severity,
    /// How many.
    pub count: u64,
    /// What it is, in words.
    pub what: &'static str,
    /// What the server does about it by itself, or what an operator can do.
    pub remedy: &'static str,
    /// The first of them.
    pub examples: Vec<String>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// How many findings there are of a kind.
    pub fn count(&self, kind: Kind) -> u64 {
        self.findings.iter().find(|finding| finding.kind == kind).map_or(0, |finding| finding.count)
    }
}

/// The findings in the order of their severity.
pub(super) fn ordered(findings: Findings) -> Vec<Finding> {
    let mut ordered: Vec<Finding> = findings
        .into_groups()
        .into_iter()
        .map(|(kind, group)| Finding {
            kind,
            severity: kind.severity(),
            count: group.count,
            what: kind.what(),
            remedy: kind.remedy(),
            examples: group.examples,
        })
        .collect();
    ordered.sort_by_key(|finding| finding.severity);
    ordered
}
