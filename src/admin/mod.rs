//! The second listener: health and metrics for whatever watches the server, and the admin API for operators.
//!
//! What is always true: health, metrics and the description of the API ask for no credentials, so they show nothing of
//! what is stored and change nothing; everything else is for the root user, who signs the request and the hash of its
//! body ([`Door`]). It answers while the S3 listener is busy or stopping, from a thread of its own. By default it
//! listens on the loopback address. `docs/openapi.json` describes every endpoint, and a test holds the two together.
//!
//! `server` starts it, and says what ready means and what can be seen and changed ([`Control`]); `cli` reads its
//! documents ([`wire`]). It does not know how objects are stored.

mod answer;
mod body;
mod control;
mod door;
mod endpoints;
mod judge;
mod process;
mod refusal;
mod routes;
pub mod wire;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::App;
use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use actix_web::web;
use tokio::sync::oneshot;

use crate::sys::metrics::Metrics;

use answer::Changes;

pub use control::Answer;
pub use control::Change;
pub use control::Control;
pub use door::Door;
pub use refusal::Kind;
pub use refusal::Refusal;

/// Connections at once: a few scrapers and probes.
const CONNECTIONS_MAX: usize = 64;

/// Whether the server can do its work now, or why not.
pub type Ready = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What the listener shows.
pub struct Shown {
    metrics: Arc<Metrics>,
    ready: Ready,
    door: Door,
    control: Arc<dyn Control>,
    changes: Changes,
}

impl Shown {
    /// What the listener shows: counters, what a readiness probe asks (which must not block), and, to whoever passes
    /// `door`, what `control` shows and changes.
    pub fn new(metrics: Arc<Metrics>, ready: Ready, door: Door, control: Arc<dyn Control>) -> Self {
        Self { metrics, ready, door, control, changes: Changes::default() }
    }
}

/// The running listener.
pub struct Admin {
    handle: ServerHandle,
    thread: JoinHandle<io::Result<()>>,
}

/// Serves what arrives at `listener`.
///
/// # Errors
/// The thread cannot be started, or the listener is not usable.
pub fn start(listener: TcpListener, shown: Shown) -> io::Result<Admin> {
    let shown = web::Data::new(shown);
    let (started, running) = oneshot::channel();
    let thread = std::thread::Builder::new().name("admin".to_owned()).spawn(move || {
        actix_rt::System::new().block_on(async move {
            let app = move || App::new().app_data(shown.clone()).configure(routes::configure);
            let server = HttpServer::new(app)
                .workers(1)
                .max_connections(CONNECTIONS_MAX)
                .client_request_timeout(Duration::from_secs(5))
                .keep_alive(Duration::from_secs(15))
                .shutdown_timeout(1)
                .disable_signals()
                .listen(listener)?
                .run();
            // Nobody waits any more when the caller has given up.
            let _ = started.send(server.handle());
            server.await
        })
    })?;
    match running.blocking_recv() {
        Ok(handle) => Ok(Admin { handle, thread }),
        Err(_) => Err(ended(thread).err().unwrap_or_else(|| io::Error::other("the listener ended at once"))),
    }
}

impl Admin {
    /// Ends running answers, then returns.
    ///
    /// # Errors
    /// The listener had failed before.
    pub async fn stop(self) -> io::Result<()> {
        self.handle.stop(true).await;
        ended(self.thread)
    }
}

fn ended(thread: JoinHandle<io::Result<()>>) -> io::Result<()> {
    thread.join().unwrap_or_else(|_| Err(io::Error::other("the listener's thread panicked")))
}

#[cfg(test)]
mod tests;
