//! An object: the head that listings read, and the body that reads and copies need.

use bytes::Bytes;
use serde::Deserialize;
use serde::Serialize;

use super::Record;
use crate::base::BlobId;
use crate::base::Md5Digest;
use crate::base::Timestamp;
use crate::meta::Error;
use crate::s3::checksum::Checksum;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::checksum::ChecksumType;
use crate::s3::checksum::ObjectChecksum;
use crate::s3::etag::ETag;

/// Parts of a multipart object that are kept in its row; more of them go into a manifest beside it, so that a
/// listing does not drag them along.
pub const PARTS_IN_ROW_MAX: usize = 16;

/// A version of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// First in the row, decodable alone.
    pub head: ObjectHead,
    /// The rest.
    pub body: ObjectBody,
}

impl Record for Object {}

/// What listings and conditions read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectHead {
    /// Length in bytes.
    pub size: u64,
    /// Entity tag.
    pub etag: ETag,
    /// When it was written.
    pub modified: Timestamp,
    /// The version's id; zero is the null version.
    pub version: u128,
    /// A delete marker has no bytes; none are written yet.
    pub is_delete_marker: bool,
    /// Storage class as the client named it; empty for `STANDARD`.
    pub storage_class: String,
    /// What its checksum is, for listings.
    pub checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
    /// Canonical id of its owner.
    pub owner: String,
}

/// What reads and copies need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectBody {
    /// `Content-Type` and its kin.
    pub headers: ContentHeaders,
    /// `x-amz-meta-…`: names in lower case without the prefix, in the order sent.
    pub user_metadata: Vec<(String, String)>,
    /// Its checksum.
    pub checksum: Option<ObjectChecksum>,
    /// Where its bytes are.
    pub layout: Layout,
}

/// Headers that are kept and given back as sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentHeaders {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Encoding`, without `aws-chunked`.
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Expires`.
    pub expires: Option<String>,
    /// `x-amz-website-redirect-location`.
    pub website_redirect: Option<String>,
}

/// Where the bytes of an object are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// There are none.
    Empty,
    /// In the `inline` family.
    Inline(BlobId),
    /// In one part file.
    Blob(BlobId),
    /// A multipart object of few parts.
    Parts(Vec<PartEntry>),
    /// A multipart object of many parts, which are listed in the `inline` family.
    Manifest {
        /// Under this id.
        id: BlobId,
        /// How many there are.
        count: u16,
    },
}

impl Layout {
    /// Number of parts of a multipart object; `None` for one written in one piece.
    pub const fn parts_count(&self) -> Option<usize> {
        match self {
            Self::Parts(parts) => Some(parts.len()),
            Self::Manifest { count, .. } => Some(*count as usize),
            Self::Empty | Self::Inline(_) | Self::Blob(_) => None,
        }
    }
}

/// One part of a multipart object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartEntry {
    /// Its number, 1 to 10,000.
    pub number: u16,
    /// Length in bytes.
    pub size: u64,
    /// MD5 of its bytes.
    pub md5: Md5Digest,
    /// Its checksum.
    pub checksum: Option<Checksum>,
    /// Where its bytes are.
    pub body: PartBody,
}

/// Where the bytes of a part are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartBody {
    /// There are none.
    Empty,
    /// In the `inline` family.
    Inline(BlobId),
    /// In one part file.
    Blob(BlobId),
}

/// The manifest of many parts: `format (1) | parts (postcard)`, kept as an inline value.
pub fn encode_manifest(parts: &[PartEntry]) -> Bytes {
    // Serialising into memory fails only for types that cannot be serialised at all.
    postcard::to_extend(parts, vec![1_u8]).unwrap_or_default().into()
}

/// Reads a manifest.
pub fn decode_manifest(manifest: &[u8]) -> Result<Vec<PartEntry>, Error> {
    match manifest.split_first() {
        Some((1, parts)) => {
            postcard::from_bytes(parts).map_err(|_| Error::corrupt("a manifest", "the list of parts"))
        }
        _ => Err(Error::corrupt("a manifest", "its format")),
    }
}
