//! What the head of a request says about its body: length, framing, digests. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::auth::Chunked;
use crate::auth::Payload;
use crate::base::Md5Digest;
use crate::base::Sha256Digest;
use crate::http::error::Error;
use crate::http::request::Request;
use crate::s3::checksum::Checksum;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::error_code::ErrorCode;
use crate::store::Promises;

/// What was announced.
pub struct Announced {
    /// Length of the body itself, without framing, in bytes.
    pub length: Option<u64>,
    /// How it is framed.
    pub framing: Framed,
    /// What it must digest to, as far as the head tells.
    pub promises: Promises,
    /// `x-amz-trailer`: the headers that will follow the body.
    pub trailer: String,
}

/// How a body is framed inside its HTTP message.
#[expect(
    clippy::large_enum_variant,
    reason = "one for each request, taken apart at once; a box would be an allocation"
)]
pub enum Framed {
    /// Not at all.
    Plain,
    /// As aws-chunked; the digest, if any, is that of the bytes with their framing.
    Chunked(Chunked, Option<Sha256Digest>),
}

/// Reads the head of a request whose `x-amz-checksum-…` is that of its body. `payload` is what the signature says
/// about the body.
pub fn announced(request: &Request<'_>, payload: Payload) -> Result<Announced, Error> {
    let sent = checksum(request)?;
    let trailer = trailer(request)?;
    if sent.is_some() && trailer.is_some() {
        return Err(several());
    }
    check_sdk_algorithm(request, sent.as_ref().map(Checksum::algorithm).or(trailer))?;
    read(request, payload, sent, trailer)
}

/// The same for CompleteMultipartUpload, whose `x-amz-checksum-…` is that of the object.
pub fn announced_about_object(request: &Request<'_>, payload: Payload) -> Result<Announced, Error> {
    let trailer = trailer(request)?;
    read(request, payload, None, trailer)
}

fn read(
    request: &Request<'_>,
    payload: Payload,
    sent: Option<Checksum>,
    trailer: Option<ChecksumAlgorithm>,
) -> Result<Announced, Error> {
    let algorithm = sent.as_ref().map(Checksum::algorithm).or(trailer);
    let mut promises = Promises { md5: content_md5(request)?, sha256: None, algorithm, checksum: sent };
    let is_encoded = is_aws_chunked(request);
    let content_length = length(request, "content-length")?;
    let decoded_length = length(request, "x-amz-decoded-content-length")?;
    let framing = match payload {
        Payload::Chunked(chunked) => Framed::Chunked(chunked, None),
        Payload::Unsigned if is_encoded => {
            let message = "aws-chunked encoding is not supported when x-amz-content-sha256 UNSIGNED-PAYLOAD is supplied.";
            return Err(Error::with(ErrorCode::InvalidRequest, message));
        }
        // Framed like a stream but signed as a whole: the hash is over what was sent, framing and all.
        Payload::Sha256(digest) if is_encoded && decoded_length.is_some() => {
            Framed::Chunked(Chunked { signer: None, trailer: trailer.is_some() }, Some(digest))
        }
        Payload::Unsigned => Framed::Plain,
        Payload::Sha256(digest) => {
            promises.sha256 = Some(digest);
            Framed::Plain
        }
    };
    let length = match &framing {
        Framed::Plain if trailer.is_some() => {
            let message = "x-amz-trailer needs a body with aws-chunked framing.";
            return Err(Error::with(ErrorCode::MalformedTrailerError, message));
        }
        Framed::Plain => content_length,
        Framed::Chunked(..) if decoded_length.is_none() => {
            return Err(Error::new(ErrorCode::MissingContentLength));
        }
        Framed::Chunked(..) => decoded_length,
    };
    let trailer = request.text("x-amz-trailer")?.unwrap_or_default().to_owned();
    Ok(Announced { length, framing, promises, trailer })
}

/// Whether the request says how long its body is, or that it comes in chunks. Without either, S3 wants a length.
pub fn has_body(request: &Request<'_>) -> bool {
    request.has("content-length") || request.has("transfer-encoding")
}

fn length(request: &Request<'_>, name: &'static str) -> Result<Option<u64>, Error> {
    let Some(text) = request.text(name)? else { return Ok(None) };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(length) if is_number => Ok(Some(length)),
        _ => Err(Error::invalid_argument(name, text, "The length is not a number of bytes")),
    }
}

fn is_aws_chunked(request: &Request<'_>) -> bool {
    let codings = request.kept("content-encoding").unwrap_or_default();
    codings.split(',').any(|coding| coding.trim().eq_ignore_ascii_case("aws-chunked"))
}

/// `Content-MD5` (RFC 1864).
fn content_md5(request: &Request<'_>) -> Result<Option<Md5Digest>, Error> {
    let Some(text) = request.text("content-md5")? else { return Ok(None) };
    let digest = BASE64.decode(text).ok().and_then(|bytes| Md5Digest::try_from(bytes).ok());
    digest.map(Some).ok_or_else(|| {
        let message = "The Content-MD5 you specified was invalid.";
        Error::with(ErrorCode::InvalidDigest, message).element("Content-MD5", text)
    })
}

/// The one `x-amz-checksum-…` header with a value.
fn checksum(request: &Request<'_>) -> Result<Option<Checksum>, Error> {
    let mut found = None;
    for name in request.names() {
        let Some(rest) = name.strip_prefix("x-amz-checksum-") else { continue };
        if matches!(rest, "algorithm" | "mode" | "type") {
            continue;
        }
        let algorithm = ChecksumAlgorithm::from_header(name).ok_or_else(unknown_algorithm)?;
        if found.is_some() {
            return Err(several());
        }
        let text = request.text(algorithm.header())?.unwrap_or_default();
        found = Some(Checksum::from_base64(algorithm, text).ok_or_else(|| invalid_value(algorithm))?);
    }
    Ok(found)
}

/// The checksum that `x-amz-trailer` announces; other trailers mean nothing to S3.
fn trailer(request: &Request<'_>) -> Result<Option<ChecksumAlgorithm>, Error> {
    let mut found = None;
    let names = request.text("x-amz-trailer")?.unwrap_or_default();
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let Some(algorithm) = ChecksumAlgorithm::from_header(name) else {
            let message = "The value specified in the x-amz-trailer header is not supported";
            return Err(Error::with(ErrorCode::InvalidRequest, message));
        };
        if found.replace(algorithm).is_some() {
            return Err(several());
        }
    }
    Ok(found)
}

/// `x-amz-sdk-checksum-algorithm` must be true of what is sent.
fn check_sdk_algorithm(request: &Request<'_>, sent: Option<ChecksumAlgorithm>) -> Result<(), Error> {
    let Some(name) = request.text("x-amz-sdk-checksum-algorithm")? else { return Ok(()) };
    match (ChecksumAlgorithm::from_name(name), sent) {
        (None, _) => Err(unknown_algorithm()),
        (Some(named), Some(sent)) if named == sent => Ok(()),
        (Some(_), Some(_)) => {
            let message = "Value for x-amz-sdk-checksum-algorithm header is invalid.";
            Err(Error::with(ErrorCode::InvalidRequest, message))
        }
        (Some(_), None) => {
            let message = "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or \
                           x-amz-trailer headers were found.";
            Err(Error::with(ErrorCode::InvalidRequest, message))
        }
    }
}

fn several() -> Error {
    let message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
    Error::with(ErrorCode::InvalidRequest, message)
}

fn unknown_algorithm() -> Error {
    let message = "The algorithm type you specified in x-amz-checksum- header is invalid.";
    Error::with(ErrorCode::InvalidRequest, message)
}

/// A checksum value, in a header or trailer, that is no value of its algorithm.
pub fn invalid_value(algorithm: ChecksumAlgorithm) -> Error {
    let message = format!("Value for {} header is invalid.", algorithm.header());
    Error::with(ErrorCode::BadDigest, message)
}

#[cfg(test)]
#[path = "announced_tests.rs"]
mod tests;
