//! What a request says about its payload, in `x-amz-content-sha256`.

use super::AuthError;
use super::ChunkSigner;
use crate::base::Sha256Digest;
use crate::s3::error_code::ErrorCode;

/// What the signature says about the payload, for whoever reads the body to hold it to.
pub enum Payload {
    /// Nothing: any bytes will do.
    Unsigned,
    /// Its SHA-256; a body with another is `XAmzContentSHA256Mismatch`.
    Sha256(Sha256Digest),
    /// It is framed as aws-chunked.
    Chunked(Chunked),
}

/// How an aws-chunked body is framed.
pub struct Chunked {
    /// Checks the signatures of the chunks; absent when they are unsigned.
    pub signer: Option<ChunkSigner>,
    /// Whether a trailer follows the last chunk.
    pub trailer: bool,
}

/// The values of `x-amz-content-sha256`, before there is a signature to continue from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declared {
    Unsigned,
    Sha256(Sha256Digest),
    SignedChunks { trailer: bool },
    UnsignedChunks,
}

/// What a request is signed with that leaves its payload alone.
pub(super) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

impl Declared {
    /// Reads a value of `x-amz-content-sha256`
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>).
    pub(super) fn parse(value: &str) -> Result<Self, AuthError> {
        match value {
            UNSIGNED_PAYLOAD => Ok(Self::Unsigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Ok(Self::SignedChunks { trailer: false }),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Ok(Self::SignedChunks { trailer: true }),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Ok(Self::UnsignedChunks),
            _ => {
                let mut digest = Sha256Digest::default();
                match hex::decode_to_slice(value, &mut digest) {
                    Ok(()) => Ok(Self::Sha256(digest)),
                    Err(_) => Err(invalid(value)),
                }
            }
        }
    }

    /// The payload of a request that is not signed: nothing can check the signatures of chunks.
    pub(super) fn anonymous(self) -> Result<Payload, AuthError> {
        match self {
            Self::SignedChunks { .. } => Err(AuthError::new(
                ErrorCode::InvalidRequest,
                "Signed chunks need a request that is signed with AWS4-HMAC-SHA256.",
            )),
            Self::Unsigned => Ok(Payload::Unsigned),
            Self::Sha256(digest) => Ok(Payload::Sha256(digest)),
            Self::UnsignedChunks => Ok(Payload::Chunked(Chunked { signer: None, trailer: true })),
        }
    }

    /// The payload of a request that is signed; `signer` continues from its signature.
    pub(super) fn signed(self, signer: impl FnOnce() -> ChunkSigner) -> Payload {
        match self {
            Self::Unsigned => Payload::Unsigned,
            Self::Sha256(digest) => Payload::Sha256(digest),
            Self::SignedChunks { trailer } => Payload::Chunked(Chunked { signer: Some(signer()), trailer }),
            Self::UnsignedChunks => Payload::Chunked(Chunked { signer: None, trailer: true }),
        }
    }
}

pub(super) fn invalid(value: &str) -> AuthError {
    AuthError::new(
        ErrorCode::InvalidArgument,
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
         STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
    )
    .with("ArgumentName", "x-amz-content-sha256")
    .with("ArgumentValue", value)
}
