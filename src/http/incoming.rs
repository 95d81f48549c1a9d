//! The body of a request before it is known whether anybody wants it.

use actix_web::dev;

use super::body::Body;
use super::body::announced;
use super::body::announced::Announced;
use super::body::document;
use super::error::Error;
use super::request::Request;
use crate::auth;
use crate::s3::error_code::ErrorCode;

/// The bytes behind a head. Nothing is read from them before the request was authenticated and allowed.
pub struct Incoming {
    payload: Option<dev::Payload>,
    body: Option<Body>,
    /// Bytes and end of a form, which is read outside.
    form: Option<(u64, bool)>,
}

impl Incoming {
    /// The bytes of a request.
    pub const fn new(payload: dev::Payload) -> Self {
        Self { payload: Some(payload), body: None, form: None }
    }

    /// The raw bytes, for a form, which says in itself who signed it.
    pub fn take_raw(&mut self) -> Result<dev::Payload, Error> {
        self.payload.take().ok_or_else(|| Error::new(ErrorCode::InternalError))
    }

    /// The body of an object or part. It must say how long it is, or that it comes in chunks.
    pub fn body(&mut self, request: &Request<'_>, says: auth::Payload) -> Result<&mut Body, Error> {
        if !announced::has_body(request) {
            return Err(Error::new(ErrorCode::MissingContentLength));
        }
        self.open(announced::announced(request, says)?)
    }

    /// A document of at most `max` bytes; empty when there is no body.
    pub async fn document(
        &mut self,
        request: &Request<'_>,
        says: auth::Payload,
        max: usize,
    ) -> Result<Vec<u8>, Error> {
        document::read(self.open(announced::announced(request, says)?)?, max).await
    }

    /// The document of CompleteMultipartUpload: a checksum in its head is that of the object.
    pub async fn list_of_parts(
        &mut self,
        request: &Request<'_>,
        says: auth::Payload,
    ) -> Result<Vec<u8>, Error> {
        let announced = announced::announced_about_object(request, says)?;
        document::read(self.open(announced)?, document::LIST_BYTES_MAX).await
    }

    fn open(&mut self, announced: Announced) -> Result<&mut Body, Error> {
        let body = Body::new(self.take_raw()?, announced);
        Ok(self.body.insert(body))
    }

    /// How far a form was read: bytes of its file, and whether it was read to its end.
    pub const fn note_form(&mut self, received: u64, has_ended: bool) {
        self.form = Some((received, has_ended));
    }

    /// Bytes of the body that were read.
    pub fn received(&self) -> u64 {
        self.form.map_or(0, |(received, _)| received) + self.body.as_ref().map_or(0, Body::received)
    }

    /// Whether nothing is left that would stand in the way of the connection's next request.
    pub fn is_spent(&self, request: &Request<'_>) -> bool {
        let has_none = !request.has("transfer-encoding")
            && request.bytes("content-length").is_none_or(|length| length == b"0");
        has_none
            || self.body.as_ref().is_some_and(Body::has_ended)
            || self.form.is_some_and(|(_, has_ended)| has_ended)
    }
}
