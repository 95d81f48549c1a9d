//! What can be asked for.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::guard;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web;

use super::Shown;
use super::process;

/// The text format of Prometheus.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Every path there is; `docs/operations.md` lists them.
pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.service(page("/health/live", web::to(live)))
        .service(page("/health/ready", web::to(ready)))
        .service(page("/metrics", web::to(metrics)))
        .default_service(web::to(nothing));
}

/// A page that GET and HEAD may ask for.
fn page(path: &str, route: actix_web::Route) -> actix_web::Resource {
    let reads = route.guard(guard::Any(guard::Get()).or(guard::Head()));
    web::resource(path).route(reads).default_service(web::to(wrong_method))
}

/// The process runs and answers.
async fn live() -> HttpResponse {
    let version = env!("CARGO_PKG_VERSION");
    json(StatusCode::OK, &serde_json::json!({ "status": "live", "version": version }))
}

/// Requests can be served: writes included.
async fn ready(shown: web::Data<Shown>) -> HttpResponse {
    match (shown.ready)() {
        Ok(()) => json(StatusCode::OK, &serde_json::json!({ "status": "ready" })),
        Err(reason) => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            json(status, &serde_json::json!({ "status": "not ready", "reason": reason }))
        }
    }
}

async fn metrics(shown: web::Data<Shown>) -> HttpResponse {
    let mut text = shown.metrics.render();
    process::render(&mut text, &crate::sys::machine::Usage::observe());
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, METRICS_TYPE)).body(text)
}

async fn nothing(request: HttpRequest) -> HttpResponse {
    let known = ["/health/live", "/health/ready", "/metrics"];
    let answer = serde_json::json!({ "error": "not found", "path": request.path(), "known": known });
    json(StatusCode::NOT_FOUND, &answer)
}

async fn wrong_method() -> HttpResponse {
    let mut response =
        json(StatusCode::METHOD_NOT_ALLOWED, &serde_json::json!({ "error": "only GET and HEAD" }));
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"));
    response
}

fn json(status: StatusCode, value: &serde_json::Value) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .body(value.to_string())
}
