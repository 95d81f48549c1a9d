//! Keys: the only place where key bytes are built or taken apart.
//!
//! RocksDB orders by bytes, and so does S3: a key in UTF-8 compares as its bytes. Where an object key is followed by
//! something else it is escaped (NUL becomes `00 FF`) and ended by `00 00`, which keeps that order: a key that ends
//! sorts before every longer one, and `00 00` before `00 FF`. `docs/format.md` lists every key.

use crate::base::BlobId;
use crate::base::BucketId;
use crate::base::UploadId;

#[path = "keys_named.rs"]
mod named;

pub use named::Named;

macro_rules! families {
    ($($family:ident $name:literal $doc:literal;)*) => {
        /// A column family.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Family { $(#[doc = $doc] $family,)* }

        impl Family {
            /// All of them.
            pub const ALL: &[Family] = &[$(Family::$family,)*];

            /// Its name in the database.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$family => $name,)* }
            }
        }
    };
}

families! {
    Bucket "bucket" "name → bucket";
    Current "current" "bucket, key → the object that GET, HEAD and LIST see";
    Version "version" "bucket, key, newest first → noncurrent versions";
    Upload "upload" "open or ended, bucket, key, upload → multipart uploads";
    Part "part" "upload, number → parts of uploads in progress";
    Inline "inline" "blob → bodies up to the inline limit, manifests";
    BlobRef "blobref" "blob, owner → nothing; a row that names the blob";
    Outbox "outbox" "kind, blob → work for jobs";
    Due "due" "time, bucket, key → lifecycle";
    Usage "usage" "bucket → exact counters";
    Identity "identity" "users and keys";
    System "system" "name → settings, cursors, the commit number";
}

/// The key of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    family: Family,
    bytes: Vec<u8>,
}

impl Key {
    /// The family it lives in.
    pub const fn family(&self) -> Family {
        self.family
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) const fn from_parts(family: Family, bytes: Vec<u8>) -> Self {
        Self { family, bytes }
    }

    /// For messages: the family and the bytes, printable.
    pub fn describe(&self) -> String {
        format!("{}/{}", self.family.name(), self.bytes.escape_ascii())
    }

    /// Which of two keys of one family comes first.
    pub fn order(&self, other: &Key) -> std::cmp::Ordering {
        self.bytes.cmp(&other.bytes)
    }

    /// What the key names; `None` when it is none that this release writes.
    pub fn named(&self) -> Option<Named> {
        named::read(self.family, &self.bytes)
    }
}

const OPEN: u8 = 1;
const ENDED: u8 = 2;
const RECLAIM: u8 = 1;
const REPAIR: u8 = 2;

/// A bucket by name; also the prefix of all buckets whose names begin so.
pub fn bucket(name: &str) -> Key {
    Key::from_parts(Family::Bucket, name.as_bytes().to_vec())
}

/// The current object under a key; also the prefix of all objects whose keys begin so.
pub fn current(bucket: BucketId, key: &str) -> Key {
    let mut bytes = Vec::with_capacity(8 + key.len());
    bytes.extend_from_slice(&bucket.0.to_be_bytes());
    bytes.extend_from_slice(key.as_bytes());
    Key::from_parts(Family::Current, bytes)
}

/// An upload that is open.
pub fn open_upload(bucket: BucketId, key: &str, upload: &UploadId) -> Key {
    upload_key(OPEN, bucket, key, Some(upload))
}

/// The marker of an upload that was completed or aborted.
pub fn ended_upload(bucket: BucketId, key: &str, upload: &UploadId) -> Key {
    upload_key(ENDED, bucket, key, Some(upload))
}

/// The prefix of all such markers.
pub fn ended_uploads() -> Key {
    Key::from_parts(Family::Upload, vec![ENDED])
}

/// The prefix of the open uploads of every bucket.
pub fn all_open_uploads() -> Key {
    Key::from_parts(Family::Upload, vec![OPEN])
}

/// The bucket of an upload row.
pub fn bucket_of_upload(key: &Key) -> Option<BucketId> {
    let bytes = key.bytes.get(1..9)?.try_into().ok()?;
    (key.family == Family::Upload).then_some(BucketId(u64::from_be_bytes(bytes)))
}

/// The prefix of a bucket's open uploads.
pub(super) fn open_uploads(bucket: BucketId) -> Key {
    let mut bytes = vec![OPEN];
    bytes.extend_from_slice(&bucket.0.to_be_bytes());
    Key::from_parts(Family::Upload, bytes)
}

/// The prefix of the open uploads of a bucket whose keys begin with `prefix`.
pub(super) fn open_uploads_from(bucket: BucketId, prefix: &str) -> Key {
    let mut key = open_uploads(bucket);
    escape(prefix, &mut key.bytes);
    key
}

fn upload_key(state: u8, bucket: BucketId, key: &str, upload: Option<&UploadId>) -> Key {
    let mut bytes = Vec::with_capacity(8 + key.len() + 19);
    bytes.push(state);
    bytes.extend_from_slice(&bucket.0.to_be_bytes());
    escape(key, &mut bytes);
    bytes.extend_from_slice(&[0, 0]);
    if let Some(upload) = upload {
        bytes.extend_from_slice(upload.as_bytes());
    }
    Key::from_parts(Family::Upload, bytes)
}

/// Where the uploads of exactly this key end.
pub(super) fn open_uploads_behind(bucket: BucketId, key: &str) -> Key {
    let mut behind = upload_key(OPEN, bucket, key, None);
    behind.bytes.extend_from_slice(&[0xff; 17]);
    behind
}

fn escape(key: &str, bytes: &mut Vec<u8>) {
    for byte in key.bytes() {
        bytes.push(byte);
        if byte == 0 {
            bytes.push(0xff);
        }
    }
}

/// A part of an upload.
pub fn part(upload: &UploadId, number: u16) -> Key {
    let mut key = parts(upload);
    key.bytes.extend_from_slice(&number.to_be_bytes());
    key
}

/// The prefix of all parts of an upload.
pub fn parts(upload: &UploadId) -> Key {
    Key::from_parts(Family::Part, upload.as_bytes().to_vec())
}

/// An inline body or manifest.
pub fn inline(blob: BlobId) -> Key {
    Key::from_parts(Family::Inline, blob.as_bytes().to_vec())
}

/// The reference of the row `owner` to a blob.
pub fn blobref(blob: BlobId, owner: &Key) -> Key {
    let mut key = blobrefs(blob);
    key.bytes.extend_from_slice(owner.family.name().as_bytes());
    key.bytes.push(0);
    key.bytes.extend_from_slice(&owner.bytes);
    key
}

/// The prefix of all references to a blob.
pub fn blobrefs(blob: BlobId) -> Key {
    Key::from_parts(Family::BlobRef, blob.as_bytes().to_vec())
}

/// The prefix of all references to blobs whose ids begin with this byte.
pub fn blobrefs_in(shard: u8) -> Key {
    Key::from_parts(Family::BlobRef, vec![shard])
}

/// The blob that a reference is to.
pub fn blob_of_reference(key: &Key) -> Option<BlobId> {
    let bytes = key.bytes.get(..16)?.try_into().ok()?;
    (key.family == Family::BlobRef).then_some(BlobId::from_bytes(bytes))
}

/// The outbox row that tells the reclaimer about a blob.
pub fn reclaim(blob: BlobId) -> Key {
    outbox(RECLAIM, Some(blob))
}

/// The prefix of all reclaim rows.
pub fn reclaims() -> Key {
    outbox(RECLAIM, None)
}

/// The outbox row that tells the repair job about a blob.
pub fn repair(blob: BlobId) -> Key {
    outbox(REPAIR, Some(blob))
}

/// The prefix of all repair rows.
pub fn repairs() -> Key {
    outbox(REPAIR, None)
}

/// The prefix of all repair rows of blobs whose ids begin with this byte.
pub fn repairs_in(shard: u8) -> Key {
    Key::from_parts(Family::Outbox, vec![REPAIR, shard])
}

fn outbox(kind: u8, blob: Option<BlobId>) -> Key {
    let mut bytes = vec![kind];
    bytes.extend(blob.iter().flat_map(|blob| *blob.as_bytes()));
    Key::from_parts(Family::Outbox, bytes)
}

/// The counters of a bucket.
pub fn usage(bucket: BucketId) -> Key {
    Key::from_parts(Family::Usage, bucket.0.to_be_bytes().to_vec())
}

/// A setting or cursor of the server.
pub fn system(name: &str) -> Key {
    Key::from_parts(Family::System, name.as_bytes().to_vec())
}

/// What a job keeps for its next process.
pub fn job(name: &str) -> Key {
    system(&format!("job/{name}"))
}

/// The prefix of every row of a family.
pub const fn all(family: Family) -> Key {
    Key::from_parts(family, Vec::new())
}

/// The prefix of all rows of a family whose blobs have ids that begin so: references, inline values, and work for jobs
/// behind the prefix of its kind.
pub fn of_blobs(kind: &Key, first: &[u8]) -> Key {
    Key::from_parts(kind.family, [kind.bytes.as_slice(), first].concat())
}

/// The prefix of the current objects of a bucket.
pub fn objects(bucket: BucketId) -> Key {
    current(bucket, "")
}

/// The first bytes behind every key that begins with `prefix`; `None` when there is no such.
pub(super) fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut next = prefix[..=last].to_vec();
    next[last] += 1;
    Some(next)
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
