//! The metadata replicas: which can be opened, how far each is, and whether they hold the same rows.

use std::path::Path;
use std::path::PathBuf;

use super::Watch;
use super::findings::Findings;
use super::findings::Kind;
use super::report::ReplicaSummary;
use crate::base::DeploymentId;
use crate::meta::Error;
use crate::meta::Family;
use crate::meta::Key;
use crate::meta::Offline;
use crate::meta::Row;
use crate::meta::Rows;
use crate::meta::awaits_rebuild;
use crate::meta::keys;
use crate::meta::records::Commit;

/// Differences of two replicas that are named before only their number is told.
const DIFFERENCES_NAMED_MAX: u64 = 1000;

/// A replica that can be opened.
pub(super) struct Replica {
    pub(super) path: PathBuf,
    pub(super) meta: Offline,
    /// Of the last start that committed into it.
    epoch: u64,
    pub(super) commit: Commit,
}

impl Replica {
    /// How far it is: by start first, since what a later start did not see was not acknowledged.
    const fn place(&self) -> (u64, u64) {
        (self.epoch, self.commit.number)
    }
}

/// Opens all; the longest first, and of several as long those that most agree on.
pub(super) fn open(
    paths: &[PathBuf],
    deployment: DeploymentId,
    cache_bytes: usize,
    findings: &mut Findings,
) -> (Vec<Replica>, Vec<ReplicaSummary>) {
    let (mut sound, mut summaries) = (Vec::new(), Vec::new());
    for path in paths {
        match open_one(path, deployment, cache_bytes) {
            Ok(replica) => sound.push(replica),
            Err(error) => {
                findings.add(Kind::ReplicaDamaged, || format!("{}: {error}", path.display()));
                summaries.push(ReplicaSummary {
                    path: path.clone(),
                    commit: None,
                    chain: None,
                    unused: false,
                });
            }
        }
    }
    let commits: Vec<Commit> = sound.iter().map(|replica| replica.commit).collect();
    let agreeing = |commit: Commit| commits.iter().filter(|other| **other == commit).count();
    sound.sort_by_key(|replica| std::cmp::Reverse((replica.place(), agreeing(replica.commit))));
    let summary = |replica: &Replica| ReplicaSummary {
        path: replica.path.clone(),
        commit: Some(replica.commit.number),
        chain: Some(replica.commit.chain),
        unused: false,
    };
    let summaries = sound.iter().map(summary).chain(summaries).collect();
    (sound, summaries)
}

fn open_one(path: &Path, deployment: DeploymentId, cache_bytes: usize) -> Result<Replica, String> {
    let text = |error: Error| error.to_string();
    if awaits_rebuild(path) {
        return Err("a server found damage in it, and makes it anew when it starts".to_owned());
    }
    let meta = Offline::open(path, cache_bytes).map_err(text)?;
    let (epoch, commit) = (meta.epoch().map_err(text)?, meta.commit().map_err(text)?);
    match meta.deployment().map_err(text)? {
        Some(bound) if bound == deployment => Ok(Replica { path: path.to_owned(), meta, epoch, commit }),
        Some(other) => Err(format!("it belongs to another deployment, {other}")),
        None => Err("it was made and never used".to_owned()),
    }
}

/// Compares the others with the first by number and chain.
pub(super) fn compare_commits(sound: &[Replica], findings: &mut Findings) {
    let Some((first, others)) = sound.split_first() else { return };
    for other in others {
        let at = |replica: &Replica| {
            let Commit { number, chain } = replica.commit;
            format!("{} is at commit {number} (chain {chain:08x})", replica.path.display())
        };
        let both = || format!("{}, {}", at(other), at(first));
        if other.place() < first.place() {
            findings.add(Kind::ReplicaBehind, both);
        } else if other.commit.chain != first.commit.chain {
            findings.add(Kind::ReplicaDiverged, both);
        }
    }
}

/// Compares the rows of those that should be the same, one by one.
pub(super) fn compare_rows(
    sound: &[Replica],
    watch: &dyn Watch,
    findings: &mut Findings,
) -> Result<(), Error> {
    let Some((first, others)) = sound.split_first() else { return Ok(()) };
    for other in others.iter().filter(|other| other.commit == first.commit) {
        watch.stage("metadata replicas", Family::ALL.iter().map(|family| first.meta.estimate(*family)).sum());
        for family in Family::ALL {
            let prefix = keys::all(*family);
            let (ours, theirs) = (first.meta.rows(&prefix)?, other.meta.rows(&prefix)?);
            if let Err(error) = compare_family(ours, theirs, (first, other), (watch, findings)) {
                let (one, another) = (other.path.display(), first.path.display());
                findings.add(Kind::ReplicaDamaged, || format!("{one} compared with {another}: {error}"));
                break;
            }
        }
    }
    Ok(())
}

fn compare_family(
    mut ours: Rows<'_>,
    mut theirs: Rows<'_>,
    (first, other): (&Replica, &Replica),
    (watch, findings): (&dyn Watch, &mut Findings),
) -> Result<(), Error> {
    let (mut mine, mut its) = (ours.next_row()?, theirs.next_row()?);
    let mut differ = |key: &Key, how: &str| {
        if findings.count(Kind::ReplicaDiffers) >= DIFFERENCES_NAMED_MAX {
            return findings.add_unnamed(Kind::ReplicaDiffers, 1);
        }
        let (here, there) = (other.path.display(), first.path.display());
        findings
            .add(Kind::ReplicaDiffers, || format!("{} {how} {here}, compared with {there}", key.describe()));
    };
    let is_own = |row: &Row| row.key == keys::system("format");
    loop {
        watch.advance(1);
        match (&mine, &its) {
            (None, None) => return Ok(()),
            (Some(row), None) => {
                differ(&row.key, "is missing in");
                mine = ours.next_row()?;
            }
            (None, Some(row)) => {
                differ(&row.key, "is only in");
                its = theirs.next_row()?;
            }
            (Some(one), Some(another)) => match one.key.order(&another.key) {
                std::cmp::Ordering::Less => {
                    differ(&one.key, "is missing in");
                    mine = ours.next_row()?;
                }
                std::cmp::Ordering::Greater => {
                    differ(&another.key, "is only in");
                    its = theirs.next_row()?;
                }
                std::cmp::Ordering::Equal => {
                    // Each database has marked itself with the time of its own making.
                    if one != another && !is_own(one) {
                        differ(&one.key, "is another row in");
                    }
                    (mine, its) = (ours.next_row()?, theirs.next_row()?);
                }
            },
        }
    }
}
