//! The reclaimer: unlinks blobs whose last reference has gone, once no running read can still want them.

use std::sync::Arc;
use std::time::Duration;

use super::Control;
use super::worker::Job;
use super::worker::Running;
use super::worker::Step;
use crate::meta::Key;
use crate::store::Store;

/// Rows looked at in one step.
const BATCH: usize = 256;

/// Drains the reclaim rows.
pub struct Reclaimer {
    store: Arc<Store>,
    /// Behind rows that running reads still hold, in this pass.
    after: Option<Key>,
}

impl Reclaimer {
    /// A reclaimer that begins with the oldest row.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, after: None }
    }

    async fn drain(&mut self) -> Result<Step, crate::store::Error> {
        let rows = self.store.reclaimable(self.after.take(), BATCH).await?;
        let full = rows.len() == BATCH;
        let mut failed = None;
        for (key, row) in &rows {
            match self.store.reclaim(key, row).await {
                Ok(true) => {}
                Ok(false) => tracing::debug!(blob = %row.record.blob, "still being read"),
                // The row stays, and the others go on: a volume that is away must not hold back the rest.
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        self.after = full.then(|| rows.last().map(|(key, _)| key.clone())).flatten();
        match failed {
            Some(error) if !full => Err(error),
            _ => Ok(if full { Step::Busy } else { Step::Idle }),
        }
    }
}

impl Job for Reclaimer {
    fn name(&self) -> &'static str {
        "reclaim"
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(500)
    }

    fn step<'a>(&'a mut self, _control: &'a Control) -> Running<'a> {
        Box::pin(self.drain())
    }
}
