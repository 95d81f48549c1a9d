//! Where the new metadata is made, and how it takes the place of the old: whole, or not at all.

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
use crate::server::check::vote::aside;
use crate::server::check::vote::rename;
use crate::store::METADATA;
use crate::sys::clock::SystemClock;
use crate::sys::disk::Disk;
use crate::sys::disk::RealDisk;
use crate::sys::metrics::Metrics;
use crate::volume::Volume;

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
    /// Where the new metadata will be: each replica's name and directory.
    pub into: Vec<(String, PathBuf)>,
    /// Replicas that can be opened, with their last commits: they know what no part file does.
    pub sound: Vec<(PathBuf, u64)>,
}

impl Plan {
    pub(super) fn of(opened: &Opened) -> Self {
        let root = |number: &usize| opened.volumes.get(*number);
        let place = |volume: &Arc<Volume>| (volume.id().to_string(), volume.root().join(METADATA));
        Self {
            volumes: opened.volumes.iter().map(|volume| volume.root().to_owned()).collect(),
            absent: opened.absent.clone(),
            moved: opened.replicas.iter().map(|replica| (replica.clone(), aside(replica))).collect(),
            into: opened.voters.iter().filter_map(root).map(place).collect(),
            sound: Vec::new(),
        }
    }
}

/// Metadata that is being made.
pub(super) struct Database {
    pub(super) meta: Meta,
    /// Where each replica is made, and where it belongs.
    replicas: Vec<(PathBuf, PathBuf)>,
}

impl Database {
    /// A new one, instead of any that an earlier run did not finish.
    pub(super) fn create(plan: &Plan, config: &Config) -> Result<Self, Error> {
        let (mut places, mut replicas) = (Vec::new(), Vec::new());
        for (name, place) in &plan.into {
            let path = place.with_file_name(REBUILDING);
            if RealDisk.list(&path).is_ok() {
                meta::discard(&path)?;
            }
            places.push(ReplicaPlace::new(name.clone(), path.clone()));
            replicas.push((path, place.clone()));
        }
        let options = meta::Options {
            durability: Durability::Strict,
            cache_bytes: config.memory.cache_bytes(),
            write_buffer_bytes: config.memory.write_buffer_bytes(),
            voters: places.len(),
        };
        let metrics = Arc::new(Metrics::new().map_err(|error| Error::Other(error.to_string()))?);
        let meta = Meta::open(&places, &options, metrics, &SystemClock)?;
        Ok(Self { meta, replicas })
    }

    /// Closes it, moves what was there aside, and puts it in its place; where the old metadata is now.
    pub(super) fn put_in_place(
        self,
        plan: &Plan,
        deployment: DeploymentId,
    ) -> Result<Vec<(PathBuf, PathBuf)>, Error> {
        self.meta.bind(deployment).map_err(|error| Error::Other(error.to_string()))?;
        drop(self.meta);
        for (from, to) in plan.moved.iter().chain(&self.replicas) {
            rename(from, to)?;
        }
        Ok(plan.moved.clone())
    }
}
