//! Locks the volumes, and forms, adopts or opens their deployment as [`super::plan`] decides.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Weak;
use std::time::Duration;
use std::time::Instant;

use super::Error;
use super::credentials::Root;
use super::form;
use super::observe::observe_all;
use super::observe::plain;
use super::plan;
use super::plan::Absent;
use super::plan::Found;
use super::plan::Observed;
use super::plan::Open;
use super::plan::Plan;
use super::plan::Refusal;
use crate::config::Config;
use crate::meta::Durability;
use crate::meta::Meta;
use crate::meta::Options;
use crate::meta::ReplicaPlace;
use crate::store;
use crate::store::METADATA;
use crate::store::Machine;
use crate::sys::disk::Disk;
use crate::sys::disk::FileLock;
use crate::volume::Roster;
use crate::volume::Volume;

/// How long a stop waits for threads that still use what was opened.
const CLOSE_MAX: Duration = Duration::from_secs(2);

/// How often a start looks again when somebody changes the volumes under its eyes.
const TRIES: usize = 3;

/// A disk may tell another size after its file system was resized; smaller differences change nothing.
const RESIZED_PERCENT: u64 = 10;

/// What was opened; its volumes are locked.
pub(super) struct Opened {
    /// Who belongs.
    pub(super) roster: Roster,
    /// The volumes that are there: those that vote on metadata first.
    pub(super) volumes: Vec<Arc<Volume>>,
    /// Those that are not there.
    pub(super) absent: Vec<Absent>,
    /// The metadata.
    pub(super) meta: Arc<Meta>,
    /// Whether this start made the deployment.
    pub(super) is_new: bool,
    /// What all is on.
    pub(super) disk: Arc<dyn Disk>,
}

impl Opened {
    /// Where the volumes that are there are, from the root of the file system.
    pub(super) fn roots(&self) -> Vec<PathBuf> {
        self.volumes.iter().map(|volume| volume.root().to_owned()).collect()
    }

    /// What the store is made of.
    pub(super) fn found(&self, config: &Config, root: &Root) -> store::Found {
        store::Found {
            roster: self.roster.clone(),
            present: self.volumes.clone(),
            disk: Arc::clone(&self.disk),
            is_fixed: config.storage.replicas.is_some(),
            out_after: config.storage.volume_out_after,
            kept: root.kept(),
        }
    }

    /// Leaves the volumes to the store. Whoever held one here would hold its lock, and its mount, after its disk has
    /// gone or it was removed.
    pub(super) fn hand_over(self) -> Held {
        Held { volumes: self.volumes.iter().map(Arc::downgrade).collect(), meta: self.meta }
    }
}

/// What a stop waits for.
pub(super) struct Held {
    volumes: Vec<Weak<Volume>>,
    meta: Arc<Meta>,
}

impl Held {
    /// Closes the metadata, and waits for threads that still use it or a volume: whoever gets the locks must find the
    /// database closed.
    pub(super) fn close(self) {
        let begun = Instant::now();
        let is_used = || {
            let volumes = self.volumes.iter().any(|volume| volume.strong_count() > 0);
            volumes || Arc::strong_count(&self.meta) > 1
        };
        while is_used() && begun.elapsed() < CLOSE_MAX {
            std::thread::sleep(Duration::from_millis(1));
        }
        if is_used() {
            tracing::warn!("metadata or a volume is still in use; it is closed by the end of the process");
        }
    }
}

/// What every part of a start needs.
pub(super) struct Start<'a> {
    pub(super) config: &'a Config,
    pub(super) disk: &'a Arc<dyn Disk>,
    pub(super) machine: &'a Machine,
}

/// Opens the volumes and the metadata of the configuration.
pub(super) fn open(config: &Config, disk: Arc<dyn Disk>, machine: &Machine) -> Result<Opened, Error> {
    let given: Vec<PathBuf> = config.storage.volumes.iter().map(|path| plain(path)).collect();
    let start = Start { config, disk: &disk, machine };
    for _ in 0..TRIES {
        // Once before anything is written, so that a refusal leaves no trace; once more behind the locks, which other
        // processes may have held.
        let observed = observe_all(&disk, &given)?;
        let plan = plan::plan(&observed)?;
        start.check_copies(&observed, &plan)?;
        let locks = Locks::take(&start, &observed, &plan)?;
        let observed = observe_all(&disk, &given)?;
        let plan = plan::plan(&observed)?;
        if !locks.cover(&observed, &plan) {
            continue;
        }
        match plan {
            Plan::Form(form) => return form::form(&start, &observed, &form, locks),
            Plan::Open(open) => return open_found(&start, &observed, open, locks),
            // With a roster it is opened like any other.
            Plan::Adopt(metadata) => form::adopt(&start, &observed, metadata)?,
        }
    }
    Err(Error::Other("the volumes change while they are looked at; start again".to_owned()))
}

/// Opens what belongs and is there.
fn open_found(
    start: &Start<'_>,
    observed: &[Observed],
    open: Open,
    mut locks: Locks,
) -> Result<Opened, Error> {
    let Open { mut roster, present, absent } = open;
    for Absent { volume, path, reason } in &absent {
        tracing::error!(%volume, path = %path.display(), %reason, "A VOLUME IS ABSENT: there are fewer copies than there should be");
    }
    let votes = |number: &usize| roster.voters().any(|member| observed[*number].path == member.path);
    let (voters, others): (Vec<usize>, Vec<usize>) = present.into_iter().partition(votes);
    let meta = start.open_metadata(&roster, voters.iter().map(|number| &observed[*number].path))?;
    let mut volumes = Vec::new();
    for number in voters.into_iter().chain(others) {
        volumes.push(locks.open(start.disk, &observed[number].path)?);
    }
    let has_changed = update(&mut roster, observed, &volumes);
    if has_changed {
        roster.revision += 1;
    }
    for volume in &volumes {
        let own = observed.iter().find(|one| one.path == volume.root()).and_then(|one| one.roster.as_ref());
        if own.is_none_or(|own| *own != roster)
            && let Err(error) = volume.write_roster(&roster)
        {
            tracing::warn!(volume = %volume.id(), %error, "the roster could not be written");
        }
    }
    let disk = Arc::clone(start.disk);
    Ok(Opened { roster, volumes, absent, meta: Arc::new(meta), is_new: false, disk })
}

/// Takes over where volumes are now, and what size their disks have; whether that differs from what every roster says.
fn update(roster: &mut Roster, observed: &[Observed], volumes: &[Arc<Volume>]) -> bool {
    for volume in volumes {
        let Some(member) = roster.member_mut(volume.id()) else { continue };
        if let Ok(space) = volume.space()
            && space.total_bytes.abs_diff(member.capacity_bytes) > member.capacity_bytes / RESIZED_PERCENT
        {
            member.capacity_bytes = space.total_bytes;
        }
    }
    !observed.iter().any(|one| one.roster.as_ref() == Some(roster))
}

impl Start<'_> {
    /// Refuses more copies than volumes.
    fn check_copies(&self, observed: &[Observed], plan: &Plan) -> Result<(), Refusal> {
        let volumes = match plan {
            Plan::Form(_) => observed.iter().filter(|one| one.is_given).count(),
            Plan::Open(open) => open.roster.belonging().count(),
            Plan::Adopt(_) => return Ok(()),
        };
        match self.config.storage.replicas {
            Some(replicas) if replicas > volumes => Err(Refusal::TooFewVolumes { replicas, volumes }),
            _ => Ok(()),
        }
    }

    /// Opens the replicas of the metadata at the volumes in `paths`.
    pub(super) fn open_metadata<'a>(
        &self,
        roster: &Roster,
        paths: impl Iterator<Item = &'a PathBuf>,
    ) -> Result<Meta, Error> {
        let memory = &self.config.memory;
        let options = Options {
            durability: if self.config.storage.strict { Durability::Strict } else { Durability::Relaxed },
            cache_bytes: memory.cache_bytes(),
            write_buffer_bytes: memory.write_buffer_bytes(),
            voters: roster.voters().count(),
        };
        let place = |path: &PathBuf| {
            let member = roster.belonging().find(|member| member.path == *path);
            let name = member.map(|member| member.volume.to_string()).unwrap_or_default();
            ReplicaPlace::new(name, path.join(METADATA))
        };
        let places: Vec<ReplicaPlace> = paths.map(place).collect();
        let Machine { metrics, clock, .. } = self.machine;
        Ok(Meta::open(&places, &options, Arc::clone(metrics), clock.as_ref())?)
    }
}

/// The locks of volumes until they are opened; a lock ends with the process, however it ends.
pub(super) struct Locks(Vec<(PathBuf, FileLock)>);

impl Locks {
    /// Locks what the plan writes to: what is formatted, which is made when missing, and what is opened.
    fn take(start: &Start<'_>, observed: &[Observed], plan: &Plan) -> Result<Self, Error> {
        let mut locks = Vec::new();
        for path in paths_of(observed, plan) {
            let failed = |error| Error::Directory { path: path.clone(), error };
            if matches!(plan, Plan::Form(_)) {
                start.disk.create_dirs(path).map_err(failed)?;
            }
            let lock = Volume::lock(start.disk.as_ref(), path).map_err(failed)?;
            locks.push((path.clone(), lock.ok_or_else(|| Error::Locked(path.clone()))?));
        }
        Ok(Self(locks))
    }

    /// Whether everything that the plan writes to is locked.
    fn cover(&self, observed: &[Observed], plan: &Plan) -> bool {
        paths_of(observed, plan).all(|path| self.0.iter().any(|(locked, _)| locked == path))
    }

    /// Opens a volume that holds its lock from now on.
    pub(super) fn open(&mut self, disk: &Arc<dyn Disk>, path: &Path) -> Result<Arc<Volume>, Error> {
        let mut volume = Volume::open(Arc::clone(disk), path)?;
        if let Some(place) = self.0.iter().position(|(locked, _)| locked == path) {
            volume.hold(self.0.swap_remove(place).1);
        }
        Ok(Arc::new(volume))
    }
}

/// The directories that a plan writes to.
fn paths_of<'a>(observed: &'a [Observed], plan: &'a Plan) -> Box<dyn Iterator<Item = &'a PathBuf> + 'a> {
    let is_formatted = |one: &&Observed| matches!(one.found, Found::Formatted { .. });
    match plan {
        Plan::Open(open) => Box::new(open.present.iter().map(|number| &observed[*number].path)),
        Plan::Form(_) => Box::new(observed.iter().filter(|one| one.is_given).map(|one| &one.path)),
        Plan::Adopt(_) => Box::new(observed.iter().filter(is_formatted).map(|one| &one.path)),
    }
}
