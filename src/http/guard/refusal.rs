//! Answers that are given before, or instead of, a handler's.

use std::borrow::Cow;

use actix_web::body::BoxBody;
use actix_web::dev::Response;
use actix_web::http::StatusCode;
use actix_web::http::header;

use crate::base::Timestamp;
use crate::s3::date;
use crate::s3::error_code::ErrorCode;
use crate::s3::xml::write::Writer;
use crate::sys::clock::Clock as _;
use crate::sys::clock::SystemClock;
use crate::sys::entropy::Entropy as _;
use crate::sys::entropy::SystemEntropy;

/// Why a connection is answered with an error and closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    code: ErrorCode,
    message: Cow<'static, str>,
}

impl Refusal {
    /// With the message that belongs to the code.
    pub(super) fn new(code: ErrorCode) -> Self {
        Self { code, message: Cow::Borrowed(code.message()) }
    }

    /// The bytes are not a request that has one meaning.
    pub(super) fn malformed(message: &'static str) -> Self {
        Self { code: ErrorCode::BadRequest, message: Cow::Borrowed(message) }
    }

    #[cfg(test)]
    pub(super) const fn code(&self) -> ErrorCode {
        self.code
    }

    /// The reply as bytes, for a connection that is closed after it.
    pub(super) fn wire(&self) -> Vec<u8> {
        let (id, body) = self.document();
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let mut wire = format!(
            "HTTP/1.1 {} {}\r\ncontent-type: application/xml\r\ncontent-length: {}\r\nconnection: close\r\n\
             x-amz-request-id: {id}\r\ndate: {}\r\n\r\n",
            status.as_u16(),
            status.canonical_reason().unwrap_or_default(),
            body.len(),
            date::http(now()),
        )
        .into_bytes();
        wire.extend_from_slice(&body);
        wire
    }

    /// The reply as a response, for a request that reached the service.
    pub(super) fn response(&self) -> Response<BoxBody> {
        let (id, body) = self.document();
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = Response::with_body(status, BoxBody::new(body));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/xml"));
        if let Ok(id) = header::HeaderValue::from_str(&id) {
            headers.insert(header::HeaderName::from_static("x-amz-request-id"), id);
        }
        response
    }

    fn document(&self) -> (String, Vec<u8>) {
        let mut bytes = [0; 8];
        SystemEntropy.fill(&mut bytes);
        let id = hex::encode_upper(bytes);
        let mut xml = Writer::bare(256);
        xml.open("Error");
        xml.text("Code", self.code.as_str());
        xml.text("Message", &self.message);
        xml.text("RequestId", &id);
        (id, xml.finish("Error"))
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}
