//! PutObject (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>); PostObject ends here too.

use crate::ops::Call;
use crate::ops::Error;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::checksum::ObjectChecksum;
use crate::s3::condition::WriteConditions;
use crate::s3::etag::ETag;
use crate::s3::name::BucketName;
use crate::s3::name::ObjectKey;
use crate::store::ByteSource;
use crate::store::StagePlan;

use super::Attributes;
use super::BODY_BYTES_MAX;
use super::check;

/// What to put.
#[derive(Debug, Clone)]
pub struct Input {
    /// Where.
    pub bucket: BucketName,
    /// Under which key.
    pub key: ObjectKey,
    /// Headers, user metadata, storage class.
    pub attributes: Attributes,
    /// `If-Match`, `If-None-Match`.
    pub conditions: WriteConditions,
    /// The checksum to compute when the body promises none.
    pub algorithm: Option<ChecksumAlgorithm>,
}

/// What was put.
#[derive(Debug, Clone)]
pub struct Output {
    /// Entity tag.
    pub etag: ETag,
    /// Checksum, also when the client asked for none.
    pub checksum: Option<ObjectChecksum>,
    /// Length in bytes.
    pub size: u64,
}

/// Takes the body and makes it the current object under the key.
pub async fn run(call: &Call<'_>, input: Input, body: &mut dyn ByteSource) -> Result<Output, Error> {
    let bucket = call.bucket(&input.bucket).await?;
    let new = call.new_object(input.attributes)?;
    call.check_early(&bucket, &input.key, &input.conditions).await?;
    let owner = call.blob_owner(&bucket, &input.key, &new);
    let plan = StagePlan { max_bytes: BODY_BYTES_MAX, algorithm: input.algorithm, owner };
    let staged = call.store().stage(body, plan).await?;
    let decide = |current: Option<&_>| check(&input.conditions, &input.key, current);
    let committed = call.store().put_object(&bucket, &input.key, new, staged, decide).await?;
    Ok(Output { etag: committed.etag, checksum: committed.checksum, size: committed.size })
}
