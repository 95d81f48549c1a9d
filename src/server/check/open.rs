//! Opens what is to be checked, and keeps servers from it meanwhile. Where volumes and metadata replicas lie is known
//! here alone.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::DeploymentId;
use crate::server::Error;
use crate::server::observe::plain;
use crate::server::plan::Refusal;
use crate::store::METADATA;
use crate::sys::disk::Disk;
use crate::sys::disk::FileLock;
use crate::sys::disk::RealDisk;
use crate::volume::Kind;
use crate::volume::Roster;
use crate::volume::Volume;
use crate::volume::VolumeState;

/// The volumes that were found, locked.
pub(super) struct Opened {
    pub(super) volumes: Vec<Arc<Volume>>,
    pub(super) deployment: DeploymentId,
    /// Paths without a volume.
    pub(super) absent: Vec<PathBuf>,
    /// Where the metadata replicas are.
    pub(super) replicas: Vec<PathBuf>,
    /// Numbers of the volumes that should hold a replica.
    pub(super) voters: Vec<usize>,
    /// Who belongs, when a volume knows: deployments of the first release had no rosters.
    pub(super) roster: Option<Roster>,
    _locks: Vec<FileLock>,
}

impl Opened {
    /// Where a replica of the metadata should be and is not, as far as a roster tells.
    pub(super) fn lacking(&self) -> Vec<PathBuf> {
        let volumes = self.voters.iter().filter(|_| self.roster.is_some());
        let volumes = volumes.filter_map(|number| self.volumes.get(*number));
        let places = volumes.map(|volume| volume.root().join(METADATA));
        places.filter(|place| !self.replicas.contains(place)).collect()
    }

    /// The replicas on volumes that vote, and what is left on others: of a vote that moved, old rows that no start reads.
    /// Where none is on a volume that votes, any may be of use.
    pub(super) fn by_vote(&self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let votes = |replica: &PathBuf| {
            let volume = self.volumes.iter().find(|volume| replica.starts_with(volume.root()));
            let member = |roster: &Roster| roster.member(volume?.id()).map(|member| member.metadata);
            self.roster.as_ref().and_then(member).unwrap_or(true)
        };
        let (voting, others): (Vec<_>, Vec<_>) = self.replicas.iter().cloned().partition(votes);
        if voting.is_empty() { (others, voting) } else { (voting, others) }
    }

    /// How many copies there should be, when `wanted` is how many there are with volumes enough.
    pub(super) fn copies(&self, wanted: usize) -> usize {
        let all = self.volumes.len() + self.absent.len();
        let takes_copies =
            |roster: &Roster| roster.belonging().filter(|member| member.state == VolumeState::Active).count();
        wanted.min(self.roster.as_ref().map_or(all, takes_copies)).max(1)
    }
}

/// What was found at the paths looked at so far.
struct Looking {
    disk: Arc<dyn Disk>,
    volumes: Vec<Arc<Volume>>,
    locks: Vec<FileLock>,
    roster: Option<Roster>,
    /// Given paths without a volume.
    missing: Vec<PathBuf>,
}

/// Opens the volumes at `given`, and those that belong with them by their rosters. Only directories with an identity
/// file are locked: elsewhere nothing is written, not even the lock.
pub(super) fn open(given: &[PathBuf]) -> Result<Opened, Error> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let (volumes, locks, missing) = (Vec::new(), Vec::new(), Vec::new());
    let mut looking = Looking { disk, volumes, locks, roster: None, missing };
    let given: Vec<PathBuf> = given.iter().map(|path| plain(path)).collect();
    let mut paths = given.clone();
    let mut number = 0;
    while let Some(path) = paths.get(number).cloned() {
        let named = looking.look(&path, given.contains(&path))?;
        number += 1;
        for path in named {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    looking.opened(&given)
}

impl Looking {
    /// Looks at a path; where the roster found there says that others are.
    fn look(&mut self, path: &Path, is_given: bool) -> Result<Vec<PathBuf>, Error> {
        let volume = match Volume::open(Arc::clone(&self.disk), path) {
            Ok(volume) => volume,
            Err(error) if matches!(error.kind(), Kind::Missing) || !is_given => {
                self.missing.extend(is_given.then(|| path.to_owned()));
                return Ok(Vec::new());
            }
            Err(error) => return Err(error.into()),
        };
        // What a roster names may be another disk by now; what is given is told about.
        let is_ours = self.volumes.first().is_none_or(|first| first.deployment() == volume.deployment());
        let is_known = self.volumes.iter().any(|known| known.id() == volume.id());
        if !is_given && (!is_ours || is_known) {
            return Ok(Vec::new());
        }
        // One that cannot be read is no reason not to look at the rest.
        let own = Roster::read(self.disk.as_ref(), path).unwrap_or_default();
        let named = own.iter().flat_map(Roster::belonging).map(|member| member.path.clone()).collect();
        let newest = self.roster.as_ref().map_or(0, |roster| roster.revision);
        self.roster = own.filter(|own| own.revision >= newest).or(self.roster.take());
        self.locks.extend(lock(path)?);
        self.volumes.push(Arc::new(volume));
        Ok(named)
    }

    fn opened(self, given: &[PathBuf]) -> Result<Opened, Error> {
        let Self { disk, mut volumes, locks, roster, missing } = self;
        check_unlike(&volumes)?;
        let Some(deployment) = volumes.first().map(|volume| volume.deployment()) else {
            let given: Vec<String> = given.iter().map(|path| path.display().to_string()).collect();
            let given = given.join(", ");
            return Err(Error::Other(format!("there is no volume in {given}; are the disks mounted?")));
        };
        // What was taken out is looked at no more than a server would.
        let members = || roster.iter().flat_map(|roster| &roster.members);
        let was_removed = |id| members().any(|member| member.volume == id && !member.belongs());
        volumes.retain(|volume| !was_removed(volume.id()));
        let is_there = |id| volumes.iter().any(|volume| volume.id() == id);
        let mut absent: Vec<PathBuf> = members()
            .filter(|member| member.belongs() && !is_there(member.volume))
            .map(|member| member.path.clone())
            .collect();
        let others: Vec<PathBuf> = missing.into_iter().filter(|path| !absent.contains(path)).collect();
        absent.extend(others);
        let mut replicas = Vec::new();
        for volume in &volumes {
            replicas.extend(replica_of(disk.as_ref(), volume.root())?);
        }
        let voters = voters(&volumes, &replicas, roster.as_ref());
        Ok(Opened { volumes, deployment, absent, replicas, voters, roster, _locks: locks })
    }
}

/// The volumes that should hold metadata: as the roster says, else the one that does, or the first.
fn voters(volumes: &[Arc<Volume>], replicas: &[PathBuf], roster: Option<&Roster>) -> Vec<usize> {
    let named = |volume: &Arc<Volume>| {
        let mut members = roster.iter().flat_map(|roster| roster.belonging());
        members.any(|member| member.volume == volume.id() && member.metadata)
    };
    let voters: Vec<usize> = (0..volumes.len()).filter(|number| named(&volumes[*number])).collect();
    if !voters.is_empty() {
        return voters;
    }
    let holds = |volume: &Arc<Volume>| replicas.iter().any(|replica| replica.starts_with(volume.root()));
    vec![volumes.iter().position(holds).unwrap_or(0)]
}

/// Locks a volume. On a file system that nobody can write to, no server runs either.
fn lock(path: &Path) -> Result<Option<FileLock>, Error> {
    match Volume::lock(&RealDisk, path) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => Err(Error::Locked(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => Ok(None),
        Err(error) => Err(Error::Directory { path: path.to_owned(), error }),
    }
}

fn replica_of(disk: &dyn Disk, path: &Path) -> Result<Option<PathBuf>, Error> {
    let names = disk.list(path).map_err(|error| Error::Directory { path: path.to_owned(), error })?;
    Ok(names.iter().any(|name| name == METADATA).then(|| path.join(METADATA)))
}

/// Every volume once, and all of one deployment.
fn check_unlike(volumes: &[Arc<Volume>]) -> Result<(), Error> {
    for (number, volume) in volumes.iter().enumerate() {
        let path = || volume.root().to_owned();
        for earlier in &volumes[..number] {
            let other = || earlier.root().to_owned();
            if earlier.id() == volume.id() {
                return Err(Refusal::Twins { one: other(), other: path() }.into());
            }
            if earlier.deployment() != volume.deployment() {
                return Err(Refusal::Mixed { one: other(), other: path() }.into());
            }
        }
    }
    Ok(())
}
