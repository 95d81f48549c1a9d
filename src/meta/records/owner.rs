//! What a part file says about itself, so that metadata can be rebuilt from part files alone.

use serde::Deserialize;
use serde::Serialize;

use super::ContentHeaders;
use super::Record;
use crate::base::BucketId;
use crate::base::Timestamp;
use crate::base::UploadId;
use crate::s3::checksum::Checksum;

/// The owner section of a part file. Size, MD5 and time of writing stand in the footer beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobOwner {
    /// The bucket's id.
    pub bucket: BucketId,
    /// The bucket's name.
    pub bucket_name: String,
    /// The object's key.
    pub key: String,
    /// The multipart upload and the part's number in it; `None` for an object written in one piece.
    pub part: Option<(UploadId, u16)>,
    /// When the object or upload was begun.
    pub begun: Timestamp,
    /// Canonical id of the owner.
    pub owner: String,
    /// Headers of the object.
    pub headers: ContentHeaders,
    /// User metadata of the object.
    pub user_metadata: Vec<(String, String)>,
    /// Storage class of the object; empty for `STANDARD`.
    pub storage_class: String,
    /// S3 checksum of the payload; `None` in files of format 1.
    pub checksum: Option<Checksum>,
}

impl Record for BlobOwner {
    const FORMAT: u8 = 2;
}

/// The format that ended before the checksum.
const WITHOUT_CHECKSUM: u8 = 1;
/// How an absent option is written.
const ABSENT: u8 = 0;

impl BlobOwner {
    /// `format (1) | record (postcard)`.
    pub fn encode(&self) -> Vec<u8> {
        // Serialising into memory fails only for types that cannot be serialised at all.
        postcard::to_extend(self, vec![Self::FORMAT]).unwrap_or_default()
    }

    /// Reads the owner section; `None` when it is not one we know.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (format, record) = bytes.split_first()?;
        match *format {
            WITHOUT_CHECKSUM => postcard::from_bytes(&[record, &[ABSENT]].concat()).ok(),
            Self::FORMAT => postcard::from_bytes(record).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "owner_tests.rs"]
mod tests;
