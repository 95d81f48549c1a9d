//! The one shape of background work, and the thread that runs it.
//!
//! A job is a loop of bounded steps. A step may be cut off between any two of its commits (the process may die
//! there anyway, and a stop does the same), so each is written to be done again. What a job must know after a restart
//! (its cursor, its rate, whether it is paused) is kept in the row `system/job/<name>`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::board::Board;
use super::board::State;
use super::control::Control;
use crate::meta::records;
use crate::store::Store;
use crate::sys::clock::Clock;

/// What a step tells the runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is more to do now.
    Busy,
    /// Nothing to do until the pause has passed.
    Idle,
}

/// A step under way.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<Step, crate::store::Error>> + 'a>>;

/// Work that happens without a caller.
pub trait Job {
    /// Its name in logs and metrics.
    fn name(&self) -> &'static str;

    /// How long it rests when there is nothing to do.
    fn pause(&self) -> Duration;

    /// While there are clients, it rests for this many times as long as it worked; 0 for work too small to matter.
    fn yields(&self) -> u32 {
        0
    }

    /// Where the pass has got to; empty when it begins anew after a restart.
    fn cursor(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Takes up a pass at a cursor that an earlier process, perhaps of an earlier release, left. One that it cannot read
    /// begins anew.
    fn resume(&mut self, _cursor: &[u8]) {}

    /// Does a bounded piece of work, and tells `control` how much it read and wrote. It may be dropped at any point.
    fn step<'a>(&'a mut self, control: &'a Control) -> Running<'a>;
}

/// How old the kept cursor of a running job may be: what is done again after a crash.
const KEEP_EVERY: Duration = Duration::from_secs(30);

/// Runs the jobs on a thread of their own until [`Jobs::stop`].
pub struct Jobs {
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
    board: Arc<Board>,
}

impl Jobs {
    /// Starts the jobs that `make` builds on their thread.
    pub fn start(
        store: Arc<Store>,
        clock: Arc<dyn Clock>,
        make: impl FnOnce() -> Vec<Box<dyn Job>> + Send + 'static,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let board = Arc::new(Board::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let (ready, made) = std::sync::mpsc::channel();
        let shown = Arc::clone(&board);
        let thread = std::thread::Builder::new().name("jobs".to_owned()).spawn(move || {
            let tasks = tokio::task::LocalSet::new();
            let mut running = Vec::new();
            for job in make() {
                let control = Control::new(job.name(), job.yields(), store.traffic(), Arc::clone(&clock));
                let control = Arc::new(control);
                shown.add(Arc::clone(&control));
                let keeper = Keeper { store: Arc::clone(&store), kept: None, at: Instant::now() };
                running.push(tasks.spawn_local(run(job, control, keeper, stopped.clone())));
            }
            drop(store);
            // Nobody listens when the caller has given up.
            let _ = ready.send(());
            let all = tasks.run_until(async {
                for task in running {
                    // A job that panicked has said so already; the others go on.
                    let _ = task.await;
                }
            });
            runtime.block_on(all);
        })?;
        // From here on every job can be commanded. It fails only when the thread has died.
        let _ = made.recv();
        Ok(Self { stop, thread: Some(thread), board })
    }

    /// The jobs as they are now.
    pub fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }

    /// Cuts every running step off between two of its commits, writes down how far the jobs have got, then returns.
    pub fn stop(mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn run(
    mut job: Box<dyn Job>,
    control: Arc<Control>,
    mut keeper: Keeper,
    mut stopped: watch::Receiver<bool>,
) {
    tokio::select! {
        row = keeper.load(control.name()) => if let Some(row) = row {
            control.restore(&row);
            job.resume(&row.cursor);
        },
        _ = stopped.changed() => return,
    }
    while !*stopped.borrow() {
        let mut changes = control.changes();
        let step = async {
            control.while_paused().await;
            job.step(&control).await
        };
        let asked = control.is_requested();
        let outcome = tokio::select! {
            biased;
            _ = stopped.changed() => break,
            outcome = step => outcome,
        };
        if let Err(error) = &outcome {
            tracing::warn!(job = control.name(), %error, "a step failed and will be done again");
        }
        if asked {
            // It has had its chance to take it.
            control.forget_request();
        }
        let rest = control.settle(outcome, job.pause());
        keeper.tell(&control);
        keeper.keep(job.as_ref(), &control, rest > Duration::ZERO).await;
        let until = Instant::now() + rest;
        tokio::task::yield_now().await;
        while !control.is_requested() && Instant::now() < until && !*stopped.borrow() {
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                _ = changes.changed() => {
                    keeper.tell(&control);
                    keeper.keep(job.as_ref(), &control, true).await;
                }
                _ = stopped.changed() => {}
            }
        }
    }
    keeper.keep(job.as_ref(), &control, true).await;
}

/// Writes down what a job must know after a restart, when that has changed.
struct Keeper {
    store: Arc<Store>,
    kept: Option<records::Job>,
    at: Instant,
}

impl Keeper {
    async fn load(&mut self, name: &'static str) -> Option<records::Job> {
        match self.store.job(name).await {
            Ok(row) => self.kept = row,
            Err(error) => tracing::warn!(job = name, %error, "it begins anew: its row cannot be read"),
        }
        self.kept.clone()
    }

    /// Tells the metrics what the job does.
    fn tell(&self, control: &Control) {
        let states = [State::Idle, State::Running, State::Paused, State::Failed].map(State::name);
        self.store.metrics().job_state(control.name(), control.status().state.name(), &states);
    }

    /// Keeps what has changed: settings at once, the rest when the job rests or now and then.
    async fn keep(&mut self, job: &dyn Job, control: &Control, rests: bool) {
        let row = control.keep(job.cursor());
        let kept = self.kept.get_or_insert_default();
        let settings = |row: &records::Job| (row.rate_bytes_per_second, row.paused);
        let due = settings(kept) != settings(&row) || self.at.elapsed() >= KEEP_EVERY;
        // What drains a queue all the time writes no row for each end of it.
        let due = due || (rests && kept.cursor != row.cursor);
        if !due || *kept == row {
            return;
        }
        self.at = Instant::now();
        match self.store.keep_job(control.name(), &row).await {
            Ok(()) => *kept = row,
            Err(error) => tracing::debug!(job = control.name(), %error, "its row could not be written"),
        }
    }
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
