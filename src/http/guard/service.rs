//! The application's service, seen from the connection: where a request begins and ends, when `100 Continue` is
//! sent, what happens to an unread body, and to a panic.
//!
//! `Expect: 100-continue` (RFC 9110 section 10.1.1) is answered when the handler first waits for the body, thus
//! after it has judged the head. actix asks its expect service *before* the main service, and continues when that
//! yields a request. So ours runs the handler itself: a reply that needs no body is the final answer; a handler
//! that waits for the body is put into the request that actix passes on, and the main service resumes it.

use std::cell::OnceCell;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use actix_http::ConnectionType;
use actix_http::HttpMessage as _;
use actix_http::Request;
use actix_http::Response;
use actix_service::Service;
use actix_service::ServiceFactory;
use actix_web::body::BoxBody;
use actix_web::dev::AppConfig;
use actix_web::dev::Payload;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;

use super::body;
use super::body::Incoming;
use super::body::Outgoing;
use super::connection::Connection;
use super::refusal::Refusal;
use crate::s3::error_code::ErrorCode;
use crate::sys::metrics::Metrics;

type Reply = Result<Response<Outgoing>, Response<BoxBody>>;

/// Something of the application, and the sign that it is still there. The application is dropped first: when every
/// sign is gone, nothing of it is left on any thread.
#[derive(Clone)]
pub(in crate::http) struct Held<T> {
    value: T,
    alive: Alive,
}

/// The sign; its channel ends with the last one.
pub(in crate::http) type Alive = tokio::sync::mpsc::Sender<std::convert::Infallible>;

impl<T> Held<T> {
    pub(in crate::http) const fn new(value: T, alive: Alive) -> Self {
        Self { value, alive }
    }

    pub(in crate::http) const fn get(&self) -> &T {
        &self.value
    }

    /// Another thing that is held with this one.
    pub(in crate::http) fn with<U>(&self, value: U) -> Held<U> {
        Held { value, alive: self.alive.clone() }
    }
}

/// A handler that has begun.
struct Begun(LocalBoxFuture<'static, Reply>);

/// Makes the services of one worker; both share one application.
pub(super) struct Factory<A: ServiceFactory<Request>> {
    app: Held<A>,
    service: Rc<OnceCell<Rc<Held<A::Service>>>>,
    metrics: Arc<Metrics>,
}

impl<A> Factory<A>
where
    A: ServiceFactory<
            Request,
            Config = AppConfig,
            Response = ServiceResponse<BoxBody>,
            Error = actix_web::Error,
        > + 'static,
{
    pub(super) fn new(app: Held<A>, metrics: Arc<Metrics>) -> Self {
        Self { app, service: Rc::new(OnceCell::new()), metrics }
    }

    /// The service that actix asks about `Expect`.
    pub(super) fn expect(&self) -> Expect<A::Service> {
        Expect { service: Rc::clone(&self.service), metrics: Arc::clone(&self.metrics) }
    }
}

impl<A> ServiceFactory<Request> for Factory<A>
where
    A: ServiceFactory<
            Request,
            Config = AppConfig,
            Response = ServiceResponse<BoxBody>,
            Error = actix_web::Error,
        > + 'static,
    A::Future: 'static,
{
    type Response = Response<Outgoing>;
    type Error = Response<BoxBody>;
    type Config = ();
    type Service = Guarded<A::Service>;
    type InitError = A::InitError;
    type Future = LocalBoxFuture<'static, Result<Self::Service, Self::InitError>>;

    fn new_service(&self, (): ()) -> Self::Future {
        let app = self.app.get().new_service(AppConfig::default());
        let held = self.app.with(());
        let slot = Rc::clone(&self.service);
        let metrics = Arc::clone(&self.metrics);
        Box::pin(async move {
            let service = Rc::new(held.with(app.await?));
            Ok(Guarded { service: Rc::clone(slot.get_or_init(|| service)), metrics })
        })
    }
}

/// The main service.
pub(super) struct Guarded<S> {
    service: Rc<Held<S>>,
    metrics: Arc<Metrics>,
}

impl<S> Service<Request> for Guarded<S>
where
    S: Service<Request, Response = ServiceResponse<BoxBody>, Error = actix_web::Error> + 'static,
{
    type Response = Response<Outgoing>;
    type Error = Response<BoxBody>;
    type Future = LocalBoxFuture<'static, Reply>;

    actix_service::always_ready!();

    fn call(&self, request: Request) -> Self::Future {
        if let Some(connection) = request.conn_data::<Rc<Connection>>() {
            let connection = Rc::clone(connection);
            return begin(Rc::clone(&self.service), request, connection, Arc::clone(&self.metrics)).0;
        }
        // Only a request made by `Expect` has no connection.
        let begun = request.extensions_mut().remove::<Begun>();
        match begun {
            Some(Begun(handler)) => handler,
            None => Box::pin(async { Err(Refusal::new(ErrorCode::InternalError).response()) }),
        }
    }
}

/// The service for requests that expect `100 Continue`.
pub(super) struct Expect<S> {
    service: Rc<OnceCell<Rc<Held<S>>>>,
    metrics: Arc<Metrics>,
}

impl<S> ServiceFactory<Request> for Expect<S>
where
    S: Service<Request, Response = ServiceResponse<BoxBody>, Error = actix_web::Error> + 'static,
{
    type Response = Request;
    type Error = Response<BoxBody>;
    type Config = ();
    type Service = Self;
    type InitError = ();
    type Future = std::future::Ready<Result<Self, ()>>;

    fn new_service(&self, (): ()) -> Self::Future {
        std::future::ready(Ok(Self { service: Rc::clone(&self.service), metrics: Arc::clone(&self.metrics) }))
    }
}

impl<S> Service<Request> for Expect<S>
where
    S: Service<Request, Response = ServiceResponse<BoxBody>, Error = actix_web::Error> + 'static,
{
    type Response = Request;
    type Error = Response<BoxBody>;
    type Future = Deciding;

    actix_service::always_ready!();

    fn call(&self, request: Request) -> Self::Future {
        let connection = request.conn_data::<Rc<Connection>>().map(Rc::clone);
        let (Some(connection), Some(service)) = (connection, self.service.get()) else {
            return Deciding { handler: None, incoming: None };
        };
        let (handler, incoming) = begin(Rc::clone(service), request, connection, Arc::clone(&self.metrics));
        Deciding { handler: Some(handler), incoming }
    }
}

/// Runs a handler until it answers or waits for the body.
pub(super) struct Deciding {
    handler: Option<LocalBoxFuture<'static, Reply>>,
    incoming: Option<Rc<Incoming>>,
}

impl Future for Deciding {
    type Output = Result<Request, Response<BoxBody>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(mut handler) = self.handler.take() else {
            return Poll::Ready(Err(Refusal::new(ErrorCode::InternalError).response()));
        };
        match handler.as_mut().poll(cx) {
            Poll::Ready(Ok(reply)) => Poll::Ready(Err(reply.map_into_boxed_body())),
            Poll::Ready(Err(reply)) => Poll::Ready(Err(reply)),
            Poll::Pending if self.incoming.as_ref().is_some_and(|incoming| incoming.is_invited()) => {
                let request = Request::new();
                request.extensions_mut().insert(Begun(handler));
                Poll::Ready(Ok(request))
            }
            Poll::Pending => {
                self.handler = Some(handler);
                Poll::Pending
            }
        }
    }
}

/// Starts the handler of a request.
fn begin<S>(
    service: Rc<Held<S>>,
    mut request: Request,
    connection: Rc<Connection>,
    metrics: Arc<Metrics>,
) -> (LocalBoxFuture<'static, Reply>, Option<Rc<Incoming>>)
where
    S: Service<Request, Response = ServiceResponse<BoxBody>, Error = actix_web::Error> + 'static,
{
    for (name, value) in connection.serve() {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(&name), HeaderValue::from_bytes(&value)) {
            request.headers_mut().append(name, value);
        }
    }
    let silent = request.method() == Method::HEAD;
    // "Connection: upgrade" without a protocol that we speak ends with the reply; actix would not say so.
    let upgrade = request.head().connection_type() == ConnectionType::Upgrade;
    let expects = request.head().expect();
    let incoming = match request.take_payload() {
        Payload::None => None,
        payload => Some(Incoming::new(payload, Rc::clone(&connection), expects)),
    };
    if let Some(incoming) = &incoming {
        *request.payload() = incoming.reader();
    }
    let kept = incoming.clone();
    let handler = async move {
        let mut response = catch(async move { service.get().call(request).await }, &metrics).await;
        let settled = match &incoming {
            Some(incoming) => incoming.settle().await,
            None => true,
        };
        let head = response.head_mut();
        if !settled || upgrade || connection.is_stopping() || connection.why_cut().is_some() {
            head.set_connection_type(ConnectionType::Close);
            connection.end_after_reply();
        }
        Ok(response.map_body(|_, body| Outgoing::new(body, silent, connection, incoming, metrics)))
    };
    (Box::pin(handler), kept)
}

/// Runs a handler; a panic in it is answered with `InternalError` and counted.
async fn catch<F>(handler: F, metrics: &Metrics) -> Response<BoxBody>
where
    F: Future<Output = Result<ServiceResponse<BoxBody>, actix_web::Error>>,
{
    match AssertUnwindSafe(handler).catch_unwind().await {
        Ok(Ok(response)) => response.into(),
        Ok(Err(error)) => error.into(),
        Err(panic) => {
            body::report(&*panic, metrics);
            Refusal::new(ErrorCode::InternalError).response()
        }
    }
}
