//! Rebalance: counts every copy, puts what is missing on the repair queue, and moves what lies elsewhere to its home. A
//! volume that is being drained is nobody's home, so it is emptied the same way.
//!
//! It counts after a start, when volumes come, go or come back, and once a day. Nothing is kept over a restart: the first
//! thing it does is to count again.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::Control;
use super::Progress;
use super::worker::Job;
use super::worker::Running;
use super::worker::Step;
use crate::base::BlobId;
use crate::store::Census;
use crate::store::Error;
use crate::store::Outcome;
use crate::store::Placement;
use crate::store::Store;
use crate::sys::clock::Clock;

/// Directories of each volume; a blob's is the first byte of its id.
const SHARDS: u16 = 256;

/// Blobs moved at once.
const AT_ONCE: usize = 4;

/// Blobs moved in one step.
const BATCH: usize = 64;

/// How often copies are counted when nothing has happened.
const COUNT_EVERY: Duration = Duration::from_secs(24 * 3600);

/// A volume that comes and goes, or that cannot be read to its end, is counted this often at the most.
const RECOUNT_AFTER: Duration = Duration::from_secs(10);

/// When some could not be moved, it is tried again after this.
const TRY_AGAIN: Duration = Duration::from_secs(600);

/// Counts copies and moves them home.
pub struct Rebalance {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    phase: Phase,
    /// What the last census was taken of.
    counted: Option<Placement>,
    /// When the last began to be taken.
    began: Instant,
    /// Whether copies were left that could not be moved.
    left: bool,
}

enum Phase {
    Resting,
    Counting { census: Box<Census>, shard: u16 },
    Moving { census: Box<Census>, shard: u16, waiting: Vec<BlobId>, moved: u64, left: u64 },
}

impl Rebalance {
    /// A job that begins to count with its next step.
    pub fn new(store: Arc<Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, phase: Phase::Resting, counted: None, began: Instant::now(), left: false }
    }

    async fn advance(&mut self, control: &Control) -> Result<Step, Error> {
        if control.take_request() {
            self.phase = Phase::Resting;
            self.counted = None;
        }
        // Where copies belong has changed under it: what it knows is worth nothing any more.
        let placement = self.store.placement();
        let before = match &self.phase {
            Phase::Resting => self.counted.as_ref(),
            Phase::Counting { census, .. } | Phase::Moving { census, .. } => Some(census.placement()),
        };
        let is_outdated = before.is_none_or(|before| match placement.has_come_back(before) {
            true => self.began.elapsed() >= RECOUNT_AFTER,
            false => placement.has_moved_on(before),
        });
        if is_outdated || (matches!(self.phase, Phase::Resting) && self.is_due(control)) {
            let total_items = u64::from(SHARDS);
            control.begin(Progress { total_items, ..Progress::default() });
            self.began = Instant::now();
            self.phase = Phase::Counting { census: Box::new(self.store.begin_census()), shard: 0 };
        }
        match std::mem::replace(&mut self.phase, Phase::Resting) {
            Phase::Resting => Ok(Step::Idle),
            Phase::Counting { census, shard } => self.count(census, shard, control).await,
            moving @ Phase::Moving { .. } => {
                self.phase = moving;
                self.move_some(control).await
            }
        }
    }

    fn is_due(&self, control: &Control) -> bool {
        let rest = if self.left { TRY_AGAIN } else { COUNT_EVERY };
        control.last_finished().is_none_or(|at| self.clock.now().since(at) >= rest)
    }

    async fn count(&mut self, mut census: Box<Census>, shard: u16, control: &Control) -> Result<Step, Error> {
        if shard < SHARDS {
            // An error leaves the phase at rest, and the count begins anew.
            self.store.census_shard(&mut census, shard as u8).await?;
            control.advance(0, 1);
            // Not paced: what is missing has to be known soon, and this lists a directory of each volume.
            self.phase = Phase::Counting { census, shard: shard + 1 };
            return Ok(Step::Busy);
        }
        let census = self.store.keep_census(*census);
        self.counted = Some(census.placement().clone());
        self.left = false;
        if census.filed() > 0 {
            tracing::info!(blobs = census.filed(), "blobs with too few copies were put on the repair queue");
        }
        if census.misplaced() == 0 {
            return Ok(Step::Idle);
        }
        tracing::info!(copies = census.misplaced(), bytes = census.misplaced_bytes(), "copies move home");
        let (total_bytes, total_items) = (census.misplaced_bytes(), census.misplaced());
        control.begin(Progress { total_bytes, total_items, ..Progress::default() });
        let census = Box::new(self.store.begin_census());
        self.phase = Phase::Moving { census, shard: 0, waiting: Vec::new(), moved: 0, left: 0 };
        Ok(Step::Busy)
    }

    async fn move_some(&mut self, control: &Control) -> Result<Step, Error> {
        let Phase::Moving { census, shard, waiting, moved, left } = &mut self.phase else {
            return Ok(Step::Idle);
        };
        if waiting.is_empty() {
            if *shard == SHARDS {
                self.left = *left > 0;
                let (moved, left) = (*moved, *left);
                tracing::info!(moved, left, "copies have moved home");
                // What there is now is counted, unless nothing came of it.
                self.phase = Phase::Resting;
                if moved > 0 {
                    self.counted = None;
                    return Ok(Step::Busy);
                }
                return Ok(Step::Idle);
            }
            *waiting = self.store.census_shard(census, *shard as u8).await?;
            *shard += 1;
            return Ok(Step::Busy);
        }
        let some: Vec<BlobId> = waiting[waiting.len().saturating_sub(BATCH)..].to_vec();
        let store = Arc::clone(&self.store);
        let restore = |blob: BlobId| {
            let store = &store;
            async move { store.restore(blob, control).await }
        };
        let mut moving = stream::iter(some.iter().copied().map(restore)).buffer_unordered(AT_ONCE);
        while let Some(restored) = moving.next().await {
            let restored = restored?;
            control.advance(restored.bytes, restored.removed as u64);
            match restored.outcome {
                Outcome::Unnamed => {}
                // One that is left elsewhere with nothing done about it would be found again and again.
                Outcome::Whole if restored.copies + restored.removed + restored.quarantined > 0 => {
                    *moved += 1
                }
                _ => *left += 1,
            }
        }
        waiting.truncate(waiting.len() - some.len());
        Ok(Step::Busy)
    }
}

impl Job for Rebalance {
    fn name(&self) -> &'static str {
        "rebalance"
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(250)
    }

    fn yields(&self) -> u32 {
        4
    }

    fn step<'a>(&'a mut self, control: &'a Control) -> Running<'a> {
        Box::pin(self.advance(control))
    }
}
