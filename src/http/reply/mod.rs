//! Outputs of operations → status, headers and a body; one file per kind of target.
//!
//! What every reply has in common (ids, server, closing of the connection) is added in `pipeline`.

pub mod bucket;
mod list;
pub mod multipart;
pub mod object;
pub mod probe;
pub mod stream;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;

use super::request::latin1_bytes;
use crate::store::ObjectReader;

/// A reply under construction.
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Body,
}

/// What a reply carries behind its headers.
pub enum Body {
    /// Nothing.
    Empty,
    /// Something small.
    Bytes(Vec<u8>),
    /// Bytes of an object.
    Object(ObjectReader),
    /// Nothing, but the length that GET would send: the reply to HEAD.
    Length(u64),
}

impl Reply {
    /// A reply without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::with_capacity(16), body: Body::Empty }
    }

    /// 200 with a document.
    pub fn document(document: Vec<u8>) -> Self {
        let mut reply = Self::empty(StatusCode::OK);
        reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        reply.body = Body::Bytes(document);
        reply
    }

    /// Sets a header of the protocol; its value is ours or was a header before, so it is valid.
    pub fn set(&mut self, name: &'static str, value: &str) {
        self.set_named(HeaderName::from_static(name), value);
    }

    /// Sets a header, when there is a value.
    pub fn set_optional(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// Sets a header whose name the client chose. `value` is text of a `char` per byte.
    pub fn set_named(&mut self, name: HeaderName, value: &str) {
        match HeaderValue::from_bytes(&latin1_bytes(value)) {
            Ok(value) => {
                self.headers.insert(name, value);
            }
            // Extraction lets nothing through that is no header value.
            Err(_) => tracing::error!(%name, "a stored value is no header value and was left out"),
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
