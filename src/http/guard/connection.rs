//! What the parts of the guard know of one connection.
//!
//! One task owns a connection, so cells suffice. The stream writes down what it saw, the service where the request
//! stands, the watch what took too long:
//!
//! ```text
//!          head judged          handler called        reply encoded         reply flushed
//!   Ready ────────────▶ Parsing ──────────────▶ Serving ─────────────▶ Flushing ────────────▶ Ready
//!     │ refused, late      │ refused by actix                             (only while the stream lives)
//!     └────────▶ Closing ◀─┘
//! ```

use std::cell::Cell;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use super::head::Line;
use crate::sys::metrics::Metrics;

/// Bytes of a body that may wait for a handler which waits for something else, a buffer for instance. They are in no
/// budget, and thousands of connections may wait; what is behind them waits with the client.
const WINDOW_BYTES: usize = 64 << 10;

/// Where the request of this moment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing is in flight: the next bytes begin a head.
    Ready,
    /// A judged head is with actix, which has not called the service yet. What it writes now is its own refusal.
    Parsing,
    /// The service has the request.
    Serving,
    /// The reply is encoded; its last bytes may still wait for the kernel.
    Flushing,
    /// No further request is read.
    Closing,
}

/// What has taken too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    /// The next request.
    Request,
    /// The rest of a head.
    Head,
    /// The rest of a body that the handler waits for.
    Body,
    /// The client's reading of a reply.
    Reply,
}

/// Why no more of a body will come, though it has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// The client was too slow.
    Late,
    /// The framing is broken.
    Broken,
}

/// What is known of one connection.
pub(super) struct Connection {
    phase: Cell<Phase>,
    late: Cell<Option<Late>>,
    cut: Cell<Option<Cut>>,
    stopping: Cell<bool>,
    closed: Cell<bool>,
    /// Requests whose head has been judged.
    requests: Cell<u64>,
    /// Bytes that went through the stream.
    received: Cell<u64>,
    sent: Cell<u64>,
    /// Bytes of the body that the stream has not handed over; `None` when it is chunked.
    body_left: Cell<Option<u64>>,
    /// Bytes of the body that were handed over since the handler last had all of them, and that it has not taken.
    untaken: Cell<usize>,
    /// Part of a head has arrived.
    head_begun: Cell<bool>,
    /// The handler waits for the body.
    body_wanted: Cell<bool>,
    /// The kernel takes no more of the reply.
    write_blocked: Cell<bool>,
    /// The connection ends with the reply of this moment.
    last: Cell<bool>,
    /// Reading waits for the phase to change, or for the handler to take what is there.
    parked: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    metrics: Arc<Metrics>,
    extra: RefCell<Vec<Line>>,
}

impl Connection {
    /// A connection that was just accepted.
    pub(super) fn new(metrics: Arc<Metrics>) -> Rc<Self> {
        metrics.connections.inc();
        Rc::new(Self {
            metrics,
            phase: Cell::new(Phase::Ready),
            late: Cell::new(None),
            cut: Cell::new(None),
            stopping: Cell::new(false),
            closed: Cell::new(false),
            requests: Cell::new(0),
            received: Cell::new(0),
            sent: Cell::new(0),
            body_left: Cell::new(Some(0)),
            untaken: Cell::new(0),
            head_begun: Cell::new(false),
            body_wanted: Cell::new(false),
            write_blocked: Cell::new(false),
            last: Cell::new(false),
            parked: Cell::new(false),
            waker: RefCell::new(None),
            extra: RefCell::new(Vec::new()),
        })
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    pub(super) fn late(&self) -> Option<Late> {
        self.late.get()
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.get()
    }

    pub(super) fn received(&self) -> u64 {
        self.received.get()
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.get()
    }

    // What the stream sees.

    /// Remembers the task, so that [`Self::wake`] can reach it.
    pub(super) fn remember(&self, waker: &Waker) {
        let mut known = self.waker.borrow_mut();
        match &mut *known {
            Some(known) => known.clone_from(waker),
            None => *known = Some(waker.clone()),
        }
    }

    pub(super) fn count_received(&self, bytes: usize) {
        self.received.set(self.received.get() + bytes as u64);
    }

    pub(super) fn count_sent(&self, bytes: usize) {
        self.sent.set(self.sent.get() + bytes as u64);
        self.write_blocked.set(false);
    }

    pub(super) fn block_writing(&self) {
        self.write_blocked.set(true);
    }

    pub(super) fn begin_head(&self) {
        self.head_begun.set(true);
    }

    /// A head was judged and goes to actix.
    pub(super) fn admit(&self, extra: Vec<Line>) {
        self.untaken.set(0);
        self.phase.set(Phase::Parsing);
        self.head_begun.set(false);
        self.requests.set(self.requests.get() + 1);
        self.extra.replace(extra);
    }

    /// So many bytes of the body go to actix.
    pub(super) fn hand_over(&self, bytes: usize) {
        self.untaken.set(self.untaken.get() + bytes);
    }

    /// Whether as much of the body waits for the handler as may wait.
    pub(super) fn is_window_full(&self) -> bool {
        self.untaken.get() >= WINDOW_BYTES
    }

    pub(super) fn set_body_left(&self, left: Option<u64>) {
        self.body_left.set(left);
    }

    /// No more of the body will come.
    pub(super) fn cut(&self, why: Cut) {
        self.cut.set(Some(why));
    }

    pub(super) fn close(&self) {
        self.phase.set(Phase::Closing);
    }

    pub(super) fn park(&self) {
        self.parked.set(true);
    }

    /// All that actix had to write is with the kernel.
    pub(super) fn flushed(&self) {
        if self.phase.get() == Phase::Flushing {
            self.phase.set(if self.last.get() { Phase::Closing } else { Phase::Ready });
            if self.parked.replace(false) {
                self.wake();
            }
        }
    }

    pub(super) fn forget(&self) {
        self.closed.set(true);
        self.metrics.connections.dec();
        self.waker.replace(None);
    }

    // Where the service stands.

    /// The service has the request; yields the headers that were kept from the parser.
    pub(super) fn serve(&self) -> Vec<Line> {
        self.phase.set(Phase::Serving);
        self.extra.take()
    }

    /// The reply is encoded.
    pub(super) fn replied(&self) {
        self.body_wanted.set(false);
        self.take(self.untaken.get());
        if self.phase.get() == Phase::Serving {
            self.phase.set(Phase::Flushing);
        }
    }

    /// The reply of this moment says that it is the last.
    pub(super) fn end_after_reply(&self) {
        self.last.set(true);
    }

    /// Whether the handler waits for the body. One that does has taken all that was handed over; framing is not body,
    /// so the sums of [`Self::take`] alone would not come to that.
    pub(super) fn want_body(&self, wanted: bool) {
        self.body_wanted.set(wanted);
        if wanted {
            self.take(self.untaken.get());
        }
    }

    /// The handler took so many bytes of the body.
    pub(super) fn take(&self, bytes: usize) {
        self.untaken.set(self.untaken.get().saturating_sub(bytes));
        if self.untaken.get() <= WINDOW_BYTES / 2 && self.parked.replace(false) {
            self.wake();
        }
    }

    pub(super) fn why_cut(&self) -> Option<Cut> {
        self.cut.get()
    }

    pub(super) fn body_left(&self) -> Option<u64> {
        self.body_left.get()
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.get()
    }

    // What the watch decides.

    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// What the connection waits for its client to do, if it does.
    pub(super) fn waits_for(&self) -> Option<Late> {
        match self.phase.get() {
            _ if self.write_blocked.get() => Some(Late::Reply),
            Phase::Ready if self.head_begun.get() => Some(Late::Head),
            // Passes at once, unless actix finds a head incomplete that we found whole.
            Phase::Parsing => Some(Late::Head),
            Phase::Ready => Some(Late::Request),
            Phase::Serving if self.body_wanted.get() => Some(Late::Body),
            _ => None,
        }
    }

    /// It took too long.
    pub(super) fn expire(&self, what: Late) {
        self.late.set(Some(what));
        self.wake();
    }

    /// The server stops: no further request.
    pub(super) fn stop(&self) {
        self.stopping.set(true);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
