//! Turns what part files say into rows, some hundred blobs in one transaction.
//!
//! Blobs come in the order of their random ids: a key may be met again at any time, in an older or a newer generation.
//! So each is compared with the row that stands, and replaces it or not; memory holds a transaction and the buckets.

use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::hash_map::Entry;

use super::Found;
use super::Rebuilt;
use crate::base::BlobId;
use crate::base::BucketId;
use crate::base::Timestamp;
use crate::meta::CommitError;
use crate::meta::Key;
use crate::meta::Meta;
use crate::meta::Tier;
use crate::meta::Transaction;
use crate::meta::UsageDelta;
use crate::meta::keys;
use crate::meta::records::BlobOwner;
use crate::meta::records::Layout;
use crate::meta::records::Object;
use crate::meta::records::ObjectBody;
use crate::meta::records::ObjectHead;
use crate::meta::records::Part;
use crate::meta::records::PartBody;
use crate::meta::records::Repair;
use crate::meta::records::Upload;
use crate::s3::checksum::ObjectChecksum;
use crate::s3::etag::ETag;
use crate::s3::name::BucketName;
use crate::s3::name::ObjectKey;
use crate::server::Error;
use crate::sys::clock::Clock as _;
use crate::sys::clock::SystemClock;

/// Blobs in one transaction: enough to share a sync, few enough to hold in memory with their metadata.
const BLOBS: usize = 1000;

/// What is known of a bucket.
pub(super) struct BucketSeen {
    pub(super) name: String,
    pub(super) owner: String,
    /// When the first thing in it was begun: it was created before.
    pub(super) first: Timestamp,
}

/// Rows being made.
pub(super) struct Batch<'a> {
    pub(super) meta: &'a Meta,
    pub(super) buckets: HashMap<BucketId, BucketSeen>,
    copies: usize,
}

impl<'a> Batch<'a> {
    pub(super) fn new(meta: &'a Meta, copies: usize) -> Self {
        Self { meta, buckets: HashMap::new(), copies }
    }

    /// Makes rows of what was found.
    pub(super) fn add(&mut self, found: Vec<Found>, rebuilt: &mut Rebuilt) -> Result<(), Error> {
        let mut found = found.into_iter().peekable();
        while found.peek().is_some() {
            let some: Vec<Found> = found.by_ref().take(BLOBS).collect();
            self.commit_some(some, rebuilt)?;
        }
        Ok(())
    }

    fn commit_some(&mut self, some: Vec<Found>, rebuilt: &mut Rebuilt) -> Result<(), Error> {
        let mut newest: HashMap<Key, Found> = HashMap::with_capacity(some.len());
        for found in some {
            if !is_usable(&found.owner) {
                rebuilt.unknown_blobs += 1;
                rebuilt.leave_out(|| format!("{} names an object that cannot be", found.blob));
                continue;
            }
            self.note_bucket(&found.owner);
            match newest.entry(row_of(&found.owner)) {
                Entry::Vacant(place) => drop(place.insert(found)),
                Entry::Occupied(mut place) => {
                    let older = match is_newer(&found, place.get().created, place.get().blob) {
                        true => place.insert(found),
                        false => found,
                    };
                    superseded(&older.owner, older.blob, rebuilt);
                }
            }
        }
        let mut transaction = Transaction::new();
        let mut opened = HashSet::new();
        for (row, found) in newest {
            match found.owner.part {
                None => self.put_object(&mut transaction, row, found, rebuilt)?,
                Some((upload, number)) => {
                    let upload = upload_of(&found.owner, upload);
                    if opened.insert(upload.id) {
                        let key = keys::open_upload(found.owner.bucket, &upload.key, &upload.id);
                        transaction.put(key, &upload);
                    }
                    self.put_part(&mut transaction, row, number, found, rebuilt)?;
                }
            }
        }
        commit(self.meta, transaction)
    }

    fn note_bucket(&mut self, owner: &BlobOwner) {
        let first = owner.begun;
        let seen = self.buckets.entry(owner.bucket).or_insert_with(|| BucketSeen {
            name: owner.bucket_name.clone(),
            owner: owner.owner.clone(),
            first,
        });
        seen.first = seen.first.min(first);
    }

    fn put_object(
        &self,
        transaction: &mut Transaction,
        row: Key,
        found: Found,
        rebuilt: &mut Rebuilt,
    ) -> Result<(), Error> {
        let bucket = found.owner.bucket;
        let size = found.length as i64;
        match self.meta.get::<Object>(&row, Tier::Any)?.into_option() {
            None => {
                transaction.count(bucket, UsageDelta::new(1, size));
                rebuilt.objects += 1;
                rebuilt.bytes += found.length;
            }
            Some(standing) => {
                let Object { head, body } = &standing.record;
                let Layout::Blob(other) = body.layout else { return Ok(()) };
                if !is_newer(&found, head.modified, other) {
                    superseded(&found.owner, found.blob, rebuilt);
                    return Ok(());
                }
                superseded(&found.owner, other, rebuilt);
                drop_blob(transaction, other, &row);
                transaction.count(bucket, UsageDelta::new(0, size - head.size as i64));
                rebuilt.bytes = rebuilt.bytes - head.size + found.length;
            }
        }
        self.name_blob(transaction, &found, &row);
        transaction.put(row, &object_of(found));
        Ok(())
    }

    fn put_part(
        &self,
        transaction: &mut Transaction,
        row: Key,
        number: u16,
        found: Found,
        rebuilt: &mut Rebuilt,
    ) -> Result<(), Error> {
        if let Some(standing) = self.meta.get::<Part>(&row, Tier::Any)?.into_option() {
            let PartBody::Blob(other) = standing.record.body else { return Ok(()) };
            if !is_newer(&found, standing.record.modified, other) {
                superseded(&found.owner, found.blob, rebuilt);
                return Ok(());
            }
            superseded(&found.owner, other, rebuilt);
            drop_blob(transaction, other, &row);
        }
        self.name_blob(transaction, &found, &row);
        let part = Part {
            number,
            size: found.length,
            md5: found.md5,
            modified: found.created,
            checksum: found.owner.checksum,
            body: PartBody::Blob(found.blob),
        };
        transaction.put(row, &part);
        Ok(())
    }

    /// The reference of a row to a blob, and the work that a blob short of copies makes.
    fn name_blob(&self, transaction: &mut Transaction, found: &Found, row: &Key) {
        let blob = found.blob;
        transaction.put_empty(keys::blobref(blob, row));
        if found.copies < self.copies {
            let missing = u8::try_from(self.copies - found.copies).unwrap_or(u8::MAX);
            transaction.put(keys::repair(blob), &Repair { blob, missing, at: SystemClock.now() });
        }
    }
}

/// The row that a part file was written for.
fn row_of(owner: &BlobOwner) -> Key {
    match &owner.part {
        None => keys::current(owner.bucket, &owner.key),
        Some((upload, number)) => keys::part(upload, *number),
    }
}

/// Whether the names are ones that a client can have given: a row that nobody can ask for would only be in the way.
fn is_usable(owner: &BlobOwner) -> bool {
    BucketName::new(&owner.bucket_name).is_ok() && ObjectKey::new(owner.key.as_str()).is_ok()
}

/// Of two generations the one that was written later, and by id when that is the same millisecond.
fn is_newer(found: &Found, standing: Timestamp, blob: BlobId) -> bool {
    (found.created, found.blob) > (standing, blob)
}

fn superseded(owner: &BlobOwner, blob: BlobId, rebuilt: &mut Rebuilt) {
    rebuilt.superseded += 1;
    rebuilt.leave_out(|| {
        format!("{blob}, an older generation of {}/{}", owner.bucket_name, owner.key.escape_debug())
    });
}

pub(super) fn drop_blob(transaction: &mut Transaction, blob: BlobId, row: &Key) {
    transaction.delete(keys::blobref(blob, row));
    transaction.delete(keys::repair(blob));
}

fn object_of(found: Found) -> Object {
    let Found { blob, length, md5, created, owner, .. } = found;
    let checksum = owner.checksum.map(ObjectChecksum::whole);
    Object {
        head: ObjectHead {
            size: length,
            etag: ETag::plain(md5),
            modified: created,
            version: 0,
            is_delete_marker: false,
            storage_class: owner.storage_class,
            checksum: checksum.as_ref().map(|checksum| (checksum.checksum.algorithm(), checksum.kind)),
            owner: owner.owner,
        },
        body: ObjectBody {
            headers: owner.headers,
            user_metadata: owner.user_metadata,
            checksum,
            layout: Layout::Blob(blob),
        },
    }
}

fn upload_of(owner: &BlobOwner, id: crate::base::UploadId) -> Upload {
    Upload {
        id,
        key: owner.key.clone(),
        initiated: owner.begun,
        owner: owner.owner.clone(),
        headers: owner.headers.clone(),
        user_metadata: owner.user_metadata.clone(),
        storage_class: owner.storage_class.clone(),
        checksum: None,
    }
}

pub(super) fn commit(meta: &Meta, transaction: Transaction) -> Result<(), Error> {
    match meta.commit(transaction) {
        Ok(_) => Ok(()),
        Err(CommitError::Unavailable(error)) => Err(Error::Metadata(error)),
        Err(error) => Err(Error::Other(error.to_string())),
    }
}
