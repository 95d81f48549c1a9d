//! CopyObject (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>).
//!
//! Blobs are shared, so a copy takes the same time at any size; S3's limit of 5 GiB is therefore not imposed. Only a
//! checksum that the source does not have makes the bytes pass.

use std::sync::Arc;

use crate::base::Timestamp;
use crate::ops::Call;
use crate::ops::Error;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::checksum::ChecksumType;
use crate::s3::checksum::ObjectChecksum;
use crate::s3::condition::Conditions;
use crate::s3::condition::WriteConditions;
use crate::s3::error_code::ErrorCode;
use crate::s3::etag::ETag;
use crate::s3::name::BucketName;
use crate::s3::name::ObjectKey;
use crate::store::Bucket;
use crate::store::Committed;
use crate::store::CopyOutcome;
use crate::store::NewObject;
use crate::store::Object;
use crate::store::OpenError;
use crate::store::StagePlan;
use crate::store::records;

use super::Attributes;
use super::OBJECT_BYTES_MAX;
use super::check;

/// `x-amz-copy-source` and its conditions.
#[derive(Debug, Clone)]
pub struct Source {
    /// The bucket.
    pub bucket: BucketName,
    /// The object.
    pub key: ObjectKey,
    /// `x-amz-copy-source-if-…`.
    pub conditions: Conditions,
}

/// What to copy.
#[derive(Debug, Clone)]
pub struct Input {
    /// From where.
    pub source: Source,
    /// Into which bucket.
    pub bucket: BucketName,
    /// Under which key.
    pub key: ObjectKey,
    /// `x-amz-metadata-directive: REPLACE`: take the attributes of the request instead of the source's.
    pub replace_metadata: bool,
    /// Attributes of the request. The storage class and the website redirect count with either directive.
    pub attributes: Attributes,
    /// `If-Match`, `If-None-Match` over the destination.
    pub conditions: WriteConditions,
    /// `x-amz-checksum-algorithm`.
    pub algorithm: Option<ChecksumAlgorithm>,
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Output {
    /// Entity tag.
    pub etag: ETag,
    /// When.
    pub modified: Timestamp,
    /// Checksum.
    pub checksum: Option<ObjectChecksum>,
}

impl From<Committed> for Output {
    fn from(committed: Committed) -> Self {
        Self { etag: committed.etag, modified: committed.modified, checksum: committed.checksum }
    }
}

/// Often enough for any source that is not overwritten all the time.
const ATTEMPTS_MAX: usize = 64;

/// Copies an object.
pub async fn run(call: &Call<'_>, input: &Input) -> Result<Output, Error> {
    let bucket = call.bucket(&input.bucket).await?;
    let source = &input.source;
    for _ in 0..ATTEMPTS_MAX {
        let (source_bucket, object) = call.object(&source.bucket, &source.key).await?;
        let head = &object.record.head;
        source.conditions.copy_source(&head.etag, head.modified).map_err(Error::precondition)?;
        let new = attributes(call, input, &object.record)?;
        refuse_no_change(input, &object.record, &new)?;
        let from = (source_bucket, object);
        let outcome = match needs_bytes(input.algorithm, from.1.record.body.checksum.as_ref()) {
            true => rewrite(call, input, &from, &bucket, new).await?,
            false => share(call, input, &from, &bucket, new).await?,
        };
        if let CopyOutcome::Done(committed) = outcome {
            return Ok(committed.into());
        }
    }
    Err(OpenError::Changed.into())
}

/// The attributes of the copy.
fn attributes(call: &Call<'_>, input: &Input, source: &records::Object) -> Result<NewObject, Error> {
    let mut new = call.new_object(input.attributes.clone())?;
    if !input.replace_metadata {
        // The redirect is never copied; the request may name one.
        let website_redirect = new.headers.website_redirect.take();
        new.headers = records::ContentHeaders { website_redirect, ..source.body.headers.clone() };
        new.user_metadata.clone_from(&source.body.user_metadata);
    }
    Ok(new)
}

/// A copy onto itself must change something.
fn refuse_no_change(input: &Input, source: &records::Object, new: &NewObject) -> Result<(), Error> {
    let onto_itself = input.source.bucket == input.bucket && input.source.key == input.key;
    let changes = input.replace_metadata
        || input.attributes.storage_class.is_some() && new.storage_class != source.head.storage_class
        || new.headers.website_redirect != source.body.headers.website_redirect
        || input.algorithm.is_some();
    if onto_itself && !changes {
        return Err(Error::with(
            ErrorCode::InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    Ok(())
}

/// Whether the checksum asked for can only be had by reading the bytes.
fn needs_bytes(algorithm: Option<ChecksumAlgorithm>, has: Option<&ObjectChecksum>) -> bool {
    algorithm.is_some_and(|algorithm| {
        has.is_none_or(|has| has.checksum.algorithm() != algorithm || has.kind == ChecksumType::Composite)
    })
}

async fn share(
    call: &Call<'_>,
    input: &Input,
    (source_bucket, object): &(Arc<Bucket>, Object),
    bucket: &Bucket,
    new: NewObject,
) -> Result<CopyOutcome, Error> {
    let source = (source_bucket.as_ref(), &input.source.key, object);
    let decide = |current: Option<&_>| check(&input.conditions, &input.key, current);
    Ok(call.store().copy_object(source, bucket, &input.key, new, decide).await?)
}

async fn rewrite(
    call: &Call<'_>,
    input: &Input,
    (source_bucket, object): &(Arc<Bucket>, Object),
    bucket: &Bucket,
    new: NewObject,
) -> Result<CopyOutcome, Error> {
    let size = object.record.head.size;
    let opened = call.store().open(source_bucket.record.id, &input.source.key, object, 0..size).await;
    let mut reader = match opened {
        Ok(reader) => reader,
        Err(OpenError::Changed) => return Ok(CopyOutcome::SourceChanged),
        Err(OpenError::Store(error)) => return Err(error.into()),
    };
    let owner = call.blob_owner(bucket, &input.key, &new);
    let plan = StagePlan { max_bytes: OBJECT_BYTES_MAX, algorithm: input.algorithm, owner };
    let staged = call.store().stage(&mut reader, plan).await?;
    let decide = |current: Option<&_>| check(&input.conditions, &input.key, current);
    let committed = call.store().put_object(bucket, &input.key, new, staged, decide).await?;
    Ok(CopyOutcome::Done(committed))
}
