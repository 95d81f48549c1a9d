//! The threads that compute digests. Each takes the buffers that wait, of as many uploads as there are, and goes over them
//! together: MD5 of sixteen bodies side by side costs a sixth of what they cost one after the other ([`super::md5`]).

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use tokio::sync::oneshot;

use super::Error;
use super::blocking::Pool;
use super::blocking::Running;
use super::digest;
use super::digest::Hashing;
use super::local::Filled;

/// Buffers that a thread goes over at once: as many as there are lanes in the widest vector.
const AT_ONCE: usize = 16;

/// Few threads, so that each has many buffers to go over.
pub(super) struct Hashers {
    pool: Pool,
    waiting: Sender<Waiting>,
    taken: Receiver<Waiting>,
}

/// A body's digests, and the bytes that they have not seen yet.
struct Waiting {
    hashing: Box<Hashing>,
    bytes: Filled,
    done: oneshot::Sender<Box<Hashing>>,
}

impl Hashers {
    /// Up to so many threads, each started when it is needed.
    pub(super) fn new(threads: usize) -> Self {
        // The pool's queue has a bound, and each that waits here is one that waits there.
        let (waiting, taken) = crossbeam_channel::unbounded();
        Self { pool: Pool::new("digest", threads), waiting, taken }
    }

    /// Gives the bytes to the digests.
    ///
    /// # Errors
    /// Too many wait already.
    pub(super) fn start(&self, hashing: Box<Hashing>, bytes: Filled) -> Result<Running<Box<Hashing>>, Error> {
        let (done, answer) = oneshot::channel();
        if self.waiting.send(Waiting { hashing, bytes, done }).is_err() {
            return Err(Error::internal("start", "nobody computes digests"));
        }
        let taken = self.taken.clone();
        drop(self.pool.start(move || go_over(&taken))?);
        Ok(Running::of(answer))
    }
}

/// Goes over those that wait, which another thread may have done meanwhile.
fn go_over(taken: &Receiver<Waiting>) {
    let mut waiting: Vec<Waiting> = taken.try_iter().take(AT_ONCE).collect();
    digest::update_many(waiting.iter_mut().map(|one| (&mut *one.hashing, one.bytes.bytes())));
    for Waiting { hashing, bytes, done } in waiting {
        drop(bytes);
        // The upload may have been given up.
        let _ = done.send(hashing);
    }
}
