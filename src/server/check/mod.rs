//! `holdall check`: is what lies on the disks what the rows say, and the other way round? While no server runs, and
//! without changing anything.
//!
//! ```text
//!   volumes locked ─▶ replicas compared ─▶ rows in order of keys ─┐
//!                                                                 ├─ tallies ─▶ differences named ─▶ report
//!                     inline values, references, part files ──────┘
//!                     in order of ids, a 256th at a time
//! ```
//!
//! What is always true:
//! - Metadata is opened for reading; the volumes' locks are all that is touched.
//! - What two walks meet in different orders is compared by a [`tally`], so that memory does not grow with the number of
//!   objects: 6 MiB of tallies, the block cache, a few dozen bytes for each bucket and each upload, and what is kept of
//!   the part files of one directory of 256 on each volume, about 200 bytes a file.
//! - A difference is always named by looking it up; a tally alone accuses nobody.
//!
//! `cli` calls it. Beside it, two last resorts change something: [`rebuild`] when there is no metadata to check, [`vote`]
//! when too few of its replicas are left.

mod blobs;
mod files;
mod findings;
mod names;
mod open;
pub mod rebuild;
mod replicas;
mod report;
mod resolve;
mod rows;
mod tally;
pub mod vote;

use super::Error;
use crate::config::Config;
use crate::volume::Volume;

use blobs::Blobs;
use findings::Findings;
use open::Opened;
use replicas::Replica;
use report::Counts;
use rows::Rows;

pub use findings::Kind;
pub use findings::Severity;
pub use report::Finding;
pub use report::ReplicaSummary;
pub use report::Report;
pub use report::VolumeSummary;

/// How much is checked, and told.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Read every block of every part file, compare replicas row by row, and compute the MD5 of inline bodies.
    pub deep: bool,
    /// Findings of each kind that are put into words; all are counted.
    pub examples_max: usize,
}

/// Hears how far the work has got; called from several threads.
pub trait Watch: Sync {
    /// A stage of about `total` steps begins.
    fn stage(&self, what: &str, total: u64);
    /// Steps are done.
    fn advance(&self, steps: u64);
    /// Bytes were read and verified.
    fn read(&self, bytes: u64);
}

/// Checks what is on the volumes of the configuration.
///
/// # Errors
/// It cannot be checked: a server runs, no volume is there, or no metadata replica can be read to its end.
pub fn run(config: &Config, options: Options, watch: &dyn Watch) -> Result<Report, Error> {
    let opened = open::open(&config.storage.volumes)?;
    let mut findings = Findings::new(options.examples_max);
    for path in &opened.absent {
        findings.add(Kind::VolumeAbsent, || path.display().to_string());
    }
    for path in opened.lacking() {
        findings.add(Kind::ReplicaDamaged, || format!("{}: there is none", path.display()));
    }
    let cache_bytes = config.memory.cache_bytes();
    let (voting, others) = opened.by_vote();
    let (mut replicas, mut metadata) = replicas::open(&voting, opened.deployment, cache_bytes, &mut findings);
    if replicas.is_empty() {
        let (sound, summaries) = replicas::open(&others, opened.deployment, cache_bytes, &mut findings);
        replicas = sound;
        metadata.extend(summaries);
    } else {
        metadata.extend(others.into_iter().map(ReplicaSummary::unused));
    }
    replicas::compare_commits(&replicas, &mut findings);
    if options.deep {
        replicas::compare_rows(&replicas, watch, &mut findings)?;
    }
    let mut report = Report {
        deep: options.deep,
        deployment: opened.deployment.to_string(),
        copies: opened.copies(config.storage.copies()),
        volumes: Vec::new(),
        metadata,
        counts: Counts::default(),
        findings: Vec::new(),
    };
    for replica in &replicas {
        let checked = check_replica(replica, &opened, &mut report, (options, watch));
        match checked {
            Ok(found) => {
                findings.merge(found);
                report.metadata.sort_by_key(|summary| summary.path != replica.path);
                report.findings = report::ordered(findings);
                return Ok(report);
            }
            Err(error) => {
                findings.add(Kind::ReplicaDamaged, || format!("{}: {error}", replica.path.display()));
            }
        }
    }
    Err(Error::Other(no_replica(&opened, findings)))
}

/// Checks rows and part files against each other, as one replica has the rows.
fn check_replica(
    replica: &Replica,
    opened: &Opened,
    report: &mut Report,
    (options, watch): (Options, &dyn Watch),
) -> Result<Findings, crate::meta::Error> {
    report.volumes = opened.volumes.iter().map(|volume| summary(volume)).collect();
    let findings = Findings::new(options.examples_max);
    let mut rows = Rows::new(&replica.meta, options.deep, watch, findings);
    rows.walk()?;
    rows.walk_inline()?;
    let summaries = &mut report.volumes;
    Blobs { rows: &mut rows, volumes: &opened.volumes, summaries, copies: report.copies }.walk()?;
    resolve::run(&mut rows, &opened.volumes)?;
    report.counts = rows.counts;
    Ok(rows.findings)
}

fn summary(volume: &Volume) -> VolumeSummary {
    let (id, path) = (volume.id().to_string(), volume.root().to_owned());
    VolumeSummary { id, path, ..VolumeSummary::default() }
}

/// Why nothing can be checked, and what is left to do.
fn no_replica(opened: &Opened, findings: Findings) -> String {
    let reasons = findings.into_groups().remove(&Kind::ReplicaDamaged).unwrap_or_default().examples;
    let what = match (opened.replicas.is_empty(), opened.absent.is_empty()) {
        (true, true) => "none of the volumes holds metadata".to_owned(),
        (true, false) => {
            "none of the volumes that are there holds metadata; mount the missing ones".to_owned()
        }
        (false, _) => format!("no metadata replica can be read: {}", reasons.join("; ")),
    };
    format!(
        "{what}. The last resort is holdall check --rebuild-metadata; docs/operations.md says what it loses"
    )
}
