//! Where the bytes of a body come from, and what they promised to be.

use std::borrow::Cow;
use std::task::Context;
use std::task::Poll;

use bytes::Bytes;

use crate::base::Md5Digest;
use crate::base::Sha256Digest;
use crate::s3::checksum::Checksum;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::error_code::ErrorCode;

/// A body with its framing removed and its signatures checked on the way.
pub trait ByteSource {
    /// The next bytes; `None` once everything that was announced has arrived and every signature, trailer and
    /// length held. After an error or `None` it is not polled again.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, SourceError>>>;

    /// Length of the body in bytes, when it was announced.
    fn length(&self) -> Option<u64>;

    /// What the bytes must digest to. Final only after `poll_chunk` returned `None`, since trailers come last.
    fn promises(&self) -> Promises;
}

/// The digests a client announced for its body. All of them are compared before anything is committed.
#[derive(Debug, Clone, Default)]
pub struct Promises {
    /// `Content-MD5`.
    pub md5: Option<Md5Digest>,
    /// `x-amz-content-sha256` of a payload that was signed as a whole.
    pub sha256: Option<Sha256Digest>,
    /// The checksum algorithm, known from the start even when the value comes as a trailer.
    pub algorithm: Option<ChecksumAlgorithm>,
    /// The checksum value, from a header or a trailer.
    pub checksum: Option<Checksum>,
}

/// The body ended in a way the client must be told about.
#[derive(Debug, thiserror::Error)]
#[error("{code:?}: {message}")]
pub struct SourceError {
    /// What to answer.
    pub code: ErrorCode,
    /// What was wrong, for the client.
    pub message: Cow<'static, str>,
    /// Further elements of the error document.
    pub extra: Vec<(&'static str, String)>,
}

impl SourceError {
    /// An error without further elements.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), extra: Vec::new() }
    }
}

/// Waits for the next chunk of `source`.
pub(super) async fn next_chunk(source: &mut dyn ByteSource) -> Option<Result<Bytes, SourceError>> {
    std::future::poll_fn(|cx| source.poll_chunk(cx)).await
}
