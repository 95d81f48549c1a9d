//! The one door from async code to blocking threads.
//!
//! Each volume has a pool of its own, so that a disk that hangs takes only its own threads with it; metadata reads
//! that miss the cache and digests have theirs. Queues are bounded: a full one is an answer (`Overloaded`), not a
//! place to wait without end.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::TrySendError;
use tokio::sync::oneshot;

use super::Error;

/// Jobs that may wait in one pool. Each upload keeps at most three under way and each download two, so this
/// leaves room for well over a thousand of either.
const QUEUE_JOBS_MAX: usize = 8192;

type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of threads and a bounded queue before them. Dropping it lets the queued jobs finish.
pub(super) struct Pool {
    jobs: Sender<Job>,
    waiting: Receiver<Job>,
    name: String,
    threads: AtomicUsize,
    threads_max: usize,
}

impl Pool {
    /// A pool of up to `threads_max` threads, each started when a job finds none waiting for it.
    pub(super) fn new(name: impl Into<String>, threads_max: usize) -> Self {
        let (jobs, waiting) = crossbeam_channel::bounded(QUEUE_JOBS_MAX);
        Self { jobs, waiting, name: name.into(), threads: AtomicUsize::new(0), threads_max }
    }

    /// Runs `work` on a thread of the pool. The job runs even when the answer is no longer awaited.
    pub(super) fn start<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Running<T>, Error> {
        let (answer, running) = oneshot::channel();
        let job: Job = Box::new(move || {
            // The caller may have left: then nobody wants the answer.
            let _ = answer.send(work());
        });
        match self.jobs.try_send(job) {
            Ok(()) => {
                self.grow();
                Ok(Running(running))
            }
            Err(TrySendError::Full(_)) => Err(Error::Overloaded),
            Err(TrySendError::Disconnected(_)) => {
                Err(Error::internal("start", "the blocking pool has stopped"))
            }
        }
    }

    /// Runs `work` and waits for its answer.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.start(work)?.answer().await
    }

    /// Starts one more thread when jobs wait and the pool is not yet at its size.
    fn grow(&self) {
        if self.waiting.is_empty() && self.threads.load(Ordering::Relaxed) > 0 {
            return;
        }
        let started = self
            .threads
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < self.threads_max).then_some(n + 1));
        let Ok(number) = started else { return };
        let waiting = self.waiting.clone();
        let spawned = thread::Builder::new()
            .name(format!("{}-{number}", self.name))
            .stack_size(512 << 10)
            .spawn(move || waiting.iter().for_each(run_guarded));
        if let Err(error) = spawned {
            self.threads.fetch_sub(1, Ordering::Relaxed);
            tracing::warn!(pool = %self.name, %error, "no further blocking thread");
        }
    }
}

/// A job under way. Dropping it abandons the answer, not the job.
pub(super) struct Running<T>(oneshot::Receiver<T>);

impl<T> Running<T> {
    /// Waits for the job.
    pub(super) async fn answer(self) -> Result<T, Error> {
        self.0.await.map_err(|_| Error::internal("answer", "a blocking job ended without an answer"))
    }
}

/// A job that panics has said so and takes its answer with it; the thread lives on.
fn run_guarded(job: Job) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
}
