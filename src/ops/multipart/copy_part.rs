//! UploadPartCopy (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>).

use std::ops::Range;

use crate::base::Timestamp;
use crate::ops::Call;
use crate::ops::Error;
use crate::ops::object::BODY_BYTES_MAX;
use crate::ops::object::copy::Source;
use crate::s3::checksum::Checksum;
use crate::s3::error_code::ErrorCode;
use crate::s3::etag::ETag;
use crate::s3::range;
use crate::store::ObjectReader;
use crate::store::OpenError;
use crate::store::StagePlan;

use super::Target;
use super::part_number;
use super::upload_part;

/// What to copy.
#[derive(Debug, Clone)]
pub struct Input {
    /// The upload.
    pub target: Target,
    /// `partNumber`.
    pub number: i64,
    /// From where.
    pub source: Source,
    /// `x-amz-copy-source-range`; the whole source without it.
    pub range: Option<String>,
}

/// The part.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its entity tag.
    pub etag: ETag,
    /// When it was made.
    pub modified: Timestamp,
    /// Its checksum.
    pub checksum: Checksum,
}

/// Often enough for any source that is not overwritten all the time.
const ATTEMPTS_MAX: usize = 16;

/// Copies a range of an object into a part.
pub async fn run(call: &Call<'_>, input: &Input) -> Result<Output, Error> {
    let number = part_number(input.number)?;
    let open = call.open_upload(&input.target).await?;
    let mut reader = source(call, input).await?;
    let owner = call.part_owner(&open, &input.target.key, number);
    let algorithm = open.upload.checksum.map(|(algorithm, _)| algorithm);
    let plan = StagePlan { max_bytes: BODY_BYTES_MAX, algorithm, owner };
    let staged = call.store().stage(&mut reader, plan).await?;
    let (etag, checksum) = (ETag::plain(staged.digests.md5), staged.digests.checksum.clone());
    let modified = upload_part::commit(call, &open, &input.target, number, staged).await?;
    Ok(Output { etag, modified, checksum })
}

/// The bytes to copy, all of one version of the source.
async fn source(call: &Call<'_>, input: &Input) -> Result<ObjectReader, Error> {
    let source = &input.source;
    for _ in 0..ATTEMPTS_MAX {
        let (bucket, object) = call.object(&source.bucket, &source.key).await?;
        let head = &object.record.head;
        source.conditions.copy_source(&head.etag, head.modified).map_err(Error::precondition)?;
        let range = resolve(input.range.as_deref(), head.size)?;
        match call.store().open(bucket.record.id, &source.key, &object, range).await {
            Ok(reader) => return Ok(reader),
            Err(OpenError::Changed) => {}
            Err(OpenError::Store(error)) => return Err(error.into()),
        }
    }
    Err(OpenError::Changed.into())
}

/// The range must be exact and lie inside the source.
fn resolve(header: Option<&str>, size: u64) -> Result<Range<u64>, Error> {
    let Some(header) = header else { return Ok(0..size) };
    let range = range::parse_exact(header).ok_or_else(|| {
        Error::invalid_argument(
            "x-amz-copy-source-range",
            header,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy",
        )
    })?;
    if range.end > size {
        let message = format!("Range specified is not valid for source object of size: {size}");
        return Err(Error::with(ErrorCode::InvalidRange, message));
    }
    Ok(range)
}
