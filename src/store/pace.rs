//! How background work leaves room for clients.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use parking_lot::Mutex;

/// After the last request: between two of a client there is less.
const QUIET_AFTER: Duration = Duration::from_millis(100);

/// Holds background work back to its rate, and lets clients go first.
pub trait Pace {
    /// So many bytes were read and written in this time. Waits until there may be more.
    fn spent(&self, bytes: u64, took: Duration) -> impl Future<Output = ()>;
}

/// As fast as it can.
pub struct Unpaced;

impl Pace for Unpaced {
    async fn spent(&self, _bytes: u64, _took: Duration) {}
}

/// Whether clients are using the disks: uploads, downloads and commits that are under way.
#[derive(Default)]
pub struct Traffic {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    under_way: usize,
    ended: Option<Instant>,
}

impl Traffic {
    /// Whether there is a client now, or was a moment ago.
    pub fn is_busy(&self) -> bool {
        let state = self.state.lock();
        state.under_way > 0 || state.ended.is_some_and(|ended| ended.elapsed() < QUIET_AFTER)
    }

    /// A client's work begins; it ends when this is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> UnderWay {
        self.state.lock().under_way += 1;
        UnderWay(Arc::clone(self))
    }
}

/// A client's work under way.
pub(crate) struct UnderWay(Arc<Traffic>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.under_way -= 1;
        state.ended = Some(Instant::now());
    }
}
