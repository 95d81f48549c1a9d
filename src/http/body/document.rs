//! Documents in bodies: read whole, bounded, and held to the same promises as any body.

use std::future::poll_fn;

use sha2::Digest as _;

use super::Body;
use crate::http::error::Error;
use crate::s3::checksum::Hasher;
use crate::s3::error_code::ErrorCode;
use crate::store::ByteSource as _;
use crate::store::Promises;

/// The largest document in bytes, but for the two below.
pub const DOCUMENT_BYTES_MAX: usize = 1 << 20;

/// The largest list of objects to delete or parts to complete: a thousand keys of 1,024 bytes that need escaping, or
/// ten thousand parts with checksums.
pub const LIST_BYTES_MAX: usize = 2 << 20;

/// Reads the whole body, at most `max` bytes.
pub async fn read(body: &mut Body, max: usize) -> Result<Vec<u8>, Error> {
    let too_large =
        || Error::with(ErrorCode::MalformedXML, format!("The document is larger than {max} bytes."));
    if body.length().is_some_and(|length| length > max as u64) {
        return Err(too_large());
    }
    let mut document = Vec::with_capacity(body.length().unwrap_or(0) as usize);
    while let Some(chunk) = poll_fn(|cx| body.poll_chunk(cx)).await {
        let chunk = chunk?;
        if document.len() + chunk.len() > max {
            return Err(too_large());
        }
        document.extend_from_slice(&chunk);
    }
    keep(&body.promises(), &document)?;
    Ok(document)
}

/// Holds a document to what its sender promised.
fn keep(promises: &Promises, document: &[u8]) -> Result<(), Error> {
    if promises.md5.is_some_and(|promised| promised != <[u8; 16]>::from(md5::Md5::digest(document))) {
        let message = "The Content-MD5 you specified did not match what we received.";
        return Err(Error::with(ErrorCode::BadDigest, message));
    }
    if promises.sha256.is_some_and(|promised| promised != <[u8; 32]>::from(sha2::Sha256::digest(document))) {
        return Err(Error::new(ErrorCode::XAmzContentSHA256Mismatch));
    }
    let Some(promised) = &promises.checksum else { return Ok(()) };
    let mut hasher = Hasher::new(promised.algorithm());
    hasher.update(document);
    match hasher.finish() == *promised {
        true => Ok(()),
        false => {
            let name = promised.algorithm().name();
            let message = format!("The {name} you specified did not match the calculated checksum.");
            Err(Error::with(ErrorCode::BadDigest, message))
        }
    }
}
