//! `x-amz-copy-source`: which object a copy reads.

use crate::http::error::Error;
use crate::http::extract::conditions;
use crate::http::query::decoded;
use crate::http::request::Request;
use crate::http::route::bucket_name;
use crate::http::route::key_too_long;
use crate::ops::object::copy::Source;
use crate::s3::name::BucketName;
use crate::s3::name::InvalidKey;
use crate::s3::name::ObjectKey;

/// The source of a copy and the conditions on it.
pub fn source(request: &Request<'_>) -> Result<Source, Error> {
    let (bucket, key) = names(request)?;
    Ok(Source { bucket, key, conditions: conditions::copy_source(request)? })
}

/// Bucket and key of the source of a copy.
pub fn names(request: &Request<'_>) -> Result<(BucketName, ObjectKey), Error> {
    parse(request.text("x-amz-copy-source")?.unwrap_or_default())
}

/// Reads `[/]bucket/key[?versionId=…]`. Bucket and key are decoded once, like a path; a client that does not encode
/// sends a key without percent signs, which decodes to itself.
fn parse(text: &str) -> Result<(BucketName, ObjectKey), Error> {
    let invalid = |message: &'static str| Error::invalid_argument("x-amz-copy-source", text, message);
    let (path, query) = match text.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version)),
        None => (text, None),
    };
    if path.starts_with("arn:") {
        return Err(super::not_implemented("Header", "x-amz-copy-source"));
    }
    if query.is_some_and(|version| version != "null") {
        return Err(super::not_implemented("Parameter", "versionId"));
    }
    let path = decoded(path).map_err(|_| invalid("Invalid copy source encoding."))?;
    let path = path.strip_prefix('/').unwrap_or(&path);
    let (bucket, key) = path.split_once('/').ok_or_else(|| invalid("Invalid copy source object key"))?;
    let key = ObjectKey::new(key).map_err(|error| match error {
        InvalidKey::Empty => invalid("Invalid copy source object key"),
        InvalidKey::TooLong => key_too_long(key.len()),
    })?;
    Ok((bucket_name(bucket)?, key))
}

#[cfg(test)]
#[path = "copy_source_tests.rs"]
mod tests;
