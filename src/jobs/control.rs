//! The handle between a job and whoever watches or commands it: pace, pause, progress.
//!
//! Three things hold a job back, and all of them can change while it runs: the rate that an operator set, the rate that
//! the job chose for itself (a scrub that is spread over days), and clients: while there are any, a job rests for a
//! multiple of the time it worked.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use super::board::Command;
use super::board::JobStatus;
use super::board::State;
use super::worker::Step;
use crate::base::Timestamp;
use crate::meta::records;
use crate::store::Error;
use crate::store::Pace;
use crate::store::Traffic;
use crate::sys::clock::Clock;

/// After a failed step: long enough not to fill the log, short enough to notice that the fault has gone.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(10);

/// What was saved up while a job did not use its rate: a tenth of a second of it.
const SAVED_MAX: Duration = Duration::from_millis(100);

/// How far a pass has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes that are done.
    pub done_bytes: u64,
    /// Bytes there are; 0 when that is not known.
    pub total_bytes: u64,
    /// Files, blobs or rows that are done.
    pub done_items: u64,
    /// Files, blobs or rows there are; 0 when that is not known.
    pub total_items: u64,
}

/// What a job and its watchers share.
pub struct Control {
    name: &'static str,
    /// How long it rests for the time it worked while there are clients.
    yields: u32,
    traffic: Arc<Traffic>,
    clock: Arc<dyn Clock>,
    shared: Mutex<Shared>,
    changes: watch::Sender<()>,
}

struct Shared {
    rate: u64,
    /// What the job chose for itself; 0 for no limit.
    own_rate: u64,
    paused: bool,
    requested: bool,
    hurried: bool,
    state: State,
    progress: Progress,
    started: Option<Timestamp>,
    /// When this process began or took up the pass, and how far it was then.
    since: (Instant, Progress),
    last_finished: Option<Timestamp>,
    last_error: Option<String>,
    /// Until then the rate has been used up.
    spent_until: Instant,
}

impl Control {
    /// The control of one job.
    pub fn new(name: &'static str, yields: u32, traffic: Arc<Traffic>, clock: Arc<dyn Clock>) -> Self {
        let now = Instant::now();
        let shared = Shared {
            rate: 0,
            own_rate: 0,
            paused: false,
            requested: false,
            hurried: false,
            state: State::Idle,
            progress: Progress::default(),
            started: None,
            since: (now, Progress::default()),
            last_finished: None,
            last_error: None,
            spent_until: now,
        };
        Self { name, yields, traffic, clock, shared: Mutex::new(shared), changes: watch::channel(()).0 }
    }

    /// The job's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The job as it is now.
    pub fn status(&self) -> JobStatus {
        let shared = self.shared.lock();
        let Progress { done_bytes, total_bytes, done_items, total_items } = shared.progress;
        let state = if shared.paused { State::Paused } else { shared.state };
        JobStatus {
            name: self.name,
            state,
            rate_bytes_per_second: shared.rate,
            done_bytes,
            total_bytes,
            done_items,
            total_items,
            started: shared.started,
            eta_seconds: (state == State::Running).then(|| shared.eta_seconds()).flatten(),
            last_finished: shared.last_finished,
            last_error: shared.last_error.clone(),
        }
    }

    pub(super) fn command(&self, command: Command) {
        let mut shared = self.shared.lock();
        match command {
            Command::Start => {
                shared.requested = true;
                shared.paused = false;
            }
            Command::Pause => shared.paused = true,
            Command::Resume => shared.paused = false,
            Command::Rate(rate) => shared.rate = rate,
        }
        // What was owed at the old rate is forgotten: whoever waits counts anew.
        shared.spent_until = Instant::now();
        drop(shared);
        self.changes.send_replace(());
    }

    /// A pass begins, or goes on where an earlier process left it.
    pub fn begin(&self, progress: Progress) {
        let mut shared = self.shared.lock();
        shared.state = State::Running;
        shared.started = Some(self.clock.now());
        shared.progress = progress;
        shared.since = (Instant::now(), progress);
    }

    /// So much more of the pass is done.
    pub fn advance(&self, bytes: u64, items: u64) {
        let mut shared = self.shared.lock();
        shared.progress.done_bytes += bytes;
        shared.progress.done_items += items;
    }

    /// There is so much to do in this pass, as was found out since it began.
    pub fn set_total(&self, bytes: u64, items: u64) {
        let mut shared = self.shared.lock();
        shared.progress.total_bytes = bytes;
        shared.progress.total_items = items;
    }

    /// How far the pass has got.
    pub fn progress(&self) -> Progress {
        self.shared.lock().progress
    }

    /// The rate that the job chooses for itself, in bytes a second, beside that of the operator; 0 for no limit.
    pub fn set_own_rate(&self, rate: u64) {
        self.shared.lock().own_rate = rate;
    }

    /// Whether somebody has asked for a pass since the last call; such a pass is not spread over days.
    pub fn take_request(&self) -> bool {
        let mut shared = self.shared.lock();
        let requested = std::mem::take(&mut shared.requested);
        shared.hurried |= requested;
        requested
    }

    /// Whether somebody waits for this pass.
    pub fn is_hurried(&self) -> bool {
        self.shared.lock().hurried
    }

    /// When the last pass came to its end, also before a restart.
    pub fn last_finished(&self) -> Option<Timestamp> {
        self.shared.lock().last_finished
    }

    /// Takes up what an earlier process kept.
    pub(super) fn restore(&self, row: &records::Job) {
        let mut shared = self.shared.lock();
        shared.rate = row.rate_bytes_per_second;
        shared.paused = row.paused;
        shared.last_finished = row.last_finished;
    }

    /// What the next process should know.
    pub(super) fn keep(&self, cursor: Vec<u8>) -> records::Job {
        let shared = self.shared.lock();
        records::Job {
            cursor,
            rate_bytes_per_second: shared.rate,
            paused: shared.paused,
            last_finished: shared.last_finished,
        }
    }

    /// Takes in how a step ended; returns how long to rest.
    pub(super) fn settle(&self, outcome: Result<Step, Error>, pause: Duration) -> Duration {
        let mut shared = self.shared.lock();
        match outcome {
            Ok(Step::Busy) => {
                shared.state = State::Running;
                Duration::ZERO
            }
            Ok(Step::Idle) => {
                // What looked and found nothing to do has not finished a pass.
                if shared.state == State::Running {
                    shared.last_finished = Some(self.clock.now());
                    shared.hurried = false;
                }
                shared.last_error = None;
                shared.state = State::Idle;
                pause
            }
            Err(error) => {
                shared.last_error = Some(error.to_string());
                shared.state = State::Failed;
                PAUSE_AFTER_ERROR
            }
        }
    }

    /// Waits while the job is paused.
    pub(super) async fn while_paused(&self) {
        let mut changes = self.changes.subscribe();
        while self.shared.lock().paused {
            // The sender is ours: it does not end.
            let _ = changes.changed().await;
        }
    }

    /// Hears of every command from now on.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Whether a pass was asked for that has not begun.
    pub(super) fn is_requested(&self) -> bool {
        self.shared.lock().requested
    }

    /// The pass that was asked for has begun, whether or not the job makes anything of it.
    pub(super) fn forget_request(&self) {
        self.shared.lock().requested = false;
    }

    /// Takes `bytes` out of the rate; until when to wait for them.
    fn reserve(&self, bytes: u64) -> Option<Instant> {
        let mut shared = self.shared.lock();
        let rate = match (shared.rate, shared.own_rate) {
            (0, own) => own,
            (rate, 0) => rate,
            (rate, own) => rate.min(own),
        };
        if rate == 0 {
            return None;
        }
        let now = Instant::now();
        let from =
            now.checked_sub(SAVED_MAX).map_or(shared.spent_until, |saved| shared.spent_until.max(saved));
        shared.spent_until = from + Duration::from_secs_f64(bytes as f64 / rate as f64);
        (shared.spent_until > now).then_some(shared.spent_until)
    }
}

impl Shared {
    fn eta_seconds(&self) -> Option<u64> {
        let (begun, at_begin) = self.since;
        let Progress { done_bytes, total_bytes, done_items, total_items } = self.progress;
        let (done, before, total) = match total_bytes {
            0 => (done_items, at_begin.done_items, total_items),
            _ => (done_bytes, at_begin.done_bytes, total_bytes),
        };
        let lately = done.checked_sub(before).filter(|lately| *lately > 0)?;
        let left = total.checked_sub(done)?;
        Some((begun.elapsed().as_secs_f64() * left as f64 / lately as f64) as u64)
    }
}

impl Pace for Control {
    fn spent(&self, bytes: u64, took: Duration) -> impl Future<Output = ()> {
        async move {
            if self.yields > 0 && self.traffic.is_busy() {
                tokio::time::sleep(took * self.yields).await;
            }
            let mut changes = self.changes.subscribe();
            while let Some(until) = self.reserve(bytes) {
                tokio::select! {
                    () = tokio::time::sleep_until(until) => break,
                    _ = changes.changed() => {}
                }
            }
            self.while_paused().await;
        }
    }
}
