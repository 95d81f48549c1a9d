//! Keeps a replica of the metadata on each of up to three volumes: grows with them, and moves a vote away from a volume
//! that drains, is removed, or is absent for long.

use std::sync::Arc;
use std::time::Duration;

use super::Control;
use super::Progress;
use super::worker::Job;
use super::worker::Running;
use super::worker::Step;
use crate::meta::Role;
use crate::store::Error;
use crate::store::Store;

/// How often the replicas are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often while one is on its way.
const STEP_EVERY: Duration = Duration::from_secs(1);

/// Looks after the replicas, one step at a time.
pub struct Metadata {
    store: Arc<Store>,
    /// Bytes copied when it was last looked at; `None` while there is nothing to do.
    working: Option<u64>,
}

impl Metadata {
    /// It begins with a look.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, working: None }
    }

    async fn tend(&mut self, control: &Control) -> Result<Step, Error> {
        let has_more = self.store.tend_metadata().await?;
        let mut done_total = None;
        for replica in self.store.volumes().into_iter().filter_map(|volume| volume.metadata) {
            if let Role::Rebuilding { done_bytes, total_bytes } = replica.role {
                let (done, total) = done_total.get_or_insert((0, 0));
                *done += done_bytes;
                *total += total_bytes;
            }
        }
        if !has_more && done_total.is_none() {
            self.working = None;
            return Ok(Step::Idle);
        }
        let (done, total) = done_total.unwrap_or_default();
        match self.working.replace(done) {
            Some(before) => control.advance(done.saturating_sub(before), 0),
            None => control.begin(Progress { done_bytes: done, ..Progress::default() }),
        }
        control.set_total(total, 0);
        tokio::time::sleep(STEP_EVERY).await;
        Ok(Step::Busy)
    }
}

impl Job for Metadata {
    fn name(&self) -> &'static str {
        "metadata"
    }

    fn pause(&self) -> Duration {
        LOOK_EVERY
    }

    fn step<'a>(&'a mut self, control: &'a Control) -> Running<'a> {
        Box::pin(self.tend(control))
    }
}
