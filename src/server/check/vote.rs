//! `holdall check --metadata-from`: a majority of the metadata replicas is lost for ever, and one that is left becomes the
//! only one that votes. The server makes the others anew from it.
//!
//! A commit is acknowledged by a majority, so the one that is left may lack some. What else is there is moved aside, never
//! removed: a replica with more commits than the one that goes on would be taken for another history.

use std::path::Path;
use std::path::PathBuf;

use serde::Serialize;

use super::findings::Findings;
use super::open;
use super::open::Opened;
use super::replicas;
use super::replicas::Replica;
use crate::base::VolumeId;
use crate::config::Config;
use crate::server::Error;
use crate::server::observe::plain;
use crate::store::METADATA;
use crate::sys::disk::Disk as _;
use crate::sys::disk::RealDisk;

/// What will vote, and what will not any more.
#[derive(Debug, Clone, Serialize)]
pub struct SoleVoter {
    /// The volume whose replica goes on.
    pub volume: PathBuf,
    /// Its last commit.
    pub commit: u64,
    /// Other replicas that can be opened, with their last commits.
    pub others: Vec<(PathBuf, u64)>,
    /// Volumes that are not there.
    pub absent: Vec<PathBuf>,
    /// Replicas that are moved aside, and where to.
    pub moved: Vec<(PathBuf, PathBuf)>,
}

impl SoleVoter {
    /// A replica that has more commits than the one chosen.
    pub fn better(&self) -> Option<&(PathBuf, u64)> {
        self.others.iter().filter(|(_, commit)| *commit > self.commit).max_by_key(|(_, commit)| *commit)
    }
}

/// What making the replica on `volume`, a path or an id, the only one would mean; changes nothing.
///
/// # Errors
/// A server runs, or there is no sound replica on that volume.
pub fn plan(config: &Config, volume: &str) -> Result<SoleVoter, Error> {
    look(config, &open::open(&config.storage.volumes)?, volume).map(|(sole, _)| sole)
}

/// Makes it the only one.
///
/// # Errors
/// As [`plan`], or a roster cannot be written.
pub fn run(config: &Config, volume: &str) -> Result<SoleVoter, Error> {
    let opened = open::open(&config.storage.volumes)?;
    let (sole, id) = look(config, &opened, volume)?;
    for (from, to) in &sole.moved {
        rename(from, to)?;
    }
    give(&opened, |member| member == id)?;
    Ok(sole)
}

fn look(config: &Config, opened: &Opened, named: &str) -> Result<(SoleVoter, VolumeId), Error> {
    let is_meant = |root: &Path, id: VolumeId| root == plain(Path::new(named)) || id.to_string() == named;
    let meant = opened.volumes.iter().find(|volume| is_meant(volume.root(), volume.id()));
    let volume =
        meant.ok_or_else(|| Error::Other(format!("{named} is none of the volumes that are there")))?;
    let mut findings = Findings::new(usize::MAX);
    let (sound, _) =
        replicas::open(&opened.replicas, opened.deployment, config.memory.cache_bytes(), &mut findings);
    let is_chosen = |replica: &&Replica| replica.path.parent() == Some(volume.root());
    let Some(chosen) = sound.iter().find(is_chosen) else {
        let reasons: Vec<String> =
            findings.into_groups().into_values().flat_map(|group| group.examples).collect();
        let why = if reasons.is_empty() { "it has none".to_owned() } else { reasons.join("; ") };
        return Err(Error::Other(format!("there is no sound metadata replica on {named}: {why}")));
    };
    let others = sound.iter().filter(|replica| !is_chosen(replica));
    let is_other = |path: &&PathBuf| **path != chosen.path;
    let sole = SoleVoter {
        volume: volume.root().to_owned(),
        commit: chosen.commit.number,
        others: others.map(|replica| (replica.path.clone(), replica.commit.number)).collect(),
        absent: opened.absent.clone(),
        moved: opened.replicas.iter().filter(is_other).map(|path| (path.clone(), aside(path))).collect(),
    };
    Ok((sole, volume.id()))
}

/// From now on these volumes alone vote on commits of metadata; others get a vote back while a server runs. Nothing is to
/// be done where no volume has a roster: there has never been more than one replica.
pub(super) fn give(opened: &Opened, votes: impl Fn(VolumeId) -> bool) -> Result<(), Error> {
    let Some(mut roster) = opened.roster.clone() else { return Ok(()) };
    for member in &mut roster.members {
        member.metadata = votes(member.volume);
    }
    roster.revision += 1;
    for volume in &opened.volumes {
        volume.write_roster(&roster)?;
    }
    Ok(())
}

/// The first free name beside metadata that is moved aside.
pub(super) fn aside(replica: &Path) -> PathBuf {
    let name = |number: u32| replica.with_file_name(format!("{METADATA}.lost-{number}"));
    let is_free =
        |path: &PathBuf| RealDisk.list(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    (1..).map(name).find(is_free).unwrap_or_else(|| name(0))
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    let above = from.parent().unwrap_or(Path::new("."));
    let renamed = RealDisk.rename(from, to).and_then(|()| RealDisk.sync_dir(above));
    renamed.map_err(|error| Error::Directory { path: from.to_owned(), error })
}
