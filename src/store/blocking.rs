//! The one door from async code to blocking threads.
//!
//! Each volume has a pool of its own, so that a disk that hangs takes only its own threads with it; metadata reads
//! that miss the cache and digests have theirs. Queues are bounded: a full one is an answer (`Overloaded`), not a
//! place to wait without end. Whoever stops waiting takes a job that has not begun out of the queue, with everything
//! the job holds.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::TrySendError;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::Error;

/// Jobs that may wait in one pool. Each upload keeps at most three under way and each download two, so this
/// leaves room for well over a thousand of either.
const QUEUE_JOBS_MAX: usize = 8192;

type Work = Box<dyn FnOnce() + Send>;

/// Work in a queue; empty once it has begun or nobody wants it any more.
type Job = Arc<Mutex<Option<Work>>>;

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
        let (answer, _) = self.submit(work)?;
        Ok(Running { answer, job: None })
    }

    /// Runs `work` on a thread of the pool, unless the answer is given up before it has begun.
    pub(super) fn start_wanted<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Running<T>, Error> {
        let (answer, job) = self.submit(work)?;
        Ok(Running { answer, job: Some(Withdraw(job)) })
    }

    fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(oneshot::Receiver<T>, Job), Error> {
        let (sender, answer) = oneshot::channel();
        let job = self.enqueue(Box::new(move || {
            // The caller may have left: then nobody wants the answer.
            let _ = sender.send(work());
        }))?;
        Ok((answer, job))
    }

    /// Whether no more jobs can wait.
    pub(super) fn is_full(&self) -> bool {
        self.jobs.is_full()
    }

    fn enqueue(&self, work: Work) -> Result<Job, Error> {
        let job = Arc::new(Mutex::new(Some(work)));
        match self.jobs.try_send(Arc::clone(&job)) {
            Ok(()) => {
                self.grow();
                Ok(job)
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
        self.start_wanted(work)?.answer().await
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

/// A job that is queued or under way. Dropping it gives the answer up.
pub(super) struct Running<T> {
    answer: oneshot::Receiver<T>,
    job: Option<Withdraw>,
}

impl<T> Running<T> {
    /// A job that somebody else answers.
    pub(super) const fn of(answer: oneshot::Receiver<T>) -> Self {
        Self { answer, job: None }
    }

    /// Waits for the job.
    pub(super) async fn answer(self) -> Result<T, Error> {
        let Self { answer, job } = self;
        let answer =
            answer.await.map_err(|_| Error::internal("answer", "a blocking job ended without an answer"));
        drop(job);
        answer
    }
}

/// Takes a job out of the queue when it is dropped, unless the job has begun.
struct Withdraw(Job);

impl Drop for Withdraw {
    fn drop(&mut self) {
        // Dropped after the lock is free again: what the job holds may take its time.
        let work = self.0.lock().take();
        drop(work);
    }
}

/// A job that panics has said so and takes its answer with it; the thread lives on.
fn run_guarded(job: Job) {
    let Some(work) = job.lock().take() else { return };
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
}

#[cfg(test)]
#[path = "blocking_tests.rs"]
mod tests;
