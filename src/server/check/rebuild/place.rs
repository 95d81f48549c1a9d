//! Where the new metadata is made, and how it takes the place of the old: whole, or not at all.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::DeploymentId;
use crate::config::Config;
use crate::meta;
use crate::meta::Durability;
use crate::meta::Meta;
use crate::meta::ReplicaPlace;
use crate::server::Error;
use crate::server::check::open::Opened;
use crate::store::METADATA;
use crate::sys::clock::SystemClock;
use crate::sys::disk::Disk;
use crate::sys::disk::RealDisk;
use crate::sys::metrics::Metrics;

/// Where new metadata is made, beside the old.
const REBUILDING: &str = "meta.rebuilding";

/// What a rebuild would do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The volumes whose part files are read.
    pub volumes: Vec<PathBuf>,
    /// Paths that were given without a volume: what is there alone will be missing.
    pub absent: Vec<PathBuf>,
    /// Metadata that is moved aside, and where to.
    pub moved: Vec<(PathBuf, PathBuf)>,
    /// Where the new metadata will be.
    pub into: PathBuf,
    /// The volume it will be on.
    root: PathBuf,
}

impl Plan {
    pub(super) fn of(opened: &Opened) -> Self {
        let volumes: Vec<PathBuf> = opened.volumes.iter().map(|volume| volume.root().to_owned()).collect();
        let with_metadata = opened.replicas.first().and_then(|replica| replica.parent()).map(Path::to_owned);
        let root = with_metadata.or_else(|| volumes.first().cloned()).unwrap_or_default();
        Self {
            moved: opened.replicas.iter().map(|replica| (replica.clone(), aside(replica))).collect(),
            volumes,
            absent: opened.absent.clone(),
            into: root.join(METADATA),
            root,
        }
    }
}

/// The first free name beside lost metadata.
fn aside(replica: &Path) -> PathBuf {
    let name = |number: u32| replica.with_file_name(format!("{METADATA}.lost-{number}"));
    let is_free =
        |path: &PathBuf| RealDisk.list(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    (1..).map(name).find(is_free).unwrap_or_else(|| name(0))
}

/// Metadata that is being made.
pub(super) struct Database {
    pub(super) meta: Meta,
    path: PathBuf,
}

impl Database {
    /// A new one, instead of any that an earlier run did not finish.
    pub(super) fn create(plan: &Plan, config: &Config) -> Result<Self, Error> {
        let path = plan.root.join(REBUILDING);
        if RealDisk.list(&path).is_ok() {
            meta::discard(&path)?;
        }
        let options = meta::Options {
            durability: Durability::Strict,
            cache_bytes: config.memory.cache_bytes(),
            write_buffer_bytes: config.memory.write_buffer_bytes(),
            voters: 1,
        };
        let place = ReplicaPlace::new(path.display().to_string(), &path);
        let metrics = Arc::new(Metrics::new().map_err(|error| Error::Other(error.to_string()))?);
        let meta = Meta::open(&[place], &options, metrics, &SystemClock)?;
        Ok(Self { meta, path })
    }

    /// Closes it, moves what was there aside, and puts it in its place; where the old metadata is now.
    pub(super) fn put_in_place(
        self,
        plan: &Plan,
        deployment: DeploymentId,
    ) -> Result<Vec<(PathBuf, PathBuf)>, Error> {
        self.meta.bind(deployment).map_err(|error| Error::Other(error.to_string()))?;
        drop(self.meta);
        for (from, to) in &plan.moved {
            rename(from, to)?;
        }
        rename(&self.path, &plan.into)?;
        Ok(plan.moved.clone())
    }
}

/// From now on the volume with the new metadata alone has a vote on it; others get one back while a server runs.
pub(super) fn give_vote(plan: &Plan, opened: &Opened) -> Result<(), Error> {
    let Some(mut roster) = opened.roster.clone() else { return Ok(()) };
    let holder = opened.volumes.iter().find(|volume| volume.root() == plan.root);
    for member in &mut roster.members {
        member.metadata = holder.is_some_and(|holder| holder.id() == member.volume);
    }
    roster.revision += 1;
    for volume in &opened.volumes {
        volume.write_roster(&roster)?;
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    let above = from.parent().unwrap_or(Path::new("."));
    let renamed = RealDisk.rename(from, to).and_then(|()| RealDisk.sync_dir(above));
    renamed.map_err(|error| Error::Directory { path: from.to_owned(), error })
}
