//! Multipart uploads and their parts.

use serde::Deserialize;
use serde::Serialize;

use super::ContentHeaders;
use super::PartBody;
use super::Record;
use crate::base::Md5Digest;
use crate::base::Timestamp;
use crate::base::UploadId;
use crate::s3::checksum::Checksum;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::checksum::ChecksumType;
use crate::s3::checksum::ObjectChecksum;
use crate::s3::etag::ETag;

/// An upload that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its id.
    pub id: UploadId,
    /// The key of the object to be.
    pub key: String,
    /// When it began.
    pub initiated: Timestamp,
    /// Canonical id of who began it.
    pub owner: String,
    /// Headers of the object to be.
    pub headers: ContentHeaders,
    /// User metadata of the object to be.
    pub user_metadata: Vec<(String, String)>,
    /// Storage class of the object to be; empty for `STANDARD`.
    pub storage_class: String,
    /// The checksum asked for; `None` when the client named none.
    pub checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
}

impl Record for Upload {}

/// What became of an upload; kept for a day, so that a repeated completion gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedUpload {
    /// Its id.
    pub id: UploadId,
    /// When it ended.
    pub at: Timestamp,
    /// How.
    pub outcome: UploadOutcome,
}

impl Record for EndedUpload {}

/// How an upload ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum UploadOutcome {
    /// It became this object.
    Completed {
        /// The object's entity tag.
        etag: ETag,
        /// Its length in bytes.
        size: u64,
        /// When it was made.
        modified: Timestamp,
        /// Its checksum.
        checksum: Option<ObjectChecksum>,
    },
    /// It was given up.
    Aborted,
}

/// A part of an upload in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its number, 1 to 10,000.
    pub number: u16,
    /// Length in bytes.
    pub size: u64,
    /// MD5 of its bytes.
    pub md5: Md5Digest,
    /// When it was written.
    pub modified: Timestamp,
    /// Its checksum.
    pub checksum: Option<Checksum>,
    /// Where its bytes are.
    pub body: PartBody,
}

impl Record for Part {}
