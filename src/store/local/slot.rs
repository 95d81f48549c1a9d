//! The place of a volume, the threads that may wait for its disk, and what is thought of it.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use parking_lot::RwLock;
use tokio::time::timeout;

use super::room::Room;
use crate::base::VolumeId;
use crate::store::blocking::Pool;
use crate::store::blocking::Running;
use crate::store::membership::VolumeHealth;
use crate::volume;
use crate::volume::Health;
use crate::volume::Kind;
use crate::volume::State;
use crate::volume::Volume;

/// Threads that may wait for one volume's disk at once.
const THREADS_PER_VOLUME: usize = 8;

/// How long one call to a disk may take before the volume counts as failed: longer than the queue of a busy disk,
/// shorter than a client's patience.
const CALL_MAX: Duration = Duration::from_secs(15);

/// The place of a volume, and how the volume is called while it is there.
pub(in crate::store) struct Slot {
    id: VolumeId,
    path: PathBuf,
    /// `None` while its disk is absent. Nothing is written to the path then.
    volume: RwLock<Option<Arc<Volume>>>,
    pub(in crate::store) pool: Pool,
    health: Health,
    room: Arc<Room>,
}

/// Why a volume did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(in crate::store) enum Failure {
    /// It said so.
    #[error(transparent)]
    Volume(#[from] volume::Error),
    /// It did not answer in time, or its queue is full because it does not answer.
    #[error("the volume does not answer")]
    Stalled,
    /// Its disk is not there.
    #[error("the volume is absent")]
    Absent,
}

impl Failure {
    /// There is no copy here.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Volume(error) if error.is_not_found())
    }

    /// The disk is full.
    pub(super) fn is_no_space(&self) -> bool {
        matches!(self, Self::Volume(error) if error.is_no_space())
    }

    /// Whether the copy itself is bad, as opposed to a volume that cannot be asked for now.
    pub(super) fn is_bad_copy(&self) -> bool {
        matches!(self, Self::Volume(error) if matches!(error.kind(), Kind::Corrupt(_) | Kind::Io(_)))
    }
}

impl Slot {
    /// The slot of a volume that is there.
    pub(in crate::store) fn present(volume: Arc<Volume>) -> Self {
        let (id, path) = (volume.id(), volume.root().to_owned());
        Self::new(id, path, Some(volume))
    }

    /// The slot of a volume that belongs and whose disk is not there.
    pub(in crate::store) fn absent(id: VolumeId, path: PathBuf) -> Self {
        Self::new(id, path, None)
    }

    fn new(id: VolumeId, path: PathBuf, volume: Option<Arc<Volume>>) -> Self {
        let pool = Pool::new(format!("vol-{}", &id.to_string()[..6]), THREADS_PER_VOLUME);
        Self { id, path, volume: RwLock::new(volume), pool, health: Health::default(), room: Arc::default() }
    }

    /// Which volume.
    pub(in crate::store) const fn id(&self) -> VolumeId {
        self.id
    }

    /// Where it is mounted, or should be.
    pub(in crate::store) fn path(&self) -> &Path {
        &self.path
    }

    /// The volume, while it is there.
    pub(in crate::store) fn volume(&self) -> Option<Arc<Volume>> {
        self.volume.read().clone()
    }

    /// How it is doing; asks no disk.
    pub(in crate::store) fn health(&self) -> VolumeHealth {
        match self.health.state() {
            _ if self.volume.read().is_none() => VolumeHealth::Absent,
            State::Healthy => VolumeHealth::Healthy,
            State::Suspect(_) => VolumeHealth::Suspect,
            State::Failed { .. } => VolumeHealth::Failed,
            State::Probing { .. } => VolumeHealth::Probing,
        }
    }

    /// What is known of its room; asks no disk.
    pub(in crate::store) fn room(&self) -> &Room {
        &self.room
    }

    /// Asks its disk for its room in the background, unless it told a moment ago.
    pub(super) fn ask_room(&self) {
        if self.room.is_due()
            && let Some(volume) = self.volume()
        {
            let room = Arc::clone(&self.room);
            // When its queue is full, the last answer holds.
            let _ = self.pool.start(move || {
                if let Ok(space) = volume.space() {
                    room.tell(space);
                }
            });
        }
    }

    /// Its disk is there again, and has not failed yet.
    pub(in crate::store) fn attach(&self, volume: Arc<Volume>) {
        *self.volume.write() = Some(volume);
        self.health.succeeded();
    }

    /// Its disk is not there any more.
    pub(in crate::store) fn take_away(&self) {
        *self.volume.write() = None;
    }

    /// Whether the volume is there, and answered when it was last asked, or may well answer.
    pub(super) fn is_answering(&self) -> bool {
        self.volume.read().is_some() && self.health.is_answering()
    }

    /// Whether to use the volume now.
    pub(super) fn may_ask(&self) -> bool {
        self.volume.read().is_some() && self.health.may_ask(Instant::now())
    }

    /// Starts work on the volume's threads.
    pub(super) fn start<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, volume::Error> + Send + 'static,
    ) -> Result<Running<Result<T, volume::Error>>, Failure> {
        self.pool.start(work).map_err(|_| self.judge(Failure::Stalled))
    }

    /// Waits for started work, and learns from how it ended. The work itself goes on when this is dropped.
    pub(super) async fn answer<T>(&self, running: Running<Result<T, volume::Error>>) -> Result<T, Failure> {
        let answer = timeout(CALL_MAX, running.answer()).await;
        match answer {
            Ok(Ok(Ok(done))) => {
                self.health.succeeded();
                Ok(done)
            }
            Ok(Ok(Err(error))) => Err(self.judge(Failure::Volume(error))),
            Ok(Err(_)) | Err(_) => Err(self.judge(Failure::Stalled)),
        }
    }

    /// Starts work and waits for it.
    pub(super) async fn call<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Volume) -> Result<T, volume::Error> + Send + 'static,
    ) -> Result<T, Failure> {
        let volume = self.volume().ok_or(Failure::Absent)?;
        let running = self.start(move || work(&volume))?;
        self.answer(running).await
    }

    /// It lags so far behind the others that they went on without it.
    pub(super) fn lagged(&self) {
        self.health.failed(Instant::now());
    }

    fn judge(&self, failure: Failure) -> Failure {
        let disk_failed = match &failure {
            Failure::Volume(error) => matches!(error.kind(), Kind::Io(_) | Kind::Missing),
            Failure::Stalled => true,
            // Nobody was asked.
            Failure::Absent => return failure,
        };
        match disk_failed {
            true => self.health.failed(Instant::now()),
            false => self.health.succeeded(),
        }
        failure
    }
}
