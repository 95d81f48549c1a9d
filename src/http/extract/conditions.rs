//! `If-…` headers.

use crate::http::error::Error;
use crate::http::extract::not_implemented;
use crate::http::request::Request;
use crate::s3::condition::Conditions;
use crate::s3::condition::WriteConditions;
use crate::s3::date;

/// The conditions of a read.
pub fn read(request: &Request<'_>) -> Result<Conditions, Error> {
    Ok(Conditions {
        if_match: tags(request, "if-match"),
        if_none_match: tags(request, "if-none-match"),
        if_modified_since: request.text("if-modified-since")?.and_then(date::parse_http),
        if_unmodified_since: request.text("if-unmodified-since")?.and_then(date::parse_http),
    })
}

/// The conditions on the source of a copy.
pub fn copy_source(request: &Request<'_>) -> Result<Conditions, Error> {
    let at = |name: &'static str| {
        let Some(text) = request.text(name)? else { return Ok(None) };
        // Unlike a date of HTTP itself, which is ignored when it cannot be read: a guard must not vanish.
        let read = date::parse_http(text).or_else(|| date::parse_iso(text));
        read.map(Some).ok_or_else(|| Error::invalid_argument(name, text, "The date cannot be read"))
    };
    Ok(Conditions {
        if_match: tags(request, "x-amz-copy-source-if-match"),
        if_none_match: tags(request, "x-amz-copy-source-if-none-match"),
        if_modified_since: at("x-amz-copy-source-if-modified-since")?,
        if_unmodified_since: at("x-amz-copy-source-if-unmodified-since")?,
    })
}

/// The conditions of a write: tags alone, S3 knows no dates there.
pub fn write(request: &Request<'_>) -> Result<WriteConditions, Error> {
    for name in ["if-modified-since", "if-unmodified-since"] {
        if request.has(name) {
            return Err(not_implemented("Header", name));
        }
    }
    Ok(WriteConditions { if_match: tags(request, "if-match"), if_none_match: tags(request, "if-none-match") })
}

/// The condition of a delete: `If-Match` alone.
pub fn delete(request: &Request<'_>) -> Result<Option<String>, Error> {
    for name in ["if-none-match", "if-modified-since", "if-unmodified-since"] {
        if request.has(name) {
            return Err(not_implemented("Header", name));
        }
    }
    Ok(tags(request, "if-match"))
}

/// Tags; a header that came twice is one list of them (RFC 9110, section 5.3).
fn tags(request: &Request<'_>, name: &'static str) -> Option<String> {
    request.kept(name).map(|tags| tags.trim().to_owned())
}
