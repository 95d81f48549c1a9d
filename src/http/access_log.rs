//! One line and one set of counters per request, written when its reply has ended.
//!
//! Neither headers nor the query are logged: both can carry signatures.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use actix_web::HttpRequest;

use crate::base::RequestId;
use crate::s3::error_code::ErrorCode;
use crate::s3::operation::Operation;
use crate::sys::metrics::Metrics;

/// The status of a request whose client went away before there was a reply.
const CLIENT_GONE: u16 = 499;

/// What is known of one request. Dropping it writes it down, so a request that was cut off is not forgotten.
pub struct Record {
    metrics: Arc<Metrics>,
    begun: Instant,
    id: RequestId,
    line: Option<Line>,
    /// What the request meant, once that is known.
    pub operation: Option<Operation>,
    /// The status of the reply.
    pub status: u16,
    /// The code of the refusal.
    pub code: Option<ErrorCode>,
    /// Bytes of the request's body.
    pub received: u64,
    /// Bytes of the reply's body.
    pub sent: u64,
}

/// What the line says of the request itself; kept only when somebody reads it.
struct Line {
    remote: Option<SocketAddr>,
    method: String,
    path: String,
}

impl Record {
    /// Begins with the request's arrival.
    pub fn begin(metrics: Arc<Metrics>, id: RequestId, request: &HttpRequest) -> Self {
        let line = tracing::enabled!(target: "holdall::access", tracing::Level::INFO).then(|| Line {
            remote: request.peer_addr(),
            method: request.method().as_str().to_owned(),
            path: request.uri().path().to_owned(),
        });
        Self {
            metrics,
            begun: Instant::now(),
            id,
            line,
            operation: None,
            status: CLIENT_GONE,
            code: None,
            received: 0,
            sent: 0,
        }
    }

    /// The id of the request.
    pub const fn id(&self) -> RequestId {
        self.id
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let elapsed = self.begun.elapsed();
        let operation = self.operation.map_or("Unknown", Operation::name);
        self.metrics.request(operation, self.status, elapsed.as_secs_f64());
        self.metrics.bytes(self.received, self.sent);
        let Some(line) = &self.line else { return };
        tracing::info!(
            target: "holdall::access",
            request_id = %self.id,
            remote = line.remote.map(tracing::field::display),
            method = line.method,
            path = line.path,
            operation,
            status = self.status,
            code = self.code.map(ErrorCode::as_str),
            received = self.received,
            sent = self.sent,
            micros = elapsed.as_micros() as u64,
            "request"
        );
    }
}
