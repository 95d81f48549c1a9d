//! A volume, the threads that may wait for its disk, and what is thought of it.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use tokio::time::timeout;

use crate::store::blocking::Pool;
use crate::store::blocking::Running;
use crate::volume;
use crate::volume::Health;
use crate::volume::Kind;
use crate::volume::Volume;

/// Threads that may wait for one volume's disk at once.
const THREADS_PER_VOLUME: usize = 8;

/// How long one call to a disk may take before the volume counts as failed: longer than the queue of a busy disk,
/// shorter than a client's patience.
const CALL_MAX: Duration = Duration::from_secs(15);

/// A volume and how it is called.
pub(in crate::store) struct Slot {
    pub(super) volume: Arc<Volume>,
    pub(super) pool: Pool,
    health: Health,
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
    pub(super) fn new(volume: Arc<Volume>) -> Self {
        let pool = Pool::new(format!("vol-{}", &volume.id().to_string()[..6]), THREADS_PER_VOLUME);
        Self { volume, pool, health: Health::default() }
    }

    /// Whether the volume answered when it was last asked, or may well answer.
    pub(super) fn is_answering(&self) -> bool {
        self.health.is_answering()
    }

    /// Whether to use the volume now.
    pub(super) fn may_ask(&self) -> bool {
        self.health.may_ask(Instant::now())
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
        let volume = Arc::clone(&self.volume);
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
        };
        match disk_failed {
            true => self.health.failed(Instant::now()),
            false => self.health.succeeded(),
        }
        failure
    }
}
