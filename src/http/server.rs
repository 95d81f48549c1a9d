//! Starts and stops the S3 listener.

use std::io;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_http::Request;
use actix_service::IntoServiceFactory;
use actix_service::ServiceFactory;
use actix_web::body::BoxBody;
use actix_web::dev::AppConfig;
use actix_web::dev::ServerHandle;
use actix_web::dev::ServiceResponse;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::sync::watch;

use crate::http::guard;
use crate::http::guard::Held;
use crate::http::limits::Limits;
use crate::sys::metrics::Metrics;

/// Connections that the kernel keeps for us until a worker takes them.
const BACKLOG: i32 = 2048;

/// How long worker threads may take to end once they have nothing to do.
const WORKERS_END: Duration = Duration::from_secs(5);

/// A listener that serves. Dropping it without [`Self::stop`] leaves it running.
pub struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    stop: watch::Sender<bool>,
    thread: JoinHandle<io::Result<()>>,
}

/// Listens on `address`; port 0 lets the kernel choose.
///
/// # Errors
/// The address cannot be bound.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    use socket2::Domain;
    use socket2::Socket;
    use socket2::Type;

    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // A restarted server gets its port back while old connections are still in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Serves what arrives at `listener` with the application that `app` makes, once for every worker. It must box its
/// bodies, read request bodies from `web::Payload`, and set no limits of its own on connections.
///
/// # Errors
/// The thread cannot be started, or the listener is not usable.
pub fn serve<F, I, A>(
    listener: TcpListener,
    limits: Limits,
    metrics: Arc<Metrics>,
    app: F,
) -> io::Result<Server>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<A, Request>,
    A: ServiceFactory<
            Request,
            Config = AppConfig,
            Response = ServiceResponse<BoxBody>,
            Error = actix_web::Error,
        > + 'static,
    A::Future: 'static,
    A::InitError: std::fmt::Debug,
{
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let (started, ready) = oneshot::channel();
    let (alive, mut alive_no_more) = mpsc::channel(1);
    let app = Held::new(app, alive);
    let thread = std::thread::Builder::new().name("http".to_owned()).spawn(move || {
        actix_rt::System::new().block_on(async move {
            let workers = limits.workers.max(1);
            let server = actix_web::dev::Server::build()
                .workers(workers)
                .max_concurrent_connections(limits.connections_max.div_ceil(workers))
                .shutdown_timeout(limits.shutdown_grace.as_secs())
                .disable_signals()
                .listen("s3", listener, move || {
                    let made = app.with(app.get()().into_factory());
                    guard::connections(made, limits.clone(), Arc::clone(&metrics), stopped.clone())
                })?
                .run();
            // Nobody waits any more when the caller has given up.
            let _ = started.send(server.handle());
            let ended = server.await;
            // Workers have answered, and end now. What they hold of the application must be gone when we return:
            // the store below it is closed next.
            let _ = tokio::time::timeout(WORKERS_END, alive_no_more.recv()).await;
            ended
        })
    })?;
    let Ok(handle) = ready.blocking_recv() else {
        let failed =
            thread.join().unwrap_or_else(|_| Err(io::Error::other("the listener's thread panicked")));
        return Err(failed.err().unwrap_or_else(|| io::Error::other("the listener ended at once")));
    };
    Ok(Server { address, handle, stop, thread })
}

impl Server {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, closes idle connections, lets running requests end within the grace, then returns.
    ///
    /// # Errors
    /// The listener had failed before.
    pub async fn stop(self) -> io::Result<()> {
        // No receiver means that no worker is left to tell.
        let _ = self.stop.send(true);
        self.handle.stop(true).await;
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the listener's thread panicked")))
    }
}
