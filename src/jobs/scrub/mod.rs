//! Scrub: reads every copy on every volume, and every replica of the metadata, to its end and verifies it, so that damage is found while there are other
//! copies. A pass is spread over days, unless somebody asks for one.
//!
//! Ids are random, so a pass that has done half of the directories has done half of the bytes: that is how it knows how
//! fast it must be.

mod cursor;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;

use crate::base::BlobId;
use crate::base::VolumeId;
use crate::jobs::control::Control;
use crate::jobs::control::Progress;
use crate::jobs::worker::Job;
use crate::jobs::worker::Running;
use crate::jobs::worker::Step;
use crate::store::Error;
use crate::store::Scrubbed;
use crate::store::Store;
use crate::store::Verdict;
use crate::sys::clock::Clock;

/// Directories of each volume.
const SHARDS: u16 = 256;

/// Files of each volume read in one step, and at once.
const BATCH: usize = 128;
const AT_ONCE: usize = 3;

/// As slow as a pass may be, in bytes a second: with little data there is no need to spread it further.
const RATE_MIN: u64 = 4 << 20;

/// It aims at a pass that is this much shorter than allowed.
const MARGIN_PERCENT: u64 = 80;

/// Reads and verifies every copy.
pub struct Scrub {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    interval: Duration,
    pass: Option<Pass>,
    last: Option<Scrubbed>,
}

/// A pass under way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Pass {
    found: Scrubbed,
    lanes: Vec<Lane>,
    /// Replicas of the metadata that are not verified yet, once the volumes are done; not kept over a restart.
    replicas: Option<Vec<String>>,
    /// Whether this process has begun or taken it up.
    is_begun: bool,
}

/// A volume in a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lane {
    volume: VolumeId,
    /// The directory that is read next, or now; behind the last when the volume is done.
    shard: u16,
    /// Files of this directory up to here are done.
    after: Option<BlobId>,
    /// Files of it that are not done.
    waiting: VecDeque<BlobId>,
    is_listed: bool,
}

/// What a step found on one volume.
#[derive(Default)]
struct Read {
    files: u64,
    bytes: u64,
    bad: u64,
    unread: u64,
}

impl Scrub {
    /// A scrub that takes up to `interval` for a pass, and begins one when the last is so old.
    pub fn new(store: Arc<Store>, clock: Arc<dyn Clock>, interval: Duration) -> Self {
        Self { store, clock, interval, pass: None, last: None }
    }

    async fn advance(&mut self, control: &Control) -> Result<Step, Error> {
        if control.take_request() {
            self.pass = None;
            self.begin(control);
        } else if self.pass.is_none() && self.is_due() {
            self.begin(control);
        }
        let Some(pass) = &mut self.pass else { return Ok(Step::Idle) };
        if !pass.is_begun {
            pass.is_begun = true;
            control.begin(pass.progress());
        }
        control.set_own_rate(if control.is_hurried() { 0 } else { pass.rate(self.interval) });
        let store = &self.store;
        let reads = join_all(pass.lanes.iter_mut().map(|lane| lane.read_some(store, control))).await;
        for read in reads {
            let Read { files, bytes, bad, unread } = read?;
            let found = &mut pass.found;
            (found.files, found.bytes) = (found.files + files, found.bytes + bytes);
            (found.bad, found.unread) = (found.bad + bad, found.unread + unread);
        }
        let now = pass.progress();
        let before = control.progress();
        control.set_total(now.total_bytes, now.total_items);
        control.advance(now.done_bytes - before.done_bytes, now.done_items - before.done_items);
        if !pass.lanes.iter().all(Lane::is_done) {
            return Ok(Step::Busy);
        }
        // Metadata last: it is small, and read whole in one step for each replica.
        if let Some(replica) = pass.replicas.get_or_insert_with(|| store.open_replicas()).pop() {
            match store.verify_replica(replica, control).await {
                Some((bytes, bad)) => {
                    pass.found.bytes += bytes;
                    pass.found.bad += bad;
                }
                None => pass.found.unread += 1,
            }
            return Ok(Step::Busy);
        }
        let scrubbed = Scrubbed { ended: self.clock.now(), ..pass.found };
        let Scrubbed { files, bytes, bad, unread, .. } = scrubbed;
        tracing::info!(files, bytes, bad, unread, "every copy was read");
        self.store.set_scrubbed(scrubbed);
        (self.last, self.pass) = (Some(scrubbed), None);
        Ok(Step::Idle)
    }

    fn is_due(&self) -> bool {
        self.last.is_none_or(|last| self.clock.now().since(last.began) >= self.interval)
    }

    fn begin(&mut self, control: &Control) {
        let lane = |volume: VolumeId| Lane {
            volume,
            shard: 0,
            after: None,
            waiting: VecDeque::new(),
            is_listed: false,
        };
        let found = Scrubbed { began: self.clock.now(), ..Scrubbed::default() };
        let lanes = self.store.volume_ids().into_iter().map(lane).collect();
        let pass = Pass { found, lanes, replicas: None, is_begun: true };
        control.begin(pass.progress());
        self.pass = Some(pass);
    }
}

impl Pass {
    fn progress(&self) -> Progress {
        let total_items = self.lanes.len() as u64 * u64::from(SHARDS);
        let done_items = self.lanes.iter().map(|lane| u64::from(lane.shard)).sum();
        let done_bytes = self.found.bytes;
        let total_bytes = match done_items {
            0 => 0,
            done => (u128::from(done_bytes) * u128::from(total_items) / u128::from(done)) as u64,
        };
        Progress { done_bytes, total_bytes: total_bytes.max(done_bytes), done_items, total_items }
    }

    /// Bytes in a second at which the pass takes as long as it may.
    fn rate(&self, interval: Duration) -> u64 {
        let seconds = (interval.as_secs() * MARGIN_PERCENT / 100).max(1);
        (self.progress().total_bytes / seconds).max(RATE_MIN)
    }
}

impl Lane {
    const fn is_done(&self) -> bool {
        self.shard >= SHARDS
    }

    async fn read_some(&mut self, store: &Store, control: &Control) -> Result<Read, Error> {
        let mut read = Read::default();
        // Empty directories are passed by, as far as the step goes.
        for _ in 0..SHARDS {
            if self.is_done() || !self.waiting.is_empty() {
                break;
            }
            if self.is_listed {
                (self.shard, self.after, self.is_listed) = (self.shard + 1, None, false);
                continue;
            }
            let Some(listed) = store.list_shard(self.volume, self.shard as u8).await else {
                // Away: what is left of it is not known to be good.
                read.unread += 1;
                self.shard = SHARDS;
                break;
            };
            let after = self.after;
            self.waiting = listed.into_iter().filter(|id| after.is_none_or(|after| *id > after)).collect();
            self.is_listed = true;
        }
        let some: Vec<BlobId> = self.waiting.iter().copied().take(BATCH).collect();
        let volume = self.volume;
        let verify = |blob: BlobId| async move { store.verify_copy(volume, blob, control).await };
        let mut verdicts = stream::iter(some.iter().copied().map(verify)).buffer_unordered(AT_ONCE);
        while let Some(verdict) = verdicts.next().await {
            let (verdict, bytes) = verdict?;
            read.bytes += bytes;
            match verdict {
                Verdict::Good => read.files += 1,
                Verdict::Bad => (read.files, read.bad) = (read.files + 1, read.bad + 1),
                Verdict::Nothing => {}
                Verdict::Unread => read.unread += 1,
            }
        }
        drop(verdicts);
        self.waiting.drain(..some.len());
        self.after = some.last().copied().or(self.after);
        if self.waiting.is_empty() && self.is_listed {
            (self.shard, self.after, self.is_listed) = (self.shard + 1, None, false);
        }
        Ok(read)
    }
}

impl Job for Scrub {
    fn name(&self) -> &'static str {
        "scrub"
    }

    fn pause(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn yields(&self) -> u32 {
        4
    }

    fn cursor(&self) -> Vec<u8> {
        cursor::encode(self.last.as_ref(), self.pass.as_ref())
    }

    fn resume(&mut self, cursor: &[u8]) {
        (self.last, self.pass) = cursor::decode(cursor).unwrap_or_default();
        if let Some(last) = self.last {
            self.store.set_scrubbed(last);
        }
    }

    fn step<'a>(&'a mut self, control: &'a Control) -> Running<'a> {
        Box::pin(self.advance(control))
    }
}

#[cfg(test)]
mod tests;
