//! The life of volumes: which belong, how each is doing, and every way in which that changes.
//!
//! ```text
//!              add                     drain                     remove
//!   new disk ───────▶ Active ◀───────────────────▶ Draining ───────────────▶ Removed (for ever: a tombstone)
//!                       │           undrain                                     ▲
//!                       └──── replace: another disk takes its points ───────────┘
//! ```
//!
//! What is always true:
//! - A change is on a majority of the volumes' rosters before it takes effect; then requests see another [`Members`]
//!   snapshot, and whoever watches [`Membership::changes`] is woken.
//! - Nothing is written to a path whose identity file does not name the volume that belongs there.
//! - Changes, and the looking after absent volumes, happen one after the other on a thread of their own.
//!
//! `server` hands over what it found, `admin` and `jobs` call the methods of [`Store`]. Synchronous inside.
//!
//! [`Members`]: super::local::Members

mod change;
mod checks;
mod error;
mod metadata;
mod status;
mod watch;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch as channel;

use super::Store;
use super::blocking::Pool;
use super::blocking::Running;
use super::local::LocalParts;
use crate::base::DeploymentId;
use crate::base::Timestamp;
use crate::base::VolumeId;
use crate::meta::Meta;
use crate::sys::clock::Clock;
use crate::sys::disk::Disk;
use crate::sys::disk::RealDisk;
use crate::sys::entropy::Entropy;
use crate::sys::metrics::Metrics;
use crate::volume::Member;
use crate::volume::Roster;
use crate::volume::VOTERS_MAX;
use crate::volume::Volume;

use watch::Presence;

pub use crate::volume::VolumeState;
pub use error::MembershipError;
pub use status::VolumeHealth;
pub use status::VolumeStatus;

/// How long a volume may be away before its copies are made elsewhere, when nobody chose.
const OUT_AFTER: Duration = Duration::from_secs(600);

/// The directory of the metadata on a volume that votes.
pub const METADATA: &str = "meta";

/// Which volumes belong, as a start found them.
pub struct Found {
    /// Who belongs.
    pub roster: Roster,
    /// Those of them that are there, locked.
    pub present: Vec<Arc<Volume>>,
    /// What they are on.
    pub disk: Arc<dyn Disk>,
    /// Whether the operator chose the number of copies; otherwise it follows the number of volumes.
    pub is_fixed: bool,
    /// How long a volume may be away before its copies are made elsewhere.
    pub out_after: Duration,
    /// What every volume that votes keeps at its root, for the server's user alone.
    pub kept: Option<Kept>,
}

/// A small private file.
pub struct Kept {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub text: zeroize::Zeroizing<String>,
}

/// Volumes that are all there; the first ones vote.
impl From<Vec<Arc<Volume>>> for Found {
    fn from(present: Vec<Arc<Volume>>) -> Self {
        let first = present.first();
        let deployment = first.map_or(DeploymentId::from_bytes([0; 16]), |volume| volume.deployment());
        let disk =
            first.map_or_else(|| Arc::new(RealDisk) as Arc<dyn Disk>, |volume| Arc::clone(volume.disk()));
        let member = |(number, volume): (usize, &Arc<Volume>)| {
            let capacity = volume.space().map_or(0, |space| space.total_bytes);
            let path = volume.root().to_owned();
            let metadata = number < VOTERS_MAX && disk.list(&path.join(METADATA)).is_ok();
            Member { metadata, ..Member::new(volume.id(), path, capacity, Timestamp::default()) }
        };
        let members = present.iter().enumerate().map(member).collect();
        let roster = Roster { revision: 1, ..Roster::forming(deployment, members) };
        Self { roster, present, disk, is_fixed: true, out_after: OUT_AFTER, kept: None }
    }
}

/// Who belongs, and what is needed to change it.
pub(super) struct Membership {
    parts: Arc<LocalParts>,
    meta: Arc<Meta>,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    metrics: Arc<Metrics>,
    /// Copies of each blob when there are volumes enough.
    wanted: usize,
    is_fixed: bool,
    out_after: Duration,
    kept: Option<Arc<Kept>>,
    /// Held through a change, so that there is one at a time; the highest revision that was ever tried. A failed one
    /// may be on some volume and is not used again.
    state: Mutex<u64>,
    seen: Arc<Mutex<Presence>>,
    changes: channel::Sender<u64>,
}

/// What the store does with its membership.
pub(super) struct Keeper {
    membership: Arc<Membership>,
    thread: Pool,
    /// Dropped with the store, which ends the watching.
    _watching: crossbeam_channel::Sender<()>,
}

impl Keeper {
    /// Takes over the volumes that were found, and looks after them from now on.
    pub(super) fn start(
        found: Found,
        (parts, meta): (Arc<LocalParts>, Arc<Meta>),
        machine: super::Machine,
        wanted: usize,
    ) -> Result<Self, super::Error> {
        let super::Machine { clock, entropy, metrics } = machine;
        let presence = Presence::new(&found.roster, clock.now());
        let membership = Arc::new(Membership {
            parts,
            meta,
            disk: found.disk,
            clock,
            entropy,
            metrics,
            wanted,
            is_fixed: found.is_fixed,
            out_after: found.out_after,
            kept: found.kept.map(Arc::new),
            state: Mutex::new(found.roster.revision),
            seen: Arc::new(Mutex::new(presence)),
            changes: channel::channel(found.roster.revision).0,
        });
        membership.show();
        let (watching, ended) = crossbeam_channel::bounded(0);
        let watched = Arc::downgrade(&membership);
        // One thread watches for as long as the store lives, the other makes changes.
        let thread = Pool::new("volumes", 2);
        thread.start(move || watch::watch(&watched, &ended))?;
        Ok(Self { membership, thread, _watching: watching })
    }

    fn run<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Membership) -> Result<T, MembershipError> + Send + 'static,
    ) -> Result<Running<Result<T, MembershipError>>, MembershipError> {
        let membership = Arc::clone(&self.membership);
        Ok(self.thread.start(move || change(&membership))?)
    }
}

impl Store {
    /// Every volume that belongs. Asks no disk.
    pub fn volumes(&self) -> Vec<VolumeStatus> {
        let mut volumes = self.keeper.membership.status();
        volumes.iter_mut().for_each(|volume| volume.copies = self.copies_on(volume.id));
        volumes
    }

    /// The volumes that belong, absent ones too.
    pub fn volume_ids(&self) -> Vec<VolumeId> {
        self.parts.members().slots().iter().map(|slot| slot.id()).collect()
    }

    /// Hears of every change of where copies belong: of membership, and of volumes that went or came back.
    pub fn membership_changes(&self) -> channel::Receiver<u64> {
        self.keeper.membership.changes.subscribe()
    }

    /// Makes a volume of a new or empty directory; it takes its share of the copies from now on.
    ///
    /// # Errors
    /// The directory cannot become a volume, or too few volumes took the change.
    pub async fn add_volume(&self, path: &Path) -> Result<VolumeId, MembershipError> {
        let path = path.to_owned();
        self.keeper.run(move |membership| membership.add(&path))?.answer().await?
    }

    /// From now on the volume takes no copies, and those that it has move to others. `force` is for when each part would
    /// have fewer copies than now: the number that the operator chose is kept even so.
    ///
    /// # Errors
    /// It does not belong, the others are too few, or too few volumes took the change.
    pub async fn drain_volume(&self, volume: VolumeId, force: bool) -> Result<(), MembershipError> {
        self.keeper.run(move |membership| membership.drain(volume, force))?.answer().await?
    }

    /// The volume takes copies again.
    ///
    /// # Errors
    /// It does not belong, or too few volumes took the change.
    pub async fn undrain_volume(&self, volume: VolumeId) -> Result<(), MembershipError> {
        self.keeper.run(move |membership| membership.undrain(volume))?.answer().await?
    }

    /// Takes a volume out for good. One that is there must hold no copy that others need; `force` is for one that is
    /// absent or fails, and gives up what only it holds.
    ///
    /// # Errors
    /// It does not belong, is needed still, or too few volumes took the change.
    pub async fn remove_volume(&self, volume: VolumeId, force: bool) -> Result<(), MembershipError> {
        if !force {
            self.check_removable(volume).await?;
        }
        self.keeper.run(move |membership| membership.remove(volume, force))?.answer().await?
    }

    /// Puts a new disk in the place of a volume: of an absent or failed one, which is out for good, or of one that is
    /// there, which drains. The path of an absent one may be used again.
    ///
    /// # Errors
    /// It does not belong, the directory cannot become a volume, or too few volumes took the change.
    pub async fn replace_volume(&self, volume: VolumeId, path: &Path) -> Result<VolumeId, MembershipError> {
        let path: PathBuf = path.to_owned();
        self.keeper.run(move |membership| membership.replace(volume, &path))?.answer().await?
    }

    /// Brings the replicas of the metadata nearer to one on each of the first volumes; whether there is more to do soon.
    ///
    /// # Errors
    /// A replica cannot be attached, or too few volumes took the change.
    pub async fn tend_metadata(&self) -> Result<bool, MembershipError> {
        self.keeper.run(Membership::tend_metadata)?.answer().await?
    }

    /// Looks at all volumes now instead of in some seconds.
    ///
    /// # Errors
    /// The thread for it has died.
    pub async fn look_after_volumes(&self) -> Result<(), MembershipError> {
        let look = |membership: &Membership| {
            membership.look();
            Ok(())
        };
        self.keeper.run(look)?.answer().await?
    }
}
