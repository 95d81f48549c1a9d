//! Headers, query and documents of a request → the input of an operation; one file per kind of target.
//!
//! What a client asks for and we do not have is refused here, in [`refuse_unsupported`]: nothing is ignored that
//! changes what a request means.

pub mod attributes;
pub mod bucket;
pub mod conditions;
pub mod copy_source;
pub mod multipart;
pub mod object;

use super::error::Error;
use super::request::Request;
use super::route::Target;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::error_code::ErrorCode;
use crate::s3::name::BucketName;
use crate::s3::name::ObjectKey;
use crate::s3::operation::Operation;

/// Headers that ask for what there is not, whatever their value.
const UNSUPPORTED: &[&str] = &[
    "x-amz-if-match-initiated-time",
    "x-amz-if-match-last-modified-time",
    "x-amz-if-match-size",
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-object-ownership",
    "x-amz-tagging",
    "x-amz-write-offset-bytes",
];

/// The same, for all headers that begin so.
const UNSUPPORTED_PREFIXES: &[&str] =
    &["x-amz-copy-source-server-side-encryption-", "x-amz-grant-", "x-amz-server-side-encryption"];

/// Canned ACLs that say what is the case anyway: the owner has full control, and owns bucket and object.
const TRUE_ACLS: &[&str] = &["private", "bucket-owner-read", "bucket-owner-full-control"];

/// The headers that name whose buckets a request is about.
const OWNERS: [&str; 2] = ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"];

/// Refuses a request that expects its buckets to be somebody else's. All of them belong to `owner`.
pub fn check_owners(request: &Request<'_>, owner: &str) -> Result<(), Error> {
    let other = |name: &&str| request.values(name).any(|expected| expected != owner.as_bytes());
    match OWNERS.iter().any(other) {
        true => Err(Error::new(ErrorCode::AccessDenied)),
        false => Ok(()),
    }
}

/// Refuses headers and parameters that would change what the request means and that we do not have: 501.
pub fn refuse_unsupported(request: &Request<'_>, operation: Operation) -> Result<(), Error> {
    for name in request.names().filter(|name| name.starts_with("x-amz-")) {
        let is =
            |wanted: &str| request.values(name).all(|value| value.eq_ignore_ascii_case(wanted.as_bytes()));
        let refused = UNSUPPORTED.contains(&name)
            || UNSUPPORTED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            || match name {
                "x-amz-acl" => !TRUE_ACLS.iter().any(|acl| is(acl)),
                "x-amz-bucket-object-lock-enabled" => !is("false"),
                "x-amz-tagging-directive" => !is("COPY"),
                _ => false,
            };
        if refused {
            return Err(not_implemented("Header", name));
        }
    }
    if takes_no_conditions(operation)
        && let Some(name) = ["if-match", "if-none-match"].into_iter().find(|name| request.has(name))
    {
        return Err(not_implemented("Header", name));
    }
    for (_, version) in request.query.parameters().filter(|(name, _)| *name == "versionId") {
        match version {
            "" => {
                let message = "Version id cannot be the empty string";
                return Err(Error::invalid_argument("versionId", "", message));
            }
            "null" => {}
            _ if operation == Operation::PostObject => {}
            _ => return Err(not_implemented("Parameter", "versionId")),
        }
    }
    Ok(())
}

/// Conditions of an upload are those of its completion; on the way there they would guard nothing.
const fn takes_no_conditions(operation: Operation) -> bool {
    matches!(operation, Operation::CreateMultipartUpload | Operation::UploadPart | Operation::UploadPartCopy)
}

/// 501 about one header, field or parameter.
pub fn not_implemented(kind: &'static str, name: &str) -> Error {
    Error::new(ErrorCode::NotImplemented).element(kind, name)
}

/// The bucket of a target that has one; the route saw to that.
pub fn bucket_of(target: &Target) -> Result<BucketName, Error> {
    target.bucket.clone().ok_or_else(|| Error::new(ErrorCode::InvalidURI))
}

/// The key of a target that has one; the route saw to that.
pub fn key_of(target: &Target) -> Result<ObjectKey, Error> {
    target.key.clone().ok_or_else(|| Error::new(ErrorCode::InvalidURI))
}

/// A checksum algorithm named by a header.
pub fn algorithm(request: &Request<'_>, header: &'static str) -> Result<Option<ChecksumAlgorithm>, Error> {
    let Some(name) = request.text(header)? else { return Ok(None) };
    match ChecksumAlgorithm::from_name(name) {
        Some(algorithm) => Ok(Some(algorithm)),
        None => {
            let message = "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
                           [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]";
            Err(Error::with(ErrorCode::InvalidRequest, message))
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
