//! Inputs of operations on buckets, listings among them.

use super::bucket_of;
use super::not_implemented;
use crate::http::error::Error;
use crate::http::reply::bucket::Encoding;
use crate::http::reply::bucket::ListForm;
use crate::http::request::Request;
use crate::http::route::Target;
use crate::ops::bucket::create;
use crate::ops::bucket::list as list_buckets;
use crate::ops::object::list;
use crate::ops::object::list_v2;
use crate::s3::document;

/// The input of ListBuckets.
pub fn list(request: &Request<'_>) -> Result<list_buckets::Input, Error> {
    let given = |name| request.query.get(name).filter(|text: &&str| !text.is_empty()).map(str::to_owned);
    let max = match request.number("max-buckets", 1)? {
        Some(max) if max > list_buckets::MAX_BUCKETS as u64 => {
            let message = "Argument max-buckets must be an integer between 1 and 10000";
            return Err(Error::invalid_argument("max-buckets", &max.to_string(), message));
        }
        max => max,
    };
    Ok(list_buckets::Input {
        prefix: given("prefix"),
        token: given("continuation-token"),
        max_buckets: max.map(|max| max as usize),
        region: given("bucket-region"),
    })
}

/// The input of CreateBucket; `body` is its document, perhaps empty.
pub fn create(target: &Target, body: &[u8]) -> Result<create::Input, Error> {
    let configuration = document::create_bucket_configuration(body)?;
    match configuration.unknown {
        Some(name) => Err(not_implemented("Element", name)),
        None => Ok(create::Input { bucket: bucket_of(target)?, location: configuration.location }),
    }
}

/// The input of ListObjects, and how its reply is written.
pub fn objects(request: &Request<'_>, target: &Target) -> Result<(list::Input, ListForm), Error> {
    let form = ListForm { encoding: encoding(request)?, owner: true };
    Ok((base(request, target, "marker")?, form))
}

/// The input of ListObjectsV2, and how its reply is written.
pub fn objects_v2(request: &Request<'_>, target: &Target) -> Result<(list_v2::Input, ListForm), Error> {
    let token = request.query.get("continuation-token");
    let owner = request.query.get("fetch-owner").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let form = ListForm { encoding: encoding(request)?, owner };
    let input =
        list_v2::Input { base: base(request, target, "start-after")?, token: token.map(str::to_owned) };
    Ok((input, form))
}

/// The input of ListObjectVersions over a bucket that was never versioned, and how names are written.
pub fn versions(request: &Request<'_>, target: &Target) -> Result<(list::Input, Encoding), Error> {
    let has_key = request.query.get("key-marker").is_some_and(|marker| !marker.is_empty());
    if request.query.get("version-id-marker").is_some_and(|marker| !marker.is_empty()) && !has_key {
        let message = "A version-id marker cannot be specified without a key marker.";
        return Err(Error::invalid_argument("version-id-marker", "", message));
    }
    Ok((base(request, target, "key-marker")?, encoding(request)?))
}

/// What all listings of objects ask; `marker` is the parameter behind which they begin.
fn base(request: &Request<'_>, target: &Target, marker: &'static str) -> Result<list::Input, Error> {
    let max_keys = request.number("max-keys", 0)?.map_or(list::MAX_KEYS, |max| max as usize);
    Ok(list::Input {
        bucket: bucket_of(target)?,
        prefix: request.query.get("prefix").unwrap_or_default().to_owned(),
        delimiter: request.query.get("delimiter").filter(|text| !text.is_empty()).map(str::to_owned),
        marker: request.query.get(marker).unwrap_or_default().to_owned(),
        max_keys: max_keys.min(list::MAX_KEYS),
    })
}

/// `encoding-type`.
pub fn encoding(request: &Request<'_>) -> Result<Encoding, Error> {
    match request.query.get("encoding-type") {
        None | Some("") => Ok(Encoding::Plain),
        Some(name) if name.eq_ignore_ascii_case("url") => Ok(Encoding::Url),
        Some(name) => {
            let message = "Invalid Encoding Method specified in Request";
            Err(Error::invalid_argument("encoding-type", name, message))
        }
    }
}

#[cfg(test)]
#[path = "bucket_tests.rs"]
mod tests;
