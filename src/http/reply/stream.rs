//! Bodies of replies, as actix sends them.

use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use actix_web::body::BodySize;
use actix_web::body::MessageBody;
use bytes::Bytes;

use crate::http::access_log::Record;
use crate::store::Error;
use crate::store::ObjectReader;

/// The bytes of an object. The length is announced; bytes that cannot be had break the connection, so that the client
/// never takes a part for the whole.
pub struct ObjectBody {
    reader: ObjectReader,
    record: Record,
}

impl ObjectBody {
    /// Sends what `reader` gives; `record` is written when that has ended.
    pub const fn new(reader: ObjectReader, record: Record) -> Self {
        Self { reader, record }
    }
}

impl MessageBody for ObjectBody {
    type Error = Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.reader.length())
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let chunk = ready!(self.reader.poll_next(cx));
        match &chunk {
            Some(Ok(bytes)) => self.record.sent += bytes.len() as u64,
            Some(Err(error)) => {
                tracing::error!(request_id = %self.record.id(), %error, "a reply was broken off");
            }
            None => {}
        }
        Poll::Ready(chunk)
    }
}

/// No bytes, but the length that a GET would send (RFC 9110, section 9.3.2).
pub struct LengthOnly(pub u64);

impl MessageBody for LengthOnly {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0)
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, std::convert::Infallible>>> {
        Poll::Ready(None)
    }
}
