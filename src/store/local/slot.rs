//! The place of a volume, the threads that may wait for its disk, and what is thought of it.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use futures_util::FutureExt as _;
use parking_lot::RwLock;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::latency::Latencies;
use super::patience::Patience;
use super::patience::Turn;
use super::room::Room;
use crate::base::VolumeId;
use crate::store::blocking::Pool;
use crate::store::blocking::Running;
use crate::store::membership::VolumeHealth;
use crate::volume;
use crate::volume::Health;
use crate::volume::Kind;
use crate::volume::State;
use crate::volume::Use;
use crate::volume::Volume;

/// Threads that may wait for one volume's disk at once.
const THREADS_PER_VOLUME: usize = 8;

/// How long one call to a disk may take before the volume counts as failed: longer than the queue of a busy disk,
/// shorter than a client's patience.
const CALL_MAX: Duration = Duration::from_secs(15);

/// The longest that others wait for a volume once they could go on without it: the answer of a disk that is only busy
/// comes sooner, and a client that waits this much longer now and then hardly notices.
pub(super) const LAG_MAX: Duration = Duration::from_secs(1);

/// The place of a volume, and how the volume is called while it is there.
pub(in crate::store) struct Slot {
    id: VolumeId,
    path: PathBuf,
    /// `None` while its disk is absent. Nothing is written to the path then.
    volume: RwLock<Option<Arc<Volume>>>,
    pub(in crate::store) pool: Pool,
    health: Arc<Health>,
    /// Rung when it has become failed: whoever waits for it need not any longer.
    opened: Notify,
    latencies: Arc<Latencies>,
    patience: Patience,
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
    /// It has failed and is left alone until a probe has passed.
    #[error("the volume has failed")]
    Failed,
    /// Its disk is not there.
    #[error("the volume is absent")]
    Absent,
}

/// Work that a volume's threads have been given.
pub(in crate::store) struct Started<T> {
    running: Running<Result<T, volume::Error>>,
    used: Use,
    since: Instant,
}

impl<T> Started<T> {
    /// When it was given.
    pub(super) const fn since(&self) -> Instant {
        self.since
    }
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
        Self {
            id,
            path,
            volume: RwLock::new(volume),
            pool,
            health: Arc::default(),
            opened: Notify::new(),
            latencies: Arc::default(),
            patience: Patience::default(),
            room: Arc::default(),
        }
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

    /// How it is doing; waits for no disk.
    pub(in crate::store) fn health(&self) -> VolumeHealth {
        if self.volume.read().is_none() {
            return VolumeHealth::Absent;
        }
        self.probe_when_due();
        match (self.health.reads(), self.health.writes()) {
            (State::Failed { .. }, _) => VolumeHealth::Failed,
            (State::Probing, _) => VolumeHealth::Probing,
            (_, State::Failed { .. } | State::Probing) => VolumeHealth::ReadOnly,
            (State::Suspect(_), _) | (_, State::Suspect(_)) => VolumeHealth::Suspect,
            (State::Healthy, State::Healthy) if self.patience.rests() => VolumeHealth::Suspect,
            (State::Healthy, State::Healthy) => VolumeHealth::Healthy,
        }
    }

    /// How fast it answers.
    pub(in crate::store) fn latencies(&self) -> &Latencies {
        &self.latencies
    }

    /// How long writes wait for it.
    pub(super) const fn patience(&self) -> &Patience {
        &self.patience
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
        self.health.attached();
        self.patience.forget();
    }

    /// Its disk is not there any more.
    pub(in crate::store) fn take_away(&self) {
        *self.volume.write() = None;
    }

    /// Whether to ask the volume for what it has.
    pub(super) fn may_read(&self) -> bool {
        self.may(Use::Read)
    }

    /// Whether to write to the volume.
    pub(super) fn may_write(&self) -> bool {
        self.may(Use::Sync)
    }

    fn may(&self, used: Use) -> bool {
        if self.volume.read().is_none() {
            return false;
        }
        self.probe_when_due();
        self.health.may(used)
    }

    /// Probes the volume on its own threads when it has failed and time has passed. Nobody waits for that; whoever asks
    /// for the volume's health winds the clock.
    fn probe_when_due(&self) {
        if self.health.may_write() || !self.health.begin_probe(Instant::now()) {
            return;
        }
        let Some(volume) = self.volume() else { return self.health.probed(false, false, Instant::now()) };
        let health = Arc::clone(&self.health);
        let started = self.pool.start(move || {
            let probe = volume.probe();
            health.probed(probe.read.is_ok(), probe.written.is_ok(), Instant::now());
            match (&probe.read, &probe.written) {
                (Ok(()), Ok(())) => tracing::info!(volume = %volume.id(), "a failed volume works again"),
                (Err(error), _) | (_, Err(error)) => {
                    tracing::debug!(volume = %volume.id(), %error, "a failed volume does not work yet");
                }
            }
        });
        if started.is_err() {
            self.health.probed(false, false, Instant::now());
        }
    }

    /// Starts work on the volume's threads, unless it has failed. Work that has not begun when its answer is given up is
    /// not done.
    pub(super) fn start_for<T: Send + 'static>(
        &self,
        used: Use,
        work: impl FnOnce() -> Result<T, volume::Error> + Send + 'static,
    ) -> Result<Started<T>, Failure> {
        if !self.health.may(used) {
            self.probe_when_due();
            return Err(Failure::Failed);
        }
        let (since, latencies) = (Instant::now(), Arc::clone(&self.latencies));
        let running = self.pool.start_wanted(move || {
            let answer = work();
            latencies.note(used, since.elapsed());
            answer
        });
        match running {
            Ok(running) => Ok(Started { running, used, since }),
            Err(_) => Err(self.judge((used, since), Failure::Stalled)),
        }
    }

    /// Waits for started work, and learns from how it ended. Ends when the volume becomes failed.
    pub(super) async fn answer<T>(&self, started: Started<T>) -> Result<T, Failure> {
        let Started { running, used, since } = started;
        let mut running = std::pin::pin!(running.answer());
        let mut patience = std::pin::pin!(sleep(CALL_MAX));
        loop {
            let mut opened = std::pin::pin!(self.opened.notified());
            opened.as_mut().enable();
            if !self.health.may(used) {
                let answer = running.now_or_never().ok_or(Failure::Failed)?;
                return self.learn((used, since), answer.map_err(|_| Failure::Stalled)?);
            }
            tokio::select! {
                biased;
                answer = &mut running => match answer {
                    Ok(answer) => return self.learn((used, since), answer),
                    Err(_) => return Err(self.judge((used, since), Failure::Stalled)),
                },
                () = opened => {}
                () = &mut patience => {
                    self.tell_opened(self.health.refused(used));
                    return Err(Failure::Stalled);
                }
            }
        }
    }

    /// Starts a look and waits for it.
    pub(super) async fn call<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Volume) -> Result<T, volume::Error> + Send + 'static,
    ) -> Result<T, Failure> {
        self.call_for(Use::Look, work).await
    }

    /// Starts work and waits for it.
    pub(super) async fn call_for<T: Send + 'static>(
        self: &Arc<Self>,
        used: Use,
        work: impl FnOnce(&Volume) -> Result<T, volume::Error> + Send + 'static,
    ) -> Result<T, Failure> {
        let volume = self.volume().ok_or(Failure::Absent)?;
        let started = self.start_for(used, move || work(&volume))?;
        self.answer(started).await
    }

    /// What it was asked then lags so far behind the others that they went on without it. A failure only when it had all
    /// the time that there is: a disk that is merely slow has not failed.
    pub(super) fn lagged(&self, used: Use, since: Instant) {
        if matches!(used, Use::Write | Use::Sync) {
            self.keeps_pace(false, since);
        }
        if since.elapsed() >= LAG_MAX {
            self.latencies.note(used, LAG_MAX);
            self.tell_opened(self.health.failed(used, since));
        }
    }

    /// It has answered a write that it was asked then, in time or late.
    pub(super) fn keeps_pace(&self, in_time: bool, since: Instant) {
        match self.patience.note(!in_time, since, Instant::now()) {
            Some(Turn::Rests) => {
                tracing::warn!(volume = %self.id, path = %self.path.display(), "writes go on without a slow volume");
            }
            Some(Turn::Returns) => tracing::info!(volume = %self.id, "a slow volume keeps pace again"),
            None => {}
        }
    }

    fn learn<T>(&self, asked: (Use, Instant), answer: Result<T, volume::Error>) -> Result<T, Failure> {
        match answer {
            Ok(done) => {
                self.health.succeeded(asked.0);
                Ok(done)
            }
            Err(error) => Err(self.judge(asked, Failure::Volume(error))),
        }
    }

    /// Learns from a failure of what was asked, how and when.
    fn judge(&self, (used, since): (Use, Instant), failure: Failure) -> Failure {
        let fail = || self.tell_opened(self.health.failed(used, since));
        match &failure {
            Failure::Stalled => fail(),
            Failure::Volume(error) => match error.kind() {
                Kind::Io(_) | Kind::Missing => fail(),
                Kind::ReadOnly => self.tell_opened(self.health.refused(Use::Write)),
                // It was not asked: the process has no file left to ask it with.
                Kind::TooManyFiles => {}
                // The disk answered.
                _ => self.health.succeeded(used),
            },
            // Nobody was asked.
            Failure::Failed | Failure::Absent => {}
        }
        failure
    }

    fn tell_opened(&self, has_opened: bool) {
        if has_opened {
            tracing::error!(volume = %self.id, path = %self.path.display(), "a volume has failed");
            self.opened.notify_waiters();
        }
    }
}
