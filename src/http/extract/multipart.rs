//! Inputs of operations on multipart uploads.

use super::algorithm;
use super::attributes::attributes;
use super::bucket::encoding;
use super::bucket_of;
use super::conditions;
use super::copy_source;
use super::key_of;
use super::object::part_number;
use crate::http::error::Error;
use crate::http::reply::bucket::Encoding;
use crate::http::request::Request;
use crate::http::request::number;
use crate::http::route::Target;
use crate::ops::multipart;
use crate::ops::multipart::complete;
use crate::ops::multipart::copy_part;
use crate::ops::multipart::create;
use crate::ops::multipart::list_parts;
use crate::ops::multipart::list_uploads;
use crate::ops::multipart::upload_part;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::checksum::ChecksumType;
use crate::s3::document;
use crate::s3::error_code::ErrorCode;

/// The upload that a request names.
pub fn target(request: &Request<'_>, target: &Target) -> Result<multipart::Target, Error> {
    Ok(multipart::Target {
        bucket: bucket_of(target)?,
        key: key_of(target)?,
        upload_id: request.query.get("uploadId").unwrap_or_default().to_owned(),
    })
}

/// The input of CreateMultipartUpload.
pub fn create(request: &Request<'_>, target: &Target) -> Result<create::Input, Error> {
    Ok(create::Input {
        bucket: bucket_of(target)?,
        key: key_of(target)?,
        attributes: attributes(request)?,
        algorithm: algorithm(request, "x-amz-checksum-algorithm")?,
        checksum_type: checksum_type(request)?,
    })
}

/// The input of UploadPart; `sent` is the checksum that the body announces.
pub fn upload_part(
    request: &Request<'_>,
    of: &Target,
    sent: Option<ChecksumAlgorithm>,
) -> Result<upload_part::Input, Error> {
    Ok(upload_part::Input { target: target(request, of)?, number: number_of_part(request)?, algorithm: sent })
}

/// The input of UploadPartCopy.
pub fn copy_part(request: &Request<'_>, of: &Target) -> Result<copy_part::Input, Error> {
    Ok(copy_part::Input {
        target: target(request, of)?,
        number: number_of_part(request)?,
        source: copy_source::source(request)?,
        range: request.text("x-amz-copy-source-range")?.map(str::to_owned),
    })
}

fn number_of_part(request: &Request<'_>) -> Result<i64, Error> {
    part_number(request.query.get("partNumber").unwrap_or_default()).map(i64::from)
}

/// The input of CompleteMultipartUpload; `body` is its document.
pub fn complete(request: &Request<'_>, of: &Target, body: &[u8]) -> Result<complete::Input, Error> {
    let object_size = match request.text("x-amz-mp-object-size")? {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| {
            let message = "The value must be the length of the object in bytes";
            Error::invalid_argument("x-amz-mp-object-size", text, message)
        })?),
    };
    Ok(complete::Input {
        target: target(request, of)?,
        parts: document::complete_multipart_upload(body)?,
        checksum: checksum_of_object(request)?,
        checksum_type: checksum_type(request)?,
        object_size,
        conditions: conditions::write(request)?,
    })
}

/// `x-amz-checksum-…` of CompleteMultipartUpload is about the object, not about the document.
fn checksum_of_object(request: &Request<'_>) -> Result<Option<(ChecksumAlgorithm, String)>, Error> {
    let mut found = None;
    for algorithm in ChecksumAlgorithm::ALL {
        if let Some(text) = request.text(algorithm.header())? {
            if found.is_some() {
                let message =
                    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
                return Err(Error::with(ErrorCode::InvalidRequest, message));
            }
            found = Some((algorithm, text.to_owned()));
        }
    }
    Ok(found)
}

fn checksum_type(request: &Request<'_>) -> Result<Option<ChecksumType>, Error> {
    let Some(name) = request.text("x-amz-checksum-type")? else { return Ok(None) };
    match ChecksumType::from_name(name) {
        Some(kind) => Ok(Some(kind)),
        None => {
            Err(Error::with(ErrorCode::InvalidRequest, "Value for x-amz-checksum-type header is invalid."))
        }
    }
}

/// The input of ListParts.
pub fn list_parts(request: &Request<'_>, of: &Target) -> Result<list_parts::Input, Error> {
    let max_parts = request.number("max-parts", 0)?.map_or(list_parts::MAX_PARTS, |max| max as usize);
    let marker = match request.query.get("part-number-marker").filter(|text| !text.is_empty()) {
        Some(text) => number("part-number-marker", text, 0)?,
        None => 0,
    };
    Ok(list_parts::Input {
        target: target(request, of)?,
        marker: u16::try_from(marker).unwrap_or(u16::MAX),
        max_parts: max_parts.min(list_parts::MAX_PARTS),
    })
}

/// The input of ListMultipartUploads, and how names are written.
pub fn list_uploads(request: &Request<'_>, of: &Target) -> Result<(list_uploads::Input, Encoding), Error> {
    let given = |name| request.query.get(name).filter(|text: &&str| !text.is_empty()).map(str::to_owned);
    let max_uploads = request.number("max-uploads", 0)?.map_or(list_uploads::MAX_UPLOADS, |max| max as usize);
    let input = list_uploads::Input {
        bucket: bucket_of(of)?,
        prefix: given("prefix").unwrap_or_default(),
        delimiter: given("delimiter"),
        key_marker: given("key-marker"),
        upload_id_marker: given("upload-id-marker"),
        max_uploads: max_uploads.min(list_uploads::MAX_UPLOADS),
    };
    Ok((input, encoding(request)?))
}

#[cfg(test)]
#[path = "multipart_tests.rs"]
mod tests;
