//! ListParts (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>).

use crate::base::Timestamp;
use crate::ops::Call;
use crate::ops::Error;
use crate::s3::checksum::Checksum;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::checksum::ChecksumType;
use crate::s3::etag::ETag;

use super::Target;

/// The most parts in one page.
pub const MAX_PARTS: usize = 1000;

/// What to list.
#[derive(Debug, Clone)]
pub struct Input {
    /// The upload.
    pub target: Target,
    /// `part-number-marker`: begin behind this part.
    pub marker: u16,
    /// Parts in the page, at most [`MAX_PARTS`].
    pub max_parts: usize,
}

/// One part.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its number.
    pub number: u16,
    /// Its length in bytes.
    pub size: u64,
    /// Its entity tag.
    pub etag: ETag,
    /// When it was uploaded.
    pub modified: Timestamp,
    /// Its checksum, when the upload or the part asked for one.
    pub checksum: Option<Checksum>,
}

/// A page of parts.
#[derive(Debug, Clone)]
pub struct Output {
    /// In order of their numbers.
    pub parts: Vec<Entry>,
    /// Whether something lies behind.
    pub is_truncated: bool,
    /// Canonical id of who began the upload.
    pub owner: String,
    /// Storage class of the object to be; empty for `STANDARD`.
    pub storage_class: String,
    /// The checksum that the upload was created with.
    pub checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
}

/// Lists a page.
pub async fn run(call: &Call<'_>, input: &Input) -> Result<Output, Error> {
    let open = call.open_upload(&input.target).await?;
    let limit = input.max_parts.min(MAX_PARTS);
    let (parts, more) = call.store().parts(&open.id, input.marker, limit).await?;
    let entries = parts.into_iter().map(|part| Entry {
        number: part.number,
        size: part.size,
        etag: ETag::plain(part.md5),
        modified: part.modified,
        checksum: part.checksum,
    });
    Ok(Output {
        parts: entries.collect(),
        is_truncated: more && limit > 0,
        owner: open.upload.owner,
        storage_class: open.upload.storage_class,
        checksum: open.upload.checksum,
    })
}
