//! Looks after the connections of a worker: one timer for all, none per request.
//!
//! Every tick it asks each connection what it waits for its client to do. The answer opens a window; when the
//! window is as long as the limit and the client has done too little in it, the connection is told that it is late.

use std::cell::Cell;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::connection::Connection;
use super::connection::Late;

/// A body that comes slower than this is no upload, and a reply that leaves slower no download: bytes per second,
/// over a whole idle timeout. The slowest modem was ten times as fast.
const RATE_MIN: u64 = 256;

/// How patient the server is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// From the first byte of a head to its last; also for the first request of a connection.
    pub head: Duration,
    /// Between two requests.
    pub request: Duration,
    /// For a body in either direction.
    pub body: Duration,
}

/// What a connection has been waiting for, since when, and how far it was then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    waits_for: Option<Late>,
    request: u64,
    ticks: u32,
    bytes: u64,
}

struct Watched {
    connection: Rc<Connection>,
    window: Cell<Window>,
}

/// The connections of one worker.
pub(super) struct Watch {
    watched: RefCell<Vec<Watched>>,
    patience: Patience,
    tick: Duration,
    stopping: Cell<bool>,
}

impl Watch {
    pub(super) fn new(patience: Patience) -> Rc<Self> {
        let shortest = patience.head.min(patience.request).min(patience.body);
        let tick = (shortest / 10).clamp(Duration::from_millis(10), Duration::from_secs(1));
        Rc::new(Self { watched: RefCell::new(Vec::new()), patience, tick, stopping: Cell::new(false) })
    }

    /// Looks after everything until the server stops. Runs once per worker.
    pub(super) async fn run(self: Rc<Self>, mut stop: tokio::sync::watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(self.tick);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.look(),
                changed = stop.changed(), if !self.stopping.get() => {
                    // A server that is gone has stopped too.
                    let _ = changed;
                    self.stop();
                }
            }
        }
    }

    pub(super) fn add(&self, connection: Rc<Connection>) {
        if self.stopping.get() {
            connection.stop();
        }
        let window = Cell::new(Window { waits_for: None, request: 0, ticks: 0, bytes: 0 });
        self.watched.borrow_mut().push(Watched { connection, window });
    }

    fn stop(&self) {
        self.stopping.set(true);
        for watched in &*self.watched.borrow() {
            watched.connection.stop();
        }
    }

    fn look(&self) {
        let mut watched = self.watched.borrow_mut();
        watched.retain(|watched| !watched.connection.is_closed());
        for watched in &*watched {
            self.look_at(watched);
        }
        if watched.is_empty() {
            watched.shrink_to(64);
        }
    }

    fn look_at(&self, watched: &Watched) {
        let connection = &watched.connection;
        let bytes = match connection.waits_for() {
            Some(Late::Reply) => connection.sent(),
            _ => connection.received(),
        };
        let fresh =
            Window { waits_for: connection.waits_for(), request: connection.requests(), ticks: 0, bytes };
        let mut window = watched.window.get();
        if (window.waits_for, window.request) != (fresh.waits_for, fresh.request) {
            watched.window.set(fresh);
            return;
        }
        let Some(waits_for) = fresh.waits_for else { return };
        window.ticks += 1;
        watched.window.set(window);
        let waited = self.tick * window.ticks;
        let limit = match waits_for {
            Late::Request if fresh.request == 0 => self.patience.head,
            Late::Request => self.patience.request,
            Late::Head => self.patience.head,
            Late::Body | Late::Reply => self.patience.body,
        };
        if waited < limit {
            return;
        }
        let moved = bytes - window.bytes;
        let streams = matches!(waits_for, Late::Body | Late::Reply);
        if streams && moved as f64 >= RATE_MIN as f64 * waited.as_secs_f64() {
            watched.window.set(fresh);
        } else {
            connection.expire(waits_for);
        }
    }
}
