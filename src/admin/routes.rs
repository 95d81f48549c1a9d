//! The way of a request: looked up, let in, its body read, answered.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::dev::Payload;
use actix_web::http::ConnectionType;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::http::header::HeaderValue;
use actix_web::web;

use super::Shown;
use super::answer::Call;
use super::answer::json;
use super::body;
use super::endpoints;
use super::endpoints::Found;
use super::endpoints::Operation;
use super::process;
use super::refusal::Kind;
use super::refusal::Refusal;

/// The text format of Prometheus.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What describes this API to programs.
pub(super) const DOCUMENT: &str = include_str!("../../docs/openapi.json");

/// Everything goes one way: the table of [`endpoints`] decides, not actix.
pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.default_service(web::to(serve));
}

async fn serve(request: HttpRequest, payload: web::Payload, shown: web::Data<Shown>) -> HttpResponse {
    let path = request.uri().path();
    match endpoints::find(request.method().as_str(), path) {
        Found::Operation(operation, _) if operation.is_open() => page(operation, &shown),
        Found::Operation(operation, parameter) => {
            let answered = api(&shown, &request, payload.into_inner(), (operation, parameter)).await;
            answered.unwrap_or_else(|refusal| refused(&refusal))
        }
        Found::WrongMethod(allowed) => {
            let refusal = Refusal::new(Kind::WrongMethod, format!("{path} takes {allowed}"));
            let mut response = refused(&refusal);
            if let Ok(allowed) = HeaderValue::from_str(&allowed) {
                response.headers_mut().insert(header::ALLOW, allowed);
            }
            response
        }
        Found::Nothing => refused(&Refusal::unknown(format!(
            "there is nothing at {path:?}; /admin/v1/openapi.json describes what there is"
        ))),
    }
}

/// No byte of a body is read before the request was let in.
async fn api(
    shown: &Shown,
    request: &HttpRequest,
    payload: Payload,
    (operation, parameter): (Operation, &str),
) -> Result<HttpResponse, Refusal> {
    let digest = shown.door.admit(request)?;
    if operation.takes_body() {
        body::check_type(request)?;
    }
    let body = body::read(request, payload, &digest).await?;
    Call::new(shown, request, operation, parameter, body).answer().await
}

/// The answer to what is not obeyed. Its body may not have been read, so the connection ends with it.
fn refused(refusal: &Refusal) -> HttpResponse {
    let mut response = json(refusal.status(), &refusal.document());
    if refusal.kind == Kind::Unsigned {
        let scheme = HeaderValue::from_static("AWS4-HMAC-SHA256");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    response.head_mut().set_connection_type(ConnectionType::Close);
    response
}

/// What asks for no credentials.
fn page(operation: Operation, shown: &Shown) -> HttpResponse {
    match operation {
        Operation::Ready => ready(shown),
        Operation::Metrics => {
            let mut text = shown.metrics.render();
            process::render(&mut text, &crate::sys::machine::Usage::observe());
            HttpResponse::Ok().insert_header((header::CONTENT_TYPE, METRICS_TYPE)).body(text)
        }
        Operation::Document => {
            HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "application/json")).body(DOCUMENT)
        }
        _ => {
            let version = env!("CARGO_PKG_VERSION");
            json(StatusCode::OK, &serde_json::json!({ "status": "live", "version": version }))
        }
    }
}

/// Requests can be served: writes included. One that is degraded is ready.
fn ready(shown: &Shown) -> HttpResponse {
    match (shown.ready)() {
        Ok(()) => json(StatusCode::OK, &serde_json::json!({ "status": "ready" })),
        Err(reason) => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            json(status, &serde_json::json!({ "status": "not ready", "reason": reason }))
        }
    }
}
