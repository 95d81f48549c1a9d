//! The sweep: part files that no row names (what a crash left between writing and committing), uploads whose bucket
//! was deleted, and the markers of uploads that ended.

use std::sync::Arc;
use std::time::Duration;

use super::Control;
use super::Progress;
use super::worker::Job;
use super::worker::Running;
use super::worker::Step;
use crate::base::BlobId;
use crate::base::Timestamp;
use crate::base::VolumeId;
use crate::meta::Key;
use crate::meta::records::UploadOutcome;
use crate::store::Error;
use crate::store::Store;
use crate::sys::clock::Clock;

/// Part files or rows looked at in one step.
const BATCH: usize = 512;

/// How long a repeated CompleteMultipartUpload still gets the same answer: longer than any client retries.
const COMPLETED_KEPT: Duration = Duration::from_secs(24 * 3600);

/// Where a pass has got to.
enum Cursor {
    Parts(usize, Option<BlobId>),
    Open(Option<Key>),
    Ended(Option<Key>),
}

/// Passes over every volume and every upload row, then rests.
pub struct Sweep {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    volumes: Vec<VolumeId>,
    settings: SweepSettings,
    cursor: Cursor,
    removed: usize,
}

/// What an operator may choose about the sweep.
#[derive(Debug, Clone, Copy)]
pub struct SweepSettings {
    /// Rest between two passes.
    pub pause: Duration,
    /// How old an orphan must be before it goes. Running uploads are known and never taken; this leaves time to notice
    /// that a database was restored from an old copy.
    pub age: Duration,
}

impl Default for SweepSettings {
    fn default() -> Self {
        Self { pause: Duration::from_secs(3600), age: Duration::from_secs(24 * 3600) }
    }
}

impl Sweep {
    /// A sweep that begins a pass now.
    pub fn new(store: Arc<Store>, clock: Arc<dyn Clock>, settings: SweepSettings) -> Self {
        let volumes = store.volume_ids();
        Self { store, clock, volumes, settings, cursor: Cursor::Parts(0, None), removed: 0 }
    }

    async fn advance(&mut self, control: &Control) -> Result<Step, Error> {
        if matches!(self.cursor, Cursor::Parts(0, None)) {
            // Volumes may have come or gone since the last pass.
            self.volumes = self.store.volume_ids();
            control.begin(Progress { total_items: self.volumes.len() as u64, ..Progress::default() });
        }
        self.cursor = match &self.cursor {
            Cursor::Parts(number, after) => self.sweep_parts((*number, *after), control).await?,
            Cursor::Open(after) => match self.store.sweep_uploads(after.clone(), BATCH).await? {
                Some(last) => Cursor::Open(Some(last)),
                None => Cursor::Ended(None),
            },
            Cursor::Ended(after) => match self.forget_ended(after.clone()).await? {
                Some(last) => Cursor::Ended(Some(last)),
                None => {
                    self.report();
                    self.cursor = Cursor::Parts(0, None);
                    return Ok(Step::Idle);
                }
            },
        };
        Ok(Step::Busy)
    }

    async fn sweep_parts(
        &mut self,
        (number, after): (usize, Option<BlobId>),
        control: &Control,
    ) -> Result<Cursor, Error> {
        let Some(volume) = self.volumes.get(number) else { return Ok(Cursor::Open(None)) };
        let age = self.settings.age.as_millis() as u64;
        let before = Timestamp::from_millis(self.clock.now().as_millis().saturating_sub(age));
        let (last, removed) = match self.store.sweep_volume(*volume, after, BATCH, before).await {
            Ok(swept) => swept,
            // A volume that does not answer must not keep the others from being swept.
            Err(error) => {
                tracing::warn!(%volume, %error, "the volume is left to the next pass");
                (None, 0)
            }
        };
        self.removed += removed;
        Ok(match last {
            Some(last) => Cursor::Parts(number, Some(last)),
            None => {
                control.advance(0, 1);
                Cursor::Parts(number + 1, None)
            }
        })
    }

    async fn forget_ended(&self, after: Option<Key>) -> Result<Option<Key>, Error> {
        let rows = self.store.ended_uploads(after, BATCH).await?;
        for (key, row) in &rows {
            let forgotten = match row.record.outcome {
                UploadOutcome::Aborted => true,
                UploadOutcome::Completed { .. } => self.clock.now().since(row.record.at) > COMPLETED_KEPT,
            };
            if forgotten {
                self.store.forget_upload(key, row.record.id, row.revision).await?;
            }
        }
        Ok(rows.into_iter().last().map(|(key, _)| key))
    }

    fn report(&mut self) {
        if self.removed > 0 {
            tracing::info!(removed = self.removed, "part files that no object named were removed");
        }
        self.removed = 0;
    }
}

impl Job for Sweep {
    fn name(&self) -> &'static str {
        "sweep"
    }

    fn pause(&self) -> Duration {
        self.settings.pause
    }

    fn step<'a>(&'a mut self, control: &'a Control) -> Running<'a> {
        Box::pin(self.advance(control))
    }
}
