//! What stands between a socket and the application: the wire as strangers use it.
//!
//! Holds the stream wrapper that sees every byte, the judge of request heads, the watch for clients that are too
//! slow, and the wrapper around the application's service.
//!
//! What is always true:
//! - A request that has more than one meaning (RFC 9112) is refused with `400`, and nothing behind it is read.
//! - No client holds a connection by doing nothing, or next to nothing: heads, bodies, replies and pauses have
//!   limits on every request of a connection, not only on the first.
//! - Every refusal is an S3 error document, also those that actix would make by itself.
//! - A panic in a handler is one `500`, counted; the process and the connection's neighbours go on.
//!
//! A handler reads the request body from `web::Payload`. Its errors mean: `Io(TimedOut)` the client was too slow
//! (`RequestTimeout`), `Io(InvalidData)` the chunked framing is broken (`BadRequest`), `Incomplete` the connection
//! ended within the body (`IncompleteBody`).
//!
//! Called by `http::server` alone. It knows neither buckets nor keys nor credentials.

mod body;
mod connection;
mod framing;
mod head;
mod refusal;
mod service;
mod stream;
mod watch;

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_http::KeepAlive;
use actix_http::Request;
use actix_rt::net::TcpStream;
use actix_service::ServiceFactory;
use actix_service::ServiceFactoryExt as _;
use actix_web::body::BoxBody;
use actix_web::dev::AppConfig;
use actix_web::dev::ServiceResponse;

use crate::http::limits::Limits;
use crate::sys::metrics::Metrics;
use connection::Connection;
use service::Factory;
use stream::Stream;
use watch::Watch;

pub use head::HEADERS_CAP;
pub(super) use service::Held;

/// Replies are collected to this many bytes before they go to the kernel.
const WRITE_BUFFER_BYTES: usize = 128 << 10;

/// The service of one worker: connections in, nothing out.
pub(super) fn connections<A>(
    app: Held<A>,
    limits: Limits,
    metrics: Arc<Metrics>,
    stop: tokio::sync::watch::Receiver<bool>,
) -> impl ServiceFactory<
    TcpStream,
    Config = (),
    Response = (),
    Error = actix_http::error::DispatchError,
    InitError = (),
>
where
    A: ServiceFactory<
            Request,
            Config = AppConfig,
            Response = ServiceResponse<BoxBody>,
            Error = actix_web::Error,
        > + 'static,
    A::Future: 'static,
    A::InitError: std::fmt::Debug,
{
    let bounds =
        stream::Bounds { header_bytes_max: limits.header_bytes_max, headers_max: limits.headers_max };
    let watch = Watch::new(watch::Patience {
        head: limits.header_timeout,
        request: limits.keep_alive,
        body: limits.body_idle_timeout,
    });
    let factory = Factory::new(app, Arc::clone(&metrics));
    let http = HttpService::<Stream, _, body::Outgoing>::build()
        // The watch keeps time; actix would set a timer for every request.
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(stream::DRAIN)
        .h1_write_buffer_size(WRITE_BUFFER_BYTES)
        .expect(factory.expect())
        .on_connect_ext(|stream: &Stream, data| {
            data.insert(Rc::clone(stream.connection()));
        })
        .h1(factory);
    let watching = std::cell::Cell::new(false);
    actix_service::fn_service(move |socket: TcpStream| {
        if !watching.replace(true) {
            // Ends with the worker's runtime.
            drop(actix_rt::spawn(Rc::clone(&watch).run(stop.clone())));
        }
        std::future::ready(Ok(accept(socket, &watch, bounds, &metrics)))
    })
    .and_then(http)
}

fn accept(
    socket: TcpStream,
    watch: &Watch,
    bounds: stream::Bounds,
    metrics: &Arc<Metrics>,
) -> (Stream, Option<SocketAddr>) {
    // A socket whose peer has gone refuses the option; reading will show that it has gone.
    let _ = socket.set_nodelay(true);
    let peer = socket.peer_addr().ok();
    let connection = Connection::new(Arc::clone(metrics));
    watch.add(Rc::clone(&connection));
    (Stream::new(socket, connection, bounds), peer)
}
