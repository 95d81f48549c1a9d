//! The refusals that carry more than a message, as AWS words them.

use std::fmt::Write as _;

use super::AuthError;
use crate::s3::error_code::ErrorCode;

/// Canonical requests up to this many bytes are told back to the client; longer ones would let a stranger who knows
/// an access key draw answers several times the size of the question.
const TOLD_BYTES_MAX: usize = 8 * 1024;

/// The signature is another than the one computed. Tells what was signed here, so that the author of a client can
/// compare: all of it came from the client.
pub(super) fn mismatch(access_key: &str, provided: &str, message: &[u8], request: &[u8]) -> AuthError {
    let error = AuthError::of(ErrorCode::SignatureDoesNotMatch)
        .with("AWSAccessKeyId", access_key)
        .with("StringToSign", printable(message))
        .with("SignatureProvided", provided)
        .with("StringToSignBytes", spaced_hex(message));
    if request.len() > TOLD_BYTES_MAX {
        return error;
    }
    error.with("CanonicalRequest", printable(request)).with("CanonicalRequestBytes", spaced_hex(request))
}

/// As text that XML can carry: what is neither UTF-8 nor printable is replaced.
fn printable(bytes: &[u8]) -> String {
    let replaced = |c: char| {
        if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c }
    };
    String::from_utf8_lossy(bytes).chars().map(replaced).collect()
}

fn spaced_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for (index, byte) in bytes.iter().enumerate() {
        let space = if index > 0 { " " } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(text, "{space}{byte:02x}");
    }
    text
}

/// Two ways of authenticating at once.
pub(super) fn two_mechanisms(value: &str) -> AuthError {
    AuthError::new(
        ErrorCode::InvalidArgument,
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
         parameter or the Authorization header should be specified",
    )
    .with("ArgumentName", "Authorization")
    .with("ArgumentValue", value)
}

/// Headers that count arrived unsigned.
pub(super) fn not_signed(names: &[&str]) -> AuthError {
    AuthError::new(ErrorCode::AccessDenied, "There were headers present in the request which were not signed")
        .with("HeadersNotSigned", names.join(", "))
}

/// A signed header request does not say what its payload is.
pub(super) fn no_content_sha256() -> AuthError {
    AuthError::new(
        ErrorCode::InvalidRequest,
        "Missing required header for this request: x-amz-content-sha256",
    )
}

/// There is no date, or none that can be read.
pub(super) fn no_date() -> AuthError {
    AuthError::new(ErrorCode::AccessDenied, "AWS authentication requires a valid Date or x-amz-date header")
}

/// Long-term keys come without session tokens, and no other keys exist here.
pub(super) fn no_tokens(present: bool) -> Result<(), AuthError> {
    if present { Err(AuthError::of(ErrorCode::InvalidToken)) } else { Ok(()) }
}

#[cfg(test)]
#[path = "refusal_tests.rs"]
mod tests;
