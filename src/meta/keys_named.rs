//! Keys taken apart: the way back from bytes to what they name, for whoever walks whole families.

use super::ENDED;
use super::Family;
use super::Key;
use super::OPEN;
use super::RECLAIM;
use super::REPAIR;
use crate::base::BlobId;
use crate::base::BucketId;
use crate::base::UploadId;

/// What a key names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// The bucket of this name.
    Bucket(String),
    /// The object of this key in this bucket.
    Current(BucketId, String),
    /// An open upload of this key.
    OpenUpload(BucketId, String, UploadId),
    /// The marker of an ended upload of this key.
    EndedUpload(BucketId, String, UploadId),
    /// A part of an upload by its number.
    Part(UploadId, u16),
    /// An inline value.
    Inline(BlobId),
    /// The reference of a row to a blob.
    BlobRef(BlobId, Key),
    /// A blob that lost a reference.
    Reclaim(BlobId),
    /// A blob short of copies.
    Repair(BlobId),
    /// The counters of a bucket.
    Usage(BucketId),
    /// A setting or cursor.
    System(String),
}

pub(super) fn read(family: Family, bytes: &[u8]) -> Option<Named> {
    match family {
        Family::Bucket => Some(Named::Bucket(text(bytes)?)),
        Family::Current => {
            let (bucket, key) = bytes.split_first_chunk()?;
            Some(Named::Current(bucket_of(*bucket), text(key)?))
        }
        Family::Upload => upload(bytes),
        Family::Part => {
            let (upload, number) = bytes.split_first_chunk()?;
            Some(Named::Part(UploadId::from_bytes(*upload), u16::from_be_bytes(number.try_into().ok()?)))
        }
        Family::Inline => Some(Named::Inline(blob(bytes)?)),
        Family::BlobRef => {
            let (id, owner) = bytes.split_first_chunk()?;
            Some(Named::BlobRef(BlobId::from_bytes(*id), owner_of(owner)?))
        }
        Family::Outbox => match bytes.split_first()? {
            (&RECLAIM, id) => Some(Named::Reclaim(blob(id)?)),
            (&REPAIR, id) => Some(Named::Repair(blob(id)?)),
            _ => None,
        },
        Family::Usage => Some(Named::Usage(bucket_of(bytes.try_into().ok()?))),
        Family::System => Some(Named::System(text(bytes)?)),
        Family::Version | Family::Due | Family::Identity => None,
    }
}

fn upload(bytes: &[u8]) -> Option<Named> {
    let (state, rest) = bytes.split_first()?;
    let (bucket, rest) = rest.split_first_chunk()?;
    let (escaped, id) = rest.split_last_chunk()?;
    let key = text(&unescaped(escaped)?)?;
    let (bucket, id) = (bucket_of(*bucket), UploadId::from_bytes(*id));
    match *state {
        OPEN => Some(Named::OpenUpload(bucket, key, id)),
        ENDED => Some(Named::EndedUpload(bucket, key, id)),
        _ => None,
    }
}

/// A key that was escaped and ended by `00 00`.
fn unescaped(bytes: &[u8]) -> Option<Vec<u8>> {
    let escaped = bytes.strip_suffix(&[0, 0])?;
    let mut key = Vec::with_capacity(escaped.len());
    let mut rest = escaped.iter();
    while let Some(byte) = rest.next() {
        key.push(*byte);
        if *byte == 0 && rest.next() != Some(&0xff) {
            return None;
        }
    }
    Some(key)
}

fn owner_of(bytes: &[u8]) -> Option<Key> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let name = std::str::from_utf8(&bytes[..end]).ok()?;
    let family = Family::ALL.iter().find(|family| family.name() == name)?;
    Some(Key::from_parts(*family, bytes[end + 1..].to_vec()))
}

fn blob(bytes: &[u8]) -> Option<BlobId> {
    Some(BlobId::from_bytes(bytes.try_into().ok()?))
}

fn bucket_of(bytes: [u8; 8]) -> BucketId {
    BucketId(u64::from_be_bytes(bytes))
}

fn text(bytes: &[u8]) -> Option<String> {
    Some(std::str::from_utf8(bytes).ok()?.to_owned())
}
