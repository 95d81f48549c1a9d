//! Opens what is to be checked, and keeps servers from it meanwhile. Where volumes and metadata replicas lie is known
//! here alone.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::DeploymentId;
use crate::server::Error;
use crate::server::plan::Refusal;
use crate::server::volumes::LOCK;
use crate::server::volumes::METADATA;
use crate::sys::disk::Disk;
use crate::sys::disk::FileLock;
use crate::sys::disk::RealDisk;
use crate::sys::disk::lock_file;
use crate::volume::Kind;
use crate::volume::Volume;

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
    _locks: Vec<FileLock>,
}

/// Opens the volumes at `paths`. Only directories with an identity file are locked: elsewhere nothing is written, not
/// even the lock.
pub(super) fn open(paths: &[PathBuf]) -> Result<Opened, Error> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let (mut volumes, mut absent, mut locks, mut replicas) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        match Volume::open(Arc::clone(&disk), path) {
            Ok(volume) => {
                locks.extend(lock(path)?);
                replicas.extend(replica_of(disk.as_ref(), path)?);
                volumes.push(Arc::new(volume));
            }
            Err(error) if matches!(error.kind(), Kind::Missing) => absent.push(path.clone()),
            Err(error) => return Err(error.into()),
        }
    }
    check_unlike(&volumes)?;
    let Some(deployment) = volumes.first().map(|volume| volume.deployment()) else {
        let given: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        let given = given.join(", ");
        return Err(Error::Other(format!("there is no volume in {given}; are the disks mounted?")));
    };
    let voters = voters(&volumes, &replicas);
    Ok(Opened { volumes, deployment, absent, replicas, voters, _locks: locks })
}

/// The volume that holds metadata, or the first.
fn voters(volumes: &[Arc<Volume>], replicas: &[PathBuf]) -> Vec<usize> {
    let holds = |volume: &Arc<Volume>| replicas.iter().any(|replica| replica.starts_with(volume.root()));
    vec![volumes.iter().position(holds).unwrap_or(0)]
}

/// Locks a volume. On a file system that nobody can write to, no server runs either.
fn lock(path: &Path) -> Result<Option<FileLock>, Error> {
    match lock_file(&path.join(LOCK)) {
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
