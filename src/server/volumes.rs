//! Looks at the volumes, locks them, and opens or formats them as [`super::plan`] decides.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use super::Error;
use super::plan;
use super::plan::Found;
use super::plan::Observed;
use super::plan::Plan;
use super::plan::Refusal;
use super::roster;
use crate::base::DeploymentId;
use crate::base::VolumeId;
use crate::config::Config;
use crate::meta::Durability;
use crate::meta::Meta;
use crate::meta::Options;
use crate::meta::ReplicaPlace;
use crate::store::Machine;
use crate::sys::disk::Disk;
use crate::sys::disk::FileLock;
use crate::sys::disk::lock_file;
use crate::volume::Identity;
use crate::volume::Kind;
use crate::volume::Volume;
use crate::volume::is_foreign;

/// The directory of the metadata, on one of the volumes.
const METADATA: &str = "meta";
/// The file that is locked while a process has the volume open.
const LOCK: &str = "lock";
/// Where a volume keeps its parts.
const PARTS: &str = "blobs";

/// How long a stop waits for threads that still use the metadata.
const CLOSE_MAX: Duration = Duration::from_secs(2);

/// What was opened, and what keeps others from opening it.
pub(super) struct Opened {
    /// The volumes; the one with the metadata first, the others as they were given.
    pub(super) volumes: Vec<Arc<Volume>>,
    /// The metadata.
    pub(super) meta: Arc<Meta>,
    /// Whether this start made the deployment.
    pub(super) is_new: bool,
    locks: Vec<FileLock>,
}

impl Opened {
    /// Where the volumes are, from the root of the file system.
    pub(super) fn roots(&self) -> Vec<PathBuf> {
        let absolute = |root: &Path| std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        self.volumes.iter().map(|volume| absolute(volume.root()).components().collect()).collect()
    }

    /// Closes the metadata, then lets others have the volumes. A thread that still reads is waited for: whoever gets
    /// the locks must find the database closed.
    pub(super) fn close(self) {
        let begun = Instant::now();
        while Arc::strong_count(&self.meta) > 1 && begun.elapsed() < CLOSE_MAX {
            std::thread::sleep(Duration::from_millis(1));
        }
        if Arc::strong_count(&self.meta) > 1 {
            tracing::warn!("metadata is still in use; it is closed by the end of the process");
        }
        drop(self.meta);
        drop(self.volumes);
        drop(self.locks);
    }
}

/// Opens the volumes and the metadata of the configuration.
pub(super) fn open(config: &Config, disk: Arc<dyn Disk>, machine: &Machine) -> Result<Opened, Error> {
    let paths = &config.storage.volumes;
    // Once before anything is written, so that a refusal leaves no trace; once more behind the locks, which other
    // processes may have held.
    plan::plan(&observe_all(&disk, paths)?)?;
    let locks = lock_all(disk.as_ref(), paths)?;
    let observed = observe_all(&disk, paths)?;
    let plan = plan::plan(&observed)?;
    let options = Options {
        durability: if config.storage.strict { Durability::Strict } else { Durability::Relaxed },
        cache_bytes: config.memory.cache_bytes(),
        write_buffer_bytes: config.memory.write_buffer_bytes(),
        voters: 1,
    };
    let path = &paths[plan.metadata];
    let place = ReplicaPlace::new(path.display().to_string(), path.join(METADATA));
    let meta = Meta::open(&[place], &options, Arc::clone(&machine.metrics), machine.clock.as_ref())?;
    if let Some(nameless) = plan.format.first()
        && roster::exists(&meta)?
    {
        return Err(Refusal::Nameless { path: paths[*nameless].clone() }.into());
    }
    let mut volumes = format_or_open(&plan, &observed, &meta, &disk, machine)?;
    volumes[..=plan.metadata].rotate_right(1);
    let opened = Opened { volumes, meta: Arc::new(meta), is_new: plan.deployment.is_none(), locks };
    let places: Vec<_> = opened.volumes.iter().map(|volume| volume.id()).zip(opened.roots()).collect();
    roster::check(&opened.meta, &places)?;
    Ok(opened)
}

fn format_or_open(
    plan: &Plan,
    observed: &[Observed],
    meta: &Meta,
    disk: &Arc<dyn Disk>,
    machine: &Machine,
) -> Result<Vec<Arc<Volume>>, Error> {
    let mut random = [0; 16];
    machine.entropy.fill(&mut random);
    let deployment_id = plan.deployment.or(meta.deployment()?).unwrap_or(DeploymentId::from_bytes(random));
    for number in &plan.format {
        machine.entropy.fill(&mut random);
        let volume_id = VolumeId::from_bytes(random);
        let identity = Identity { volume_id, deployment_id, created: machine.clock.now() };
        Volume::format(Arc::clone(disk), &observed[*number].path, identity)?;
    }
    let opened = observed.iter().map(|one| Ok(Arc::new(Volume::open(Arc::clone(disk), &one.path)?)));
    opened.collect()
}

fn observe_all(disk: &Arc<dyn Disk>, paths: &[PathBuf]) -> Result<Vec<Observed>, Error> {
    paths.iter().map(|path| observe(disk, path)).collect()
}

/// Looks at a directory without changing it.
fn observe(disk: &Arc<dyn Disk>, path: &Path) -> Result<Observed, Error> {
    let observed = |found, has_metadata| Ok(Observed { path: path.to_owned(), found, has_metadata });
    let names = match disk.list(path) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return observed(Found::Missing, false),
        Err(error) => return Err(Error::Directory { path: path.to_owned(), error }),
    };
    let has_metadata = names.iter().any(|name| name == METADATA);
    match Volume::open(Arc::clone(disk), path) {
        Ok(opened) => {
            let (volume, deployment) = (opened.id(), opened.deployment());
            observed(Found::Formatted { volume, deployment }, has_metadata)
        }
        Err(error) if !matches!(error.kind(), Kind::Missing) => Err(error.into()),
        Err(_) => match names.into_iter().find(|name| is_foreign(name)) {
            Some(entry) => observed(Found::Foreign(entry), has_metadata),
            None if has_parts(disk.as_ref(), path)? => observed(Found::Nameless, has_metadata),
            None => observed(Found::Unformatted, has_metadata),
        },
    }
}

/// Whether an unformatted directory holds part files.
fn has_parts(disk: &dyn Disk, path: &Path) -> Result<bool, Error> {
    let list = |path: &Path| match disk.list(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map_err(|error| Error::Directory { path: path.to_owned(), error }),
    };
    let parts = path.join(PARTS);
    for directory in list(&parts)? {
        if !list(&parts.join(directory))?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes missing directories and locks all; a lock ends with the process, however it ends.
fn lock_all(disk: &dyn Disk, paths: &[PathBuf]) -> Result<Vec<FileLock>, Error> {
    let lock = |path: &PathBuf| {
        let locked = disk.create_dirs(path).and_then(|()| lock_file(&path.join(LOCK)));
        let locked = locked.map_err(|error| Error::Directory { path: path.clone(), error })?;
        locked.ok_or_else(|| Error::Locked(path.clone()))
    };
    paths.iter().map(lock).collect()
}
