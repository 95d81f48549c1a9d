//! Repair: drains the queue of blobs that have fewer good copies than they should, the most endangered first.
//!
//! A pass goes over the rows once for each number of missing copies, the largest first, and looks now and then whether
//! worse ones have come in. What cannot be repaired now (its volume is away, nothing good is left of it) rests for a while,
//! or until a volume comes back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::Instant;

use super::Control;
use super::Progress;
use super::worker::Job;
use super::worker::Running;
use super::worker::Step;
use crate::base::BlobId;
use crate::meta::Key;
use crate::store::Error;
use crate::store::Outcome;
use crate::store::Placement;
use crate::store::Redundancy;
use crate::store::Restored;
use crate::store::Store;

/// Rows looked at in one step.
const BATCH: usize = 256;

/// Blobs restored at once: enough to keep the disks busy with small ones.
const AT_ONCE: usize = 24;

/// The same while there are clients, whose requests wait behind these on the threads of each volume.
const AT_ONCE_BESIDE_CLIENTS: usize = 12;

/// How long a blob rests that could not be repaired: at first, and at the most; twice as long each time.
const REST_MIN: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(60);

/// Blobs that rest are remembered up to this number, about 8 MiB; more are tried again with every pass.
const RESTING_MAX: usize = 200_000;

/// The queue is counted anew this often, to notice worse blobs and to tell the metrics; a long one less often.
const COUNT_EVERY: Duration = Duration::from_secs(10);
const COUNT_COST_MAX: u32 = 20;

/// Drains the repair queue.
pub struct Repair {
    store: Arc<Store>,
    pass: Option<Pass>,
    resting: HashMap<BlobId, Rest>,
    placement: Placement,
    /// When the queue was counted last, and when it is counted next.
    counted: Option<Counted>,
}

/// How long a blob is left alone.
#[derive(Clone, Copy)]
struct Rest {
    until: Instant,
    span: Duration,
}

struct Counted {
    queue: Redundancy,
    next: Instant,
}

/// A pass over the queue.
struct Pass {
    /// Blobs that miss so many copies are restored now.
    level: usize,
    after: Option<Key>,
    repaired: u64,
    failed: u64,
}

impl Repair {
    /// A job that begins with the next step.
    pub fn new(store: Arc<Store>) -> Self {
        let placement = store.placement();
        Self { store, pass: None, resting: HashMap::new(), placement, counted: None }
    }

    async fn advance(&mut self, control: &Control) -> Result<Step, Error> {
        let requested = control.take_request();
        self.wake_resting(requested);
        let begins = self.pass.is_none() && self.has_rows().await?;
        if self.pass.is_some() || begins || self.is_count_due() {
            self.count(requested || begins).await?;
        }
        if begins {
            self.begin(control);
        }
        let Some(pass) = &mut self.pass else { return Ok(Step::Idle) };
        let rows = self.store.repairs(pass.after.clone(), BATCH).await?;
        let (level, is_last) = (pass.level, rows.len() < BATCH);
        let now = Instant::now();
        let due = rows.iter().map(|(_, row)| &row.record).filter(|repair| {
            let rests = self.resting.get(&repair.blob).is_some_and(|rest| rest.until > now);
            usize::from(repair.missing) == level && !rests
        });
        let due: Vec<BlobId> = due.map(|repair| repair.blob).collect();
        // A step that is cut off begins again with the same rows, less those that are done.
        self.restore(&due, control).await?;
        let Some(pass) = &mut self.pass else { return Ok(Step::Idle) };
        pass.after = rows.into_iter().last().map(|(key, _)| key);
        if !is_last {
            return Ok(Step::Busy);
        }
        (pass.level, pass.after) = (level.saturating_sub(1), None);
        Ok(if level <= 1 { self.end() } else { Step::Busy })
    }

    /// What rests may be repaired after all when somebody asks for it, or when a volume has come or come back.
    fn wake_resting(&mut self, requested: bool) {
        let placement = self.store.placement();
        if requested || placement.has_moved_on(&self.placement) {
            self.resting.clear();
        }
        self.placement = placement;
    }

    /// Whether there may be a row that does not rest.
    async fn has_rows(&self) -> Result<bool, Error> {
        // Rows that rest are on the queue still: one more than them is work.
        let now = Instant::now();
        let resting = self.resting.values().filter(|rest| rest.until > now).count();
        match resting {
            0 => Ok(!self.store.repairs(None, 1).await?.is_empty()),
            resting if self.is_count_due() => {
                Ok(self.store.redundancy().await?.queued() > resting as u64 || self.resting.len() > resting)
            }
            _ => Ok(false),
        }
    }

    fn is_count_due(&self) -> bool {
        self.counted.as_ref().is_none_or(|counted| counted.next <= Instant::now())
    }

    async fn count(&mut self, now: bool) -> Result<(), Error> {
        if !now && !self.is_count_due() {
            return Ok(());
        }
        let begun = Instant::now();
        let queue = self.store.redundancy().await?;
        let next = Instant::now() + COUNT_EVERY.max(begun.elapsed() * COUNT_COST_MAX);
        let worst = queue.queue_by_missing.len().saturating_sub(1);
        // Worse blobs than those that are being restored have come in: they go first.
        if let Some(pass) = &mut self.pass
            && worst > pass.level
            && self.counted.as_ref().is_some_and(|before| before.queue.queue_by_missing.len() <= worst)
        {
            (pass.level, pass.after) = (worst, None);
        }
        self.counted = Some(Counted { queue, next });
        Ok(())
    }

    fn begin(&mut self, control: &Control) {
        let Some(counted) = &self.counted else { return };
        let queue = &counted.queue;
        control.begin(Progress { total_items: queue.queued(), ..Progress::default() });
        // A row may say that nothing is missing, when it was written by a later release: it is looked at as well.
        let level = queue.queue_by_missing.len().saturating_sub(1).max(1);
        self.pass = Some(Pass { level, after: None, repaired: 0, failed: 0 });
        let now = Instant::now();
        self.resting.retain(|_, rest| rest.until + REST_MAX > now);
    }

    async fn restore(&mut self, blobs: &[BlobId], control: &Control) -> Result<(), Error> {
        let at_once = if self.store.traffic().is_busy() { AT_ONCE_BESIDE_CLIENTS } else { AT_ONCE };
        let store = Arc::clone(&self.store);
        let restore = |blob: BlobId| {
            let store = &store;
            async move { (blob, store.restore(blob, control).await) }
        };
        let mut restoring = stream::iter(blobs.iter().copied().map(restore)).buffer_unordered(at_once);
        let mut failed = None;
        while let Some((blob, restored)) = restoring.next().await {
            match restored {
                Ok(restored) => self.note(blob, restored, control),
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn note(&mut self, blob: BlobId, restored: Restored, control: &Control) {
        control.advance(restored.bytes, 1);
        let Some(pass) = &mut self.pass else { return };
        match restored.outcome {
            Outcome::Whole | Outcome::Misplaced => {
                self.resting.remove(&blob);
                pass.repaired += 1;
            }
            Outcome::Unnamed | Outcome::InHand => {}
            Outcome::Short(_) | Outcome::Lost => {
                pass.failed += 1;
                if self.resting.len() < RESTING_MAX {
                    let before = self.resting.get(&blob).map_or(REST_MIN / 2, |rest| rest.span);
                    let span = REST_MAX.min(before * 2);
                    self.resting.insert(blob, Rest { until: Instant::now() + span, span });
                }
            }
        }
    }

    fn end(&mut self) -> Step {
        let (repaired, failed) = self.pass.take().map_or((0, 0), |pass| (pass.repaired, pass.failed));
        if repaired > 0 {
            tracing::info!(repaired, waiting = failed, "blobs were repaired");
        } else if failed > 0 {
            tracing::debug!(waiting = failed, "nothing could be repaired now");
        }
        // The metrics are to say so soon.
        if let Some(counted) = &mut self.counted {
            counted.next = Instant::now();
        }
        // Others may have come in while these were repaired: a census files them as it goes.
        if repaired > 0 { Step::Busy } else { Step::Idle }
    }
}

impl Job for Repair {
    fn name(&self) -> &'static str {
        "repair"
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(250)
    }

    fn yields(&self) -> u32 {
        1
    }

    fn step<'a>(&'a mut self, control: &'a Control) -> Running<'a> {
        Box::pin(self.advance(control))
    }
}
