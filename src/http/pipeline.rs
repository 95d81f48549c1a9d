//! The walk of every S3 request, one call per stage:
//!
//! ```text
//!   route ─▶ authenticate ─▶ authorize ─▶ extract ─▶ run ─▶ reply
//!            who: headers,   may they:    └─ dispatch: one line per operation
//!            query, form     Granted
//! ```
//!
//! No byte of a body is read before the request was authenticated and allowed; only a form says in its body who
//! signed it, and of that no more is read than its fields.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::dev;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::http::header::HeaderValue;
use bytes::Bytes;

use super::access_log::Record;
use super::dispatch::Admitted;
use super::dispatch::dispatch;
use super::error;
use super::error::Error;
use super::extract;
use super::incoming::Incoming;
use super::post_object;
use super::reply::Body;
use super::reply::Reply;
use super::reply::stream::LengthOnly;
use super::reply::stream::ObjectBody;
use super::request::Request;
use super::route;
use super::route::Route;
use crate::auth::Authenticated;
use crate::auth::Identity;
use crate::auth::RequestHead;
use crate::auth::Verifier;
use crate::base::RequestId;
use crate::ops::Call;
use crate::ops::Service;
use crate::s3::error_code::ErrorCode;
use crate::s3::operation::Operation;
use crate::sys::entropy::Entropy;
use crate::sys::metrics::Metrics;

/// `x-amz-id-2` and `HostId`: which server answered.
const HOST_ID: &str = "holdall";

/// Everything a request meets on its way.
pub struct Pipeline {
    pub(super) service: Arc<Service>,
    pub(super) verifier: Verifier,
    /// In lower case.
    domains: Vec<String>,
    metrics: Arc<Metrics>,
    entropy: Arc<dyn Entropy>,
}

impl Pipeline {
    /// Puts the stages together. The subdomains of `domains` name buckets.
    pub fn new(
        service: Arc<Service>,
        verifier: Verifier,
        domains: &[String],
        metrics: Arc<Metrics>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let domains = domains.iter().map(|domain| domain.to_ascii_lowercase()).collect();
        Self { service, verifier, domains, metrics, entropy }
    }

    /// Answers one request.
    pub async fn serve(&self, head: HttpRequest, payload: dev::Payload) -> HttpResponse {
        let mut record = Record::begin(Arc::clone(&self.metrics), self.request_id(), &head);
        let mut incoming = Incoming::new(payload);
        let request = Request::new(&head);
        let result = match &request {
            Ok(request) => self.walk(request, &mut incoming, &mut record).await,
            Err(error) => Err(error.clone()),
        };
        let is_spent = request.as_ref().is_ok_and(|request| incoming.is_spent(request));
        record.received = incoming.received();
        let reply = match result {
            Ok(reply) => reply,
            Err(error) => self.refusal(&head, &error, &mut record),
        };
        respond(reply, record, is_spent)
    }

    async fn walk(
        &self,
        request: &Request<'_>,
        incoming: &mut Incoming,
        record: &mut Record,
    ) -> Result<Reply, Error> {
        let route = self.route(request)?;
        record.operation = Some(route.operation);
        if route.operation == Operation::PostObject {
            return post_object::serve(self, request, &route, incoming).await;
        }
        let authenticated = self.authenticate(request)?;
        let granted = self.authorize(request, &route, authenticated.identity())?;
        extract::check_owners(request, granted.canonical_id())?;
        extract::refuse_unsupported(request, route.operation)?;
        let is_signed = *authenticated.identity() != Identity::Anonymous;
        let call = Call { service: &self.service, granted: &granted };
        let payload = authenticated.into_payload();
        dispatch(Admitted { request, route: &route, call, is_signed, payload }, incoming).await
    }

    fn route(&self, request: &Request<'_>) -> Result<Route, Error> {
        let line = route::Line {
            method: request.method,
            host: request.bytes("host").and_then(|host| std::str::from_utf8(host).ok()),
            path: request.path,
            copies: request.has("x-amz-copy-source"),
        };
        route::route(&line, &request.query, &self.domains)
    }

    fn authenticate(&self, request: &Request<'_>) -> Result<Authenticated, Error> {
        let verify = |headers: &[(&str, &[u8])]| {
            let Request { method, path, raw_query: query, .. } = *request;
            let head = RequestHead { method, path, query, headers };
            self.verifier.authenticate(&head, self.service.as_ref(), self.service.clock().now())
        };
        let error = match verify(&request.headers) {
            Ok(authenticated) => return Ok(authenticated),
            Err(error) => error,
        };
        // Python signs header values as UTF-8 and sends them as ISO 8859-1.
        let recoded = match error.code {
            ErrorCode::SignatureDoesNotMatch => request.headers_as_utf8(),
            _ => None,
        };
        let Some(recoded) = recoded else { return Err(error.into()) };
        let recoded: Vec<(&str, &[u8])> =
            recoded.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        Ok(verify(&recoded)?)
    }

    /// Whether the caller may do this, and read the source of a copy.
    fn authorize(
        &self,
        request: &Request<'_>,
        route: &Route,
        identity: &Identity,
    ) -> Result<crate::policy::Granted, Error> {
        let source = match route.operation {
            Operation::CopyObject | Operation::UploadPartCopy => Some(extract::copy_source::names(request)?),
            _ => None,
        };
        let target = (route.target.bucket.as_ref(), route.target.key.as_ref());
        let source = source.as_ref().map(|(bucket, key)| (bucket, key));
        self.service.authorize(identity, route.operation, target, source)
    }

    fn request_id(&self) -> RequestId {
        let mut bytes = [0; 8];
        self.entropy.fill(&mut bytes);
        RequestId(u64::from_be_bytes(bytes))
    }

    /// The reply that tells a refusal; nothing but headers for HEAD.
    fn refusal(&self, head: &HttpRequest, error: &Error, record: &mut Record) -> Reply {
        record.code = Some(error.code);
        let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut reply = Reply::empty(status);
        if head.method() != "HEAD" {
            let document = error::document(error, head.uri().path(), record.id(), HOST_ID);
            reply = Reply::document(document);
            reply.status = status;
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            reply.set("retry-after", "1");
        }
        if error.code == ErrorCode::InvalidRange
            && let Some((_, size)) = error.extra.iter().find(|(name, _)| *name == "ActualObjectSize")
        {
            reply.set("content-range", &format!("bytes */{size}"));
        }
        // A client that does not know the region learns it from this probe, refused or not.
        if record.operation == Some(Operation::HeadBucket) && error.code != ErrorCode::NoSuchBucket {
            reply.set("x-amz-bucket-region", self.service.region());
        }
        reply
    }
}

/// What all replies have in common, and the body in actix's form. A connection whose request was not read to its end
/// is closed: what is left of it must not be taken for the next request.
fn respond(mut reply: Reply, mut record: Record, is_spent: bool) -> HttpResponse {
    record.status = reply.status.as_u16();
    reply.set("x-amz-request-id", &record.id().to_string());
    reply.set("x-amz-id-2", HOST_ID);
    reply.headers.insert(header::SERVER, HeaderValue::from_static("Holdall"));
    let body = match reply.body {
        Body::Empty => BoxBody::new(()),
        Body::Bytes(bytes) => {
            record.sent = bytes.len() as u64;
            BoxBody::new(Bytes::from(bytes))
        }
        Body::Length(length) => BoxBody::new(LengthOnly(length)),
        Body::Object(mut reader) => match reader.take_inline() {
            Some(bytes) => {
                record.sent = bytes.len() as u64;
                BoxBody::new(bytes)
            }
            None => BoxBody::new(ObjectBody::new(reader, record)),
        },
    };
    let mut response = HttpResponse::with_body(reply.status, body);
    *response.headers_mut() = reply.headers;
    if !is_spent {
        response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
    }
    response
}
