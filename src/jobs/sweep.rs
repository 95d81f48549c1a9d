//! The sweep: part files that no row names (what a crash left between writing and committing), and the markers of
//! uploads that ended.

use std::sync::Arc;
use std::time::Duration;

use super::worker::Job;
use super::worker::Running;
use super::worker::Step;
use crate::base::BlobId;
use crate::base::VolumeId;
use crate::meta::Key;
use crate::meta::records::UploadOutcome;
use crate::store::Store;
use crate::sys::clock::Clock;

/// Part files or rows looked at in one step.
const BATCH: usize = 512;

/// How long a repeated CompleteMultipartUpload still gets the same answer: longer than any client retries.
const COMPLETED_KEPT: Duration = Duration::from_secs(24 * 3600);

/// Where a pass has got to.
enum Cursor {
    Volume(usize, Option<BlobId>),
    Uploads(Option<Key>),
}

/// Passes over every volume and every upload row, then rests.
pub struct Sweep {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    volumes: Vec<VolumeId>,
    pause: Duration,
    cursor: Cursor,
    removed: usize,
}

impl Sweep {
    /// A sweep that begins a pass now and then every `pause`.
    pub fn new(store: Arc<Store>, clock: Arc<dyn Clock>, pause: Duration) -> Self {
        let volumes = store.volumes();
        Self { store, clock, volumes, pause, cursor: Cursor::Volume(0, None), removed: 0 }
    }

    async fn advance(&mut self) -> Result<Step, crate::store::Error> {
        match &self.cursor {
            Cursor::Volume(number, after) => self.sweep_parts(*number, *after).await,
            Cursor::Uploads(after) => self.sweep_uploads(after.clone()).await,
        }
    }

    async fn sweep_parts(
        &mut self,
        number: usize,
        after: Option<BlobId>,
    ) -> Result<Step, crate::store::Error> {
        let Some(volume) = self.volumes.get(number) else {
            self.cursor = Cursor::Uploads(None);
            return Ok(Step::Busy);
        };
        let (last, removed) = self.store.sweep_volume(*volume, after, BATCH).await?;
        self.removed += removed;
        self.cursor = match last {
            Some(last) => Cursor::Volume(number, Some(last)),
            None => Cursor::Volume(number + 1, None),
        };
        Ok(Step::Busy)
    }

    async fn sweep_uploads(&mut self, after: Option<Key>) -> Result<Step, crate::store::Error> {
        let rows = self.store.ended_uploads(after, BATCH).await?;
        for (key, row) in &rows {
            let forgotten = match row.record.outcome {
                UploadOutcome::Aborted => true,
                UploadOutcome::Completed { .. } => self.clock.now().since(row.record.at) > COMPLETED_KEPT,
            };
            if forgotten {
                self.store.forget_upload(key, row).await?;
            }
        }
        if let Some((key, _)) = rows.last() {
            self.cursor = Cursor::Uploads(Some(key.clone()));
            return Ok(Step::Busy);
        }
        if self.removed > 0 {
            tracing::info!(removed = self.removed, "part files that no object named were removed");
        }
        self.removed = 0;
        self.cursor = Cursor::Volume(0, None);
        Ok(Step::Idle)
    }
}

impl Job for Sweep {
    fn name(&self) -> &'static str {
        "sweep"
    }

    fn pause(&self) -> Duration {
        self.pause
    }

    fn step(&mut self) -> Running<'_> {
        Box::pin(self.advance())
    }
}
