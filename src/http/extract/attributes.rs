//! What a request says about a new object beside its bytes; the same from headers and from the fields of a form.

use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;

use crate::http::error::Error;
use crate::http::request::Request;
use crate::http::request::latin1_bytes;
use crate::ops::object::Attributes;
use crate::ops::object::ContentHeaders;
use crate::s3::error_code::ErrorCode;

/// The most bytes of user metadata: names without their prefix, and values
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>).
pub const USER_METADATA_BYTES_MAX: usize = 2048;

/// Where attributes come from.
pub trait Source {
    /// A header or field by its lower-case name, as text of a `char` per byte.
    fn kept(&self, name: &str) -> Option<String>;
    /// All names, in lower case; one that comes twice may be named twice.
    fn names(&self) -> impl Iterator<Item = &str>;
}

impl Source for Request<'_> {
    fn kept(&self, name: &str) -> Option<String> {
        Request::kept(self, name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        Request::names(self)
    }
}

/// The attributes that a request or form gives its object.
pub fn attributes(source: &impl Source) -> Result<Attributes, Error> {
    let kept = |name: &'static str| -> Result<Option<String>, Error> {
        let Some(value) = source.kept(name) else { return Ok(None) };
        checked(name, &value)?;
        Ok(Some(value))
    };
    let headers = ContentHeaders {
        content_type: kept("content-type")?.filter(|value| !value.is_empty()),
        cache_control: kept("cache-control")?,
        content_disposition: kept("content-disposition")?,
        content_encoding: kept("content-encoding")?.and_then(|value| without_aws_chunked(&value)),
        content_language: kept("content-language")?,
        expires: kept("expires")?,
        website_redirect: redirect(kept("x-amz-website-redirect-location")?)?,
    };
    Ok(Attributes {
        headers,
        user_metadata: user_metadata(source)?,
        storage_class: kept("x-amz-storage-class")?,
    })
}

/// Headers without which the stored bytes could not be sent back are refused; forms can carry line ends.
fn checked(name: &str, value: &str) -> Result<(), Error> {
    match HeaderValue::from_bytes(&latin1_bytes(value)) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::invalid_argument(name, value, "The value cannot be sent in a header")),
    }
}

/// The content encoding of the object itself: `aws-chunked` describes the transfer alone.
fn without_aws_chunked(value: &str) -> Option<String> {
    if !value.to_ascii_lowercase().contains("aws-chunked") {
        return Some(value.to_owned());
    }
    let of_object = |coding: &&str| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked");
    let left: Vec<&str> = value.split(',').map(str::trim).filter(of_object).collect();
    (!left.is_empty()).then(|| left.join(","))
}

fn redirect(location: Option<String>) -> Result<Option<String>, Error> {
    let Some(location) = location else { return Ok(None) };
    if ["/", "http://", "https://"].iter().any(|start| location.starts_with(start)) {
        return Ok(Some(location));
    }
    let message = "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.";
    Err(Error::with(ErrorCode::InvalidArgument, message))
}

/// `x-amz-meta-…` without the prefix, by name, so that the order does not depend on how headers were kept.
fn user_metadata(source: &impl Source) -> Result<Vec<(String, String)>, Error> {
    let mut names: Vec<&str> = source.names().filter_map(|name| name.strip_prefix("x-amz-meta-")).collect();
    names.sort_unstable();
    names.dedup();
    let mut metadata = Vec::with_capacity(names.len());
    let mut size = 0;
    for name in names {
        let full = format!("x-amz-meta-{name}");
        let value = source.kept(&full).unwrap_or_default();
        if name.is_empty() || HeaderName::from_bytes(full.as_bytes()).is_err() {
            return Err(Error::invalid_argument("x-amz-meta", name, "The name cannot be sent as a header"));
        }
        checked(&full, &value)?;
        size += name.len() + value.chars().count();
        metadata.push((name.to_owned(), value));
    }
    if size > USER_METADATA_BYTES_MAX {
        return Err(Error::new(ErrorCode::MetadataTooLarge)
            .element("Size", size.to_string())
            .element("MaxSizeAllowed", USER_METADATA_BYTES_MAX.to_string()));
    }
    Ok(metadata)
}

#[cfg(test)]
#[path = "attributes_tests.rs"]
mod tests;
