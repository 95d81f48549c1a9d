//! actix and the S3 wire: limits, routing, bodies, replies.
//!
//! `pipeline` is the file to read first: the walk of every request, one call per stage. What is always true:
//! - Every request leaves with a status that says what happened; a client's mistake is a 4xx, what we lack is a 501.
//! - Nothing of a body is stored before its sender was authenticated and allowed, and all of it kept its promises.
//! - Bucket and key are decoded once, in `route`: what is authorized is what is read and written.
//!
//! `server` builds it. It does not know how objects are stored: everything goes through `ops`.

pub mod access_log;
pub mod body;
pub mod dispatch;
pub mod error;
pub mod extract;
pub mod form;
pub mod guard;
pub mod incoming;
pub mod limits;
pub mod pipeline;
pub mod post_object;
pub mod query;
pub mod reply;
pub mod request;
pub mod route;
pub mod server;

use std::sync::Arc;

use actix_web::App;
use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceFactory;
use actix_web::dev::ServiceRequest;
use actix_web::dev::ServiceResponse;
use actix_web::web;

use pipeline::Pipeline;

/// The application of one worker: every request takes the walk.
pub fn app(
    pipeline: Arc<Pipeline>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    App::new().app_data(web::Data::from(pipeline)).default_service(web::to(serve))
}

async fn serve(request: HttpRequest, payload: web::Payload, pipeline: web::Data<Pipeline>) -> HttpResponse {
    pipeline.serve(request, payload.into_inner()).await
}

#[cfg(test)]
mod tests;
