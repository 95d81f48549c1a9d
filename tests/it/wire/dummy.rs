//! The smallest application that shows what arrives and when.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::App;
use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web;
use bytes::Bytes;
use futures_util::StreamExt as _;
use holdall::http::limits::Limits;
use holdall::http::server;
use holdall::http::server::Server;
use holdall::sys::metrics::Metrics;

/// A running server.
pub struct Dummy {
    pub address: SocketAddr,
    pub metrics: Arc<Metrics>,
    seen: Arc<AtomicUsize>,
    server: Option<Server>,
}

struct State {
    seen: Arc<AtomicUsize>,
}

impl Dummy {
    pub fn start() -> Self {
        Self::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Self {
        let metrics = Arc::new(Metrics::new().unwrap());
        let seen = Arc::new(AtomicUsize::new(0));
        let state = web::Data::new(State { seen: Arc::clone(&seen) });
        let listener = server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let server = server::serve(listener, limits, Arc::clone(&metrics), move || {
            App::new().app_data(state.clone()).default_service(web::to(handle))
        })
        .unwrap();
        Self { address: server.address(), metrics, seen, server: Some(server) }
    }

    /// Requests that reached the handler.
    pub fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    /// Whether any thread still holds something of the application.
    pub fn is_held(&self) -> bool {
        Arc::strong_count(&self.seen) > 1
    }

    /// Stops it and waits.
    pub fn stop(&mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(self.server.take().unwrap().stop()).unwrap();
    }
}

/// Short enough to wait for in a test, long enough for a slow machine.
pub fn hasty() -> Limits {
    Limits {
        header_timeout: Duration::from_millis(500),
        body_idle_timeout: Duration::from_millis(500),
        keep_alive: Duration::from_millis(1500),
        ..Limits::default()
    }
}

async fn handle(request: HttpRequest, body: web::Payload, state: web::Data<State>) -> HttpResponse {
    state.seen.fetch_add(1, Ordering::SeqCst);
    let number = |prefix: &str| request.path().strip_prefix(prefix).map(|text| text.parse::<u64>().unwrap());
    match request.path() {
        "/refuse" => HttpResponse::Forbidden().body("no"),
        "/panic" => panic!("on purpose"),
        "/panic-late" => HttpResponse::Ok().streaming(futures_util::stream::poll_fn(
            |_| -> std::task::Poll<Option<Result<Bytes, actix_web::Error>>> { panic!("on purpose, later") },
        )),
        "/nothing" => HttpResponse::NoContent().finish(),
        "/unchanged" => HttpResponse::NotModified().finish(),
        "/headers" => HttpResponse::Ok().body(headers(&request)),
        "/target" => HttpResponse::Ok().body(request.uri().to_string()),
        _ if number("/sleep/").is_some() => {
            actix_rt::time::sleep(Duration::from_millis(number("/sleep/").unwrap())).await;
            HttpResponse::Ok().body("slept")
        }
        _ if number("/late/").is_some() => {
            actix_rt::time::sleep(Duration::from_millis(number("/late/").unwrap())).await;
            echo(body).await
        }
        _ if number("/large/").is_some() => {
            let size = number("/large/").unwrap();
            let pieces = futures_util::stream::iter((0..size.div_ceil(65536)).map(move |piece| {
                Ok::<_, actix_web::Error>(Bytes::from(vec![b'x'; (size - piece * 65536).min(65536) as usize]))
            }));
            HttpResponse::Ok().body(actix_web::body::SizedStream::new(size, pieces))
        }
        _ => echo(body).await,
    }
}

async fn echo(mut body: web::Payload) -> HttpResponse {
    let mut whole = Vec::new();
    while let Some(piece) = body.next().await {
        match piece {
            Ok(piece) => whole.extend_from_slice(&piece),
            Err(error) => return HttpResponse::BadRequest().body(format!("{error:?}")),
        }
    }
    HttpResponse::Ok().body(whole)
}

fn headers(request: &HttpRequest) -> String {
    let lines =
        request.headers().iter().map(|(name, value)| format!("{name}={}\n", value.to_str().unwrap_or("?")));
    lines.collect()
}
