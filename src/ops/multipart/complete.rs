//! CompleteMultipartUpload (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>).

use std::collections::HashMap;

use crate::base::UploadId;
use crate::ops::Call;
use crate::ops::Error;
use crate::ops::object;
use crate::ops::object::OBJECT_BYTES_MAX;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::checksum::ChecksumType;
use crate::s3::checksum::ObjectChecksum;
use crate::s3::condition::WriteConditions;
use crate::s3::document::CompletedPart;
use crate::s3::error_code::ErrorCode;
use crate::s3::etag::ETag;
use crate::store::Complete;
use crate::store::Completion;
use crate::store::PARTS_MAX;
use crate::store::records::Part;
use crate::store::records::PartEntry;
use crate::store::records::Upload;

use super::Target;

/// The least bytes of every part but the last: 5 MiB.
pub const PART_BYTES_MIN: u64 = 5 << 20;

/// What to complete.
#[derive(Debug, Clone)]
pub struct Input {
    /// The upload.
    pub target: Target,
    /// The parts to make the object of.
    pub parts: Vec<CompletedPart>,
    /// `x-amz-checksum-…`: algorithm and text, with `-N` behind a composite value.
    pub checksum: Option<(ChecksumAlgorithm, String)>,
    /// `x-amz-checksum-type`.
    pub checksum_type: Option<ChecksumType>,
    /// `x-amz-mp-object-size`.
    pub object_size: Option<u64>,
    /// `If-Match`, `If-None-Match`.
    pub conditions: WriteConditions,
}

/// The object.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its entity tag.
    pub etag: ETag,
    /// Its checksum.
    pub checksum: Option<ObjectChecksum>,
}

/// Makes an object of the parts. Repeated, it answers the same.
pub async fn run(call: &Call<'_>, input: &Input) -> Result<Output, Error> {
    let target = &input.target;
    let bucket = call.bucket(&target.bucket).await?;
    let missing = || Error::no_such_upload(&target.upload_id);
    let id: UploadId = target.upload_id.parse().map_err(|_| missing())?;
    check_order(&input.parts)?;
    let plan = |upload: &Upload, parts: &[Part]| plan(input, upload, parts);
    let decide = |current: Option<&_>| object::check(&input.conditions, &target.key, current);
    match call.store().complete_upload(&bucket, &target.key, &id, plan, decide).await? {
        Complete::Done(done) | Complete::Already(done) => {
            Ok(Output { etag: done.etag, checksum: done.checksum })
        }
        Complete::NoSuchUpload => Err(missing()),
    }
}

fn check_order(parts: &[CompletedPart]) -> Result<(), Error> {
    if parts.len() > PARTS_MAX {
        return Err(Error::new(ErrorCode::MalformedXML));
    }
    match parts.is_sorted_by_key(|part| part.number) {
        true => Ok(()),
        false => Err(Error::new(ErrorCode::InvalidPartOrder)),
    }
}

/// Chooses the parts and computes what the object will be; pure.
fn plan(input: &Input, upload: &Upload, parts: &[Part]) -> Result<Completion, Error> {
    let by_number: HashMap<i64, &Part> = parts.iter().map(|part| (i64::from(part.number), part)).collect();
    let mut chosen = Vec::with_capacity(input.parts.len());
    for (index, named) in input.parts.iter().enumerate() {
        // A part that was uploaded again may be named again; the last mention counts.
        if input.parts.get(index + 1).is_some_and(|next| next.number == named.number) {
            continue;
        }
        let part = by_number.get(&named.number).copied().filter(|part| is_meant(part, named));
        chosen.push(part.ok_or_else(|| invalid_part(input, named))?);
    }
    check_sizes(input, &chosen)?;
    let etag = ETag::multipart(chosen.iter().map(|part| part.md5));
    let checksum = checksum(upload, &chosen);
    check_checksum(input, checksum.as_ref())?;
    let entries = chosen.into_iter().map(|part| PartEntry {
        number: part.number,
        size: part.size,
        md5: part.md5,
        checksum: part.checksum.clone(),
        body: part.body,
    });
    Ok(Completion { etag, checksum, parts: entries.collect() })
}

fn is_meant(part: &Part, named: &CompletedPart) -> bool {
    let same_tag = named.etag.parse() == Ok(ETag::plain(part.md5));
    // A checksum of another algorithm than the part's cannot be compared; the tag was.
    let contradicts = named
        .checksum
        .as_ref()
        .zip(part.checksum.as_ref())
        .is_some_and(|(named, part)| named.algorithm() == part.algorithm() && named != part);
    same_tag && !contradicts
}

fn invalid_part(input: &Input, named: &CompletedPart) -> Error {
    Error::new(ErrorCode::InvalidPart)
        .element("UploadId", input.target.upload_id.as_str())
        .element("PartNumber", named.number.to_string())
        .element("ETag", named.etag.as_str())
}

fn check_sizes(input: &Input, chosen: &[&Part]) -> Result<(), Error> {
    let last = chosen.len().saturating_sub(1);
    if let Some(small) = chosen.iter().take(last).find(|part| part.size < PART_BYTES_MIN) {
        return Err(Error::new(ErrorCode::EntityTooSmall)
            .element("ProposedSize", small.size.to_string())
            .element("MinSizeAllowed", PART_BYTES_MIN.to_string())
            .element("PartNumber", small.number.to_string())
            .element("ETag", ETag::plain(small.md5).to_string()));
    }
    let size: u64 = chosen.iter().map(|part| part.size).sum();
    if size > OBJECT_BYTES_MAX {
        return Err(
            Error::new(ErrorCode::EntityTooLarge).element("MaxSizeAllowed", OBJECT_BYTES_MAX.to_string())
        );
    }
    match input.object_size {
        Some(announced) if announced != size => Err(Error::with(
            ErrorCode::InvalidRequest,
            "The provided 'x-amz-mp-object-size' header value does not match what was computed.",
        )),
        _ => Ok(()),
    }
}

/// The object's checksum: of the upload's algorithm and type; without one, over everything by the algorithm that the
/// parts have, which is CRC64NVME where the client sent none either.
fn checksum(upload: &Upload, chosen: &[&Part]) -> Option<ObjectChecksum> {
    let of_parts = chosen.first()?.checksum.as_ref()?.algorithm();
    let (algorithm, kind) = upload.checksum.unwrap_or((of_parts, ChecksumType::FullObject));
    let sums = chosen.iter().map(|part| part.checksum.as_ref().map(|checksum| (checksum, part.size)));
    let sums: Vec<_> = sums.collect::<Option<_>>()?;
    ObjectChecksum::of_parts(algorithm, kind, &sums)
}

fn check_checksum(input: &Input, computed: Option<&ObjectChecksum>) -> Result<(), Error> {
    if let Some(kind) = input.checksum_type
        && computed.is_none_or(|computed| computed.kind != kind)
    {
        let message = "The checksum type of the request is not the one the upload was created with.";
        return Err(Error::with(ErrorCode::InvalidRequest, message));
    }
    let Some((algorithm, text)) = &input.checksum else {
        return Ok(());
    };
    match computed {
        Some(computed) if computed.checksum.algorithm() == *algorithm && !is_same(computed, text) => {
            let message =
                format!("The {} you specified did not match the calculated checksum.", algorithm.name());
            Err(Error::with(ErrorCode::BadDigest, message))
        }
        Some(computed) if computed.checksum.algorithm() == *algorithm => Ok(()),
        // What cannot be compared is not confirmed.
        _ => Err(Error::with(
            ErrorCode::InvalidRequest,
            "The checksum algorithm of the request is not the one the upload was created with.",
        )),
    }
}

/// Clients send a composite value with and without the number of parts behind it.
fn is_same(computed: &ObjectChecksum, text: &str) -> bool {
    text == computed.to_text() || text == computed.checksum.to_base64()
}

#[cfg(test)]
#[path = "complete_tests.rs"]
mod tests;
