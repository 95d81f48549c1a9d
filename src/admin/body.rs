//! The body of a request: read to its end within bounds, held against its signed hash, then parsed.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header;
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use sha2::Digest as _;
use sha2::Sha256;

use super::refusal::Kind;
use super::refusal::Refusal;
use crate::base::Sha256Digest;

/// The longest body, in bytes; a path has a few thousand at most.
pub(super) const BYTES_MAX: usize = 64 << 10;

/// How long a body may take.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Reads the body of a request that was let in.
pub(super) async fn read(
    request: &HttpRequest,
    payload: Payload,
    digest: &Sha256Digest,
) -> Result<Vec<u8>, Refusal> {
    let too_large = || Refusal::new(Kind::TooLarge, format!("a body may have {BYTES_MAX} bytes at most"));
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > BYTES_MAX as u64)
    {
        return Err(too_large());
    }
    let collect = async {
        let (mut payload, mut bytes) = (payload, Vec::new());
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| Refusal::invalid(format!("the body broke off: {error}")))?;
            if bytes.len() + chunk.len() > BYTES_MAX {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    let bytes = tokio::time::timeout(TIME_MAX, collect).await;
    let bytes =
        bytes.unwrap_or_else(|_| Err(Refusal::new(Kind::Timeout, "the body did not come in time")))?;
    if Sha256Digest::from(Sha256::digest(&bytes)) != *digest {
        return Err(Refusal::invalid("the body has another SHA-256 than x-amz-content-sha256 says"));
    }
    Ok(bytes)
}

/// Whether the body is JSON by the request's own word.
pub(super) fn check_type(request: &HttpRequest) -> Result<(), Refusal> {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    match essence.trim().eq_ignore_ascii_case("application/json") {
        true => Ok(()),
        false => Err(Refusal::new(Kind::MediaType, "send the body as application/json")),
    }
}

/// Reads a document.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes)
        .map_err(|error| Refusal::invalid(format!("the body is not usable: {error}")))
}
