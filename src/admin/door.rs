//! Who may come in: the root user, with a request signed in its headers that says what its body is.
//!
//! A presigned URL is refused: it leaves the body open, and a link that takes a volume out of service should not exist.
//! So is a body whose SHA-256 is not signed. Nothing of a body is read before this.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use parking_lot::Mutex;

use super::refusal::Kind;
use super::refusal::Refusal;
use crate::auth::Keys;
use crate::auth::Payload;
use crate::auth::RequestHead;
use crate::auth::Verifier;
use crate::base::Identity;
use crate::base::Sha256Digest;
use crate::base::Timestamp;
use crate::sys::clock::Clock;

/// The least time between two lines in the log about refused requests.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Checks who is asking.
pub struct Door {
    verifier: Verifier,
    keys: Box<dyn Keys + Send + Sync>,
    clock: Arc<dyn Clock>,
    failures: Mutex<Failures>,
}

/// Refusals that are not yet in the log.
#[derive(Default)]
struct Failures {
    count: u64,
    logged: Option<Timestamp>,
}

impl Door {
    /// A door for the holders of `keys`.
    pub fn new(verifier: Verifier, keys: Box<dyn Keys + Send + Sync>, clock: Arc<dyn Clock>) -> Self {
        Self { verifier, keys, clock, failures: Mutex::default() }
    }

    /// Now, by the clock that signatures are held against.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets a request in; returns what its body must hash to.
    pub(super) fn admit(&self, request: &HttpRequest) -> Result<Sha256Digest, Refusal> {
        self.check(request).inspect_err(|refusal| self.note(request, refusal))
    }

    fn check(&self, request: &HttpRequest) -> Result<Sha256Digest, Refusal> {
        if !request.headers().contains_key("authorization") {
            return Err(Refusal::new(
                Kind::Unsigned,
                "sign the request with the root credentials: Signature Version 4 in the Authorization header, for the \
                 service s3; presigned URLs are not taken here",
            ));
        }
        let headers: Vec<(&str, &[u8])> =
            request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let head = RequestHead {
            method: request.method().as_str(),
            path: request.uri().path(),
            query: request.uri().query().unwrap_or_default(),
            headers: &headers,
        };
        let authenticated = self.verifier.authenticate(&head, self.keys.as_ref(), self.now())?;
        match authenticated.identity() {
            Identity::Root { .. } => {}
            Identity::Anonymous => return Err(Refusal::new(Kind::Unsigned, "the request is not signed")),
        }
        match authenticated.into_payload() {
            Payload::Sha256(digest) => Ok(digest),
            Payload::Unsigned | Payload::Chunked(_) => Err(Refusal::invalid(
                "x-amz-content-sha256 must be the SHA-256 of the body; unsigned and chunked bodies are not taken here",
            )),
        }
    }

    /// Someone who tries keys must show in the log, and must not fill it.
    fn note(&self, request: &HttpRequest, refusal: &Refusal) {
        let peer = request.peer_addr();
        tracing::debug!(?peer, path = request.path(), %refusal, "an admin request was refused");
        let (now, mut failures) = (self.now(), self.failures.lock());
        failures.count += 1;
        if failures.logged.is_none_or(|logged| now.since(logged) >= LOG_EVERY || now < logged) {
            tracing::warn!(?peer, count = failures.count, last = %refusal, "admin requests were refused");
            *failures = Failures { count: 0, logged: Some(now) };
        }
    }
}
