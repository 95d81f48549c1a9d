//! The body of a request as a [`ByteSource`]: framing removed, lengths, signatures and trailers checked on the way.
//!
//! What is always true: a body ends with `None` only when everything announced arrived; whatever else happens is an
//! error, so nothing short, cut off or forged is ever committed. Digests are compared by whoever consumes the body.

pub mod announced;
pub mod chunked;
pub mod document;

use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use actix_web::dev;
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream as _;
use sha2::Digest as _;
use sha2::Sha256;

use crate::base::Sha256Digest;
use crate::s3::checksum::Checksum;
use crate::s3::error_code::ErrorCode;
use crate::store::ByteSource;
use crate::store::Promises;
use crate::store::SourceError;

use announced::Announced;
use announced::Framed;
use chunked::DecodeError;
use chunked::Decoder;
use chunked::Trailers;

/// The body of a request.
pub struct Body {
    payload: dev::Payload,
    framing: Framing,
    length: Option<u64>,
    received: u64,
    promises: Promises,
    ended: bool,
}

enum Framing {
    Plain,
    Chunked(Box<Unframing>),
}

/// The framing of aws-chunked, being taken off.
struct Unframing {
    /// Gone once it has told the trailer.
    decoder: Option<Decoder>,
    /// What the bytes digest to with their framing, when that was signed.
    signed: Option<(Sha256, Sha256Digest)>,
}

impl Body {
    /// The body that was announced, to be read from `payload`.
    pub fn new(payload: dev::Payload, announced: Announced) -> Self {
        let Announced { length, framing, promises, trailer } = announced;
        let framing = match framing {
            Framed::Plain => Framing::Plain,
            Framed::Chunked(chunked, signed) => Framing::Chunked(Box::new(Unframing {
                decoder: Some(Decoder::new(chunked, length.unwrap_or(0), &trailer)),
                signed: signed.map(|digest| (Sha256::new(), digest)),
            })),
        };
        Self { payload, framing, length, received: 0, promises, ended: false }
    }

    /// Bytes of the body that were handed on.
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Whether it was read to its end, so that the next request of the connection can follow.
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    fn poll_framed(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, SourceError>> {
        loop {
            if let Framing::Chunked(unframing) = &mut self.framing
                && let Some(data) = unframing.next_data()?
            {
                return Poll::Ready(Ok(Some(data)));
            }
            let bytes = match ready!(Pin::new(&mut self.payload).poll_next(cx)) {
                Some(Ok(bytes)) => bytes,
                Some(Err(error)) => return Poll::Ready(Err(cut_off(&error))),
                None => return Poll::Ready(self.end().map(|()| None)),
            };
            match &mut self.framing {
                Framing::Plain => return Poll::Ready(Ok(Some(bytes))),
                Framing::Chunked(unframing) => unframing.push(bytes),
            }
        }
    }

    /// Everything that the connection had for this request was read: whether that is all there should be.
    fn end(&mut self) -> Result<(), SourceError> {
        self.ended = true;
        if let Framing::Chunked(unframing) = &mut self.framing {
            let trailers = unframing.finish()?;
            self.take_trailer(&trailers)?;
        }
        match self.length {
            Some(length) if self.received != length => Err(incomplete()),
            _ => Ok(()),
        }
    }

    fn take_trailer(&mut self, trailers: &Trailers) -> Result<(), SourceError> {
        for (algorithm, text) in trailers.checksums() {
            let checksum = Checksum::from_base64(algorithm, text).ok_or_else(|| {
                let error = announced::invalid_value(algorithm);
                SourceError::new(error.code, error.message)
            })?;
            self.promises.checksum = Some(checksum);
        }
        Ok(())
    }
}

impl Unframing {
    fn push(&mut self, bytes: Bytes) {
        if let Some((digest, _)) = &mut self.signed {
            digest.update(&bytes);
        }
        if let Some(decoder) = &mut self.decoder {
            decoder.push(bytes);
        }
    }

    fn next_data(&mut self) -> Result<Option<Bytes>, SourceError> {
        match &mut self.decoder {
            Some(decoder) => decoder.next_data().map_err(refused),
            None => Ok(None),
        }
    }

    fn finish(&mut self) -> Result<Trailers, SourceError> {
        let decoder = self.decoder.take().ok_or_else(incomplete)?;
        let trailers = decoder.finish().map_err(refused)?;
        let Some((digest, signed)) = self.signed.take() else { return Ok(trailers) };
        match Sha256Digest::from(digest.finalize()) == signed {
            true => Ok(trailers),
            false => {
                let code = ErrorCode::XAmzContentSHA256Mismatch;
                Err(SourceError::new(code, code.message()))
            }
        }
    }
}

impl ByteSource for Body {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, SourceError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let chunk = ready!(self.poll_framed(cx));
        if let Ok(Some(bytes)) = &chunk {
            self.received += bytes.len() as u64;
        }
        Poll::Ready(chunk.transpose())
    }

    fn length(&self) -> Option<u64> {
        self.length
    }

    fn promises(&self) -> Promises {
        self.promises.clone()
    }
}

fn incomplete() -> SourceError {
    SourceError::new(ErrorCode::IncompleteBody, ErrorCode::IncompleteBody.message())
}

fn refused(error: DecodeError) -> SourceError {
    SourceError::new(error.code(), error.to_string())
}

/// Why the connection gave no more bytes.
pub fn cut_off(error: &PayloadError) -> SourceError {
    let broken = || SourceError::new(ErrorCode::BadRequest, "The framing of the body is broken.");
    match error {
        PayloadError::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            SourceError::new(ErrorCode::RequestTimeout, ErrorCode::RequestTimeout.message())
        }
        PayloadError::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => broken(),
        PayloadError::EncodingCorrupted => broken(),
        _ => incomplete(),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
