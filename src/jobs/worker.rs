//! The one shape of background work, and the thread that runs it.
//!
//! A job is a loop of bounded steps. A step may be cut off between any two of its commits (the process may die
//! there anyway), so each is written to be done again.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

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

    /// Does a bounded piece of work. Not cancelled from outside but by the end of the process.
    fn step(&mut self) -> Running<'_>;
}

/// After a failed step: long enough not to fill the log, short enough to notice that the fault has gone.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(10);

/// Runs the jobs on a thread of their own until [`Jobs::stop`].
pub struct Jobs {
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Jobs {
    /// Starts the jobs that `make` builds on their thread.
    pub fn start(make: impl FnOnce() -> Vec<Box<dyn Job>> + Send + 'static) -> std::io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new().name("jobs".to_owned()).spawn(move || {
            let tasks = tokio::task::LocalSet::new();
            let running = make().into_iter().map(|job| tasks.spawn_local(run(job, stopped.clone())));
            let running: Vec<_> = running.collect();
            let all = tasks.run_until(async {
                for task in running {
                    // A job that panicked has said so already; the others go on.
                    let _ = task.await;
                }
            });
            runtime.block_on(all);
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Lets every running step end, then returns.
    pub fn stop(mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn run(mut job: Box<dyn Job>, mut stopped: watch::Receiver<bool>) {
    let name: Arc<str> = job.name().into();
    while !*stopped.borrow() {
        let pause = match job.step().await {
            Ok(Step::Busy) => Duration::ZERO,
            Ok(Step::Idle) => job.pause(),
            Err(error) => {
                tracing::warn!(job = %name, %error, "a step failed and will be done again");
                PAUSE_AFTER_ERROR
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopped.changed() => {}
        }
    }
}
