//! Objects: the transactions of put, delete and copy.

use bytes::Bytes;

use crate::base::BlobId;
use crate::base::BucketId;
use crate::base::Timestamp;
use crate::meta::Expect;
use crate::meta::Key;
use crate::meta::ListPage;
use crate::meta::ListQuery;
use crate::meta::Stored;
use crate::meta::Transaction;
use crate::meta::UsageDelta;
use crate::meta::keys;
use crate::meta::records;
use crate::meta::records::ContentHeaders;
use crate::meta::records::Layout;
use crate::meta::records::ObjectBody;
use crate::meta::records::ObjectHead;
use crate::meta::records::PartBody;
use crate::meta::records::PartEntry;
use crate::meta::records::Reclaim;
use crate::meta::records::Repair;
use crate::s3::checksum::ObjectChecksum;
use crate::s3::etag::ETag;
use crate::s3::name::ObjectKey;

use super::Error;
use super::Staged;
use super::Store;
use super::UpdateError;
use super::blobs::BlobGuard;
use super::bucket::Bucket;
use super::commit::Attempt;
use super::commit::Custody;
use super::commit::in_bucket;
use super::engine::Metadata as _;
use super::stage::StagedBody;

/// An object row with its revision.
pub type Object = Stored<records::Object>;

/// What a client says about a new object, beside its bytes.
#[derive(Debug, Clone, Default)]
pub struct NewObject {
    /// `Content-Type` and its kin.
    pub headers: ContentHeaders,
    /// `x-amz-meta-…`, names without the prefix, in the order sent.
    pub user_metadata: Vec<(String, String)>,
    /// `x-amz-storage-class`.
    pub storage_class: String,
    /// Canonical id of the owner.
    pub owner: String,
}

/// An object that has just been committed.
#[derive(Debug, Clone)]
pub struct Committed {
    /// Its entity tag.
    pub etag: ETag,
    /// Its time of modification.
    pub modified: Timestamp,
    /// Its length in bytes.
    pub size: u64,
    /// Its checksum.
    pub checksum: Option<ObjectChecksum>,
}

impl Committed {
    pub(super) fn of(object: &records::Object) -> Self {
        Self {
            etag: object.head.etag,
            modified: object.head.modified,
            size: object.head.size,
            checksum: object.body.checksum.clone(),
        }
    }
}

/// An object about to be committed: its row, and everything that is written beside it.
pub(super) struct Draft {
    pub(super) object: records::Object,
    /// Every part of a multipart object, wherever the layout keeps them.
    pub(super) parts: Vec<PartEntry>,
    /// Inline bodies and manifests to write.
    pub(super) inline: Vec<(BlobId, Bytes)>,
    /// A blob that has fewer copies than it should, and how many are missing.
    pub(super) degraded: Vec<(BlobId, usize)>,
}

/// How a delete ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deleted {
    /// Whether there was something to delete.
    pub existed: bool,
}

/// How a copy ended.
#[derive(Debug, Clone)]
pub enum CopyOutcome {
    /// The destination exists.
    Done(Committed),
    /// The source was overwritten or deleted meanwhile: look at it again.
    SourceChanged,
}

impl Store {
    /// The current object under `key`.
    pub async fn object(&self, bucket: BucketId, key: &ObjectKey) -> Result<Option<Object>, Error> {
        self.metadata.get(&keys::current(bucket, key.as_str())).await
    }

    /// A page of the bucket's objects in the order of their keys' bytes.
    pub async fn list_objects(&self, bucket: BucketId, query: ListQuery) -> Result<ListPage, Error> {
        self.metadata.list(bucket, query).await
    }

    /// Makes `staged` the current object under `key`. `check` sees what is there now and may refuse; it is asked
    /// again whenever that changed before the commit, so the commit happens exactly on the state that passed.
    pub async fn put_object<R>(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        new: NewObject,
        staged: Staged,
        check: impl Fn(Option<&ObjectHead>) -> Result<(), R>,
    ) -> Result<Committed, UpdateError<R>> {
        let (layout, inline, guard) = match staged.body {
            StagedBody::Empty => (Layout::Empty, Vec::new(), None),
            StagedBody::Inline(id, bytes) => (Layout::Inline(id), vec![(id, bytes)], None),
            StagedBody::Blob(guard) => (Layout::Blob(guard.id()), Vec::new(), Some(guard)),
        };
        let checksum = Some(ObjectChecksum::whole(staged.digests.checksum));
        let object =
            self.object_record(new, (staged.size, ETag::plain(staged.digests.md5)), checksum, layout);
        let degraded = guard.iter().filter_map(BlobGuard::degraded).collect();
        let mut draft = Draft { object, parts: Vec::new(), inline, degraded };
        let mut custody = Custody::of(guard);
        let mut attempts = self.attempts(&keys::current(bucket.record.id, key.as_str()));
        loop {
            attempts.begin().await?;
            let mut transaction = in_bucket(bucket.record.id);
            self.replace(&mut transaction, bucket.record.id, key, &mut draft, &check).await?;
            match self.attempt(transaction, &mut custody).await? {
                Attempt::Committed => return Ok(Committed::of(&draft.object)),
                Attempt::NoSuchBucket => return Err(UpdateError::NoSuchBucket),
                Attempt::Conflict => {}
            }
        }
    }

    /// Removes the current object under `key`, when there is one and `check` agrees.
    pub async fn delete_object<R>(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        check: impl Fn(Option<&ObjectHead>) -> Result<(), R>,
    ) -> Result<Deleted, UpdateError<R>> {
        let row = keys::current(bucket.record.id, key.as_str());
        let mut attempts = self.attempts(&row);
        loop {
            attempts.begin().await?;
            let current = self.metadata.get::<records::Object>(&row).await?;
            check(current.as_ref().map(|current| &current.record.head)).map_err(UpdateError::Refused)?;
            let Some(current) = current else {
                return Ok(Deleted { existed: false });
            };
            let mut transaction = in_bucket(bucket.record.id);
            transaction.expect(Expect::Revision(row.clone(), current.revision));
            transaction.delete(row.clone());
            self.release(&mut transaction, &row, &current.record).await?;
            let gone = UsageDelta::new(-1, -(current.record.head.size as i64));
            transaction.count(bucket.record.id, gone);
            match self.attempt(transaction, &mut Custody::default()).await? {
                Attempt::Committed => return Ok(Deleted { existed: true }),
                Attempt::NoSuchBucket => return Err(UpdateError::NoSuchBucket),
                Attempt::Conflict => {}
            }
        }
    }

    /// Makes the bytes of `source` the current object under `key` too. Blobs are shared, not copied, so this takes
    /// the same time at any size; inline bytes are written again.
    pub async fn copy_object<R>(
        &self,
        source: (&Bucket, &ObjectKey, &Object),
        bucket: &Bucket,
        key: &ObjectKey,
        new: NewObject,
        check: impl Fn(Option<&ObjectHead>) -> Result<(), R>,
    ) -> Result<CopyOutcome, UpdateError<R>> {
        self.check_room()?;
        let (source_bucket, source_key, source) = source;
        let source_row = keys::current(source_bucket.record.id, source_key.as_str());
        let from = &source.record;
        let Some((layout, parts, inline)) = self.shared_layout(from).await? else {
            return Ok(CopyOutcome::SourceChanged);
        };
        let checksum = from.body.checksum.clone();
        let object = self.object_record(new, (from.head.size, from.head.etag), checksum, layout);
        let mut draft = Draft { object, parts, inline, degraded: Vec::new() };
        let mut attempts = self.attempts(&keys::current(bucket.record.id, key.as_str()));
        loop {
            attempts.begin().await?;
            let mut transaction = in_bucket(bucket.record.id);
            transaction.expect(Expect::Revision(source_row.clone(), source.revision));
            self.replace(&mut transaction, bucket.record.id, key, &mut draft, &check).await?;
            match self.attempt(transaction, &mut Custody::default()).await? {
                Attempt::Committed => return Ok(CopyOutcome::Done(Committed::of(&draft.object))),
                Attempt::NoSuchBucket => return Err(UpdateError::NoSuchBucket),
                Attempt::Conflict => {}
            }
            let now = self.metadata.get::<records::Object>(&source_row).await?;
            if now.is_none_or(|now| now.revision != source.revision) {
                return Ok(CopyOutcome::SourceChanged);
            }
        }
    }

    /// The layout of a copy: the same blobs, and new ids for what is kept inline. `None` when the source has gone.
    async fn shared_layout(&self, source: &records::Object) -> Result<Option<SharedLayout>, Error> {
        let mut inline = Vec::new();
        let (layout, parts) = match &source.body.layout {
            Layout::Empty => (Layout::Empty, Vec::new()),
            Layout::Blob(id) => (Layout::Blob(*id), Vec::new()),
            Layout::Inline(id) => match self.renewed(*id, &mut inline).await? {
                Some(id) => (Layout::Inline(id), Vec::new()),
                None => return Ok(None),
            },
            layout @ (Layout::Parts(_) | Layout::Manifest { .. }) => {
                let Some(mut parts) = self.part_entries(layout).await? else {
                    return Ok(None);
                };
                for part in &mut parts {
                    if let PartBody::Inline(id) = part.body {
                        let Some(id) = self.renewed(id, &mut inline).await? else {
                            return Ok(None);
                        };
                        part.body = PartBody::Inline(id);
                    }
                }
                (self.layout_of(&parts, &mut inline), parts)
            }
        };
        Ok(Some((layout, parts, inline)))
    }

    /// The inline body under another id, added to `inline`.
    async fn renewed(&self, id: BlobId, inline: &mut Vec<(BlobId, Bytes)>) -> Result<Option<BlobId>, Error> {
        let Some(bytes) = self.metadata.inline(id).await? else {
            return Ok(None);
        };
        let id = self.new_blob_id();
        inline.push((id, bytes));
        Ok(Some(id))
    }

    /// The parts of an object as a layout: in the row itself while they are few, else as an inline manifest, so
    /// that a listing does not drag ten thousand of them along.
    pub(super) fn layout_of(&self, parts: &[PartEntry], inline: &mut Vec<(BlobId, Bytes)>) -> Layout {
        if parts.len() <= records::PARTS_IN_ROW_MAX {
            return Layout::Parts(parts.to_vec());
        }
        let id = self.new_blob_id();
        inline.push((id, records::encode_manifest(parts)));
        Layout::Manifest { id, count: parts.len() as u16 }
    }

    /// The parts of a multipart object in order; `None` when the manifest has gone with an overwrite.
    pub(super) async fn part_entries(&self, layout: &Layout) -> Result<Option<Vec<PartEntry>>, Error> {
        match layout {
            Layout::Parts(parts) => Ok(Some(parts.clone())),
            Layout::Manifest { id, .. } => match self.metadata.inline(*id).await? {
                Some(manifest) => Ok(Some(records::decode_manifest(&manifest)?)),
                None => Ok(None),
            },
            Layout::Empty | Layout::Inline(_) | Layout::Blob(_) => Ok(Some(Vec::new())),
        }
    }

    pub(super) fn object_record(
        &self,
        new: NewObject,
        (size, etag): (u64, ETag),
        checksum: Option<ObjectChecksum>,
        layout: Layout,
    ) -> records::Object {
        records::Object {
            head: ObjectHead {
                size,
                etag,
                modified: self.clock.now(),
                version: 0,
                is_delete_marker: false,
                storage_class: new.storage_class,
                checksum: checksum.as_ref().map(|checksum| (checksum.checksum.algorithm(), checksum.kind)),
                owner: new.owner,
            },
            body: ObjectBody { headers: new.headers, user_metadata: new.user_metadata, checksum, layout },
        }
    }

    /// The rows that make `draft` current under `key` instead of whatever is there, in `transaction`.
    pub(super) async fn replace<R>(
        &self,
        transaction: &mut Transaction,
        bucket: BucketId,
        key: &ObjectKey,
        draft: &mut Draft,
        check: &impl Fn(Option<&ObjectHead>) -> Result<(), R>,
    ) -> Result<(), UpdateError<R>> {
        let row = keys::current(bucket, key.as_str());
        let current = self.metadata.get::<records::Object>(&row).await?;
        check(current.as_ref().map(|current| &current.record.head)).map_err(UpdateError::Refused)?;
        let size = draft.object.head.size as i64;
        match &current {
            None => {
                transaction.expect(Expect::Absent(row.clone()));
                transaction.count(bucket, UsageDelta::new(1, size));
            }
            Some(current) => {
                transaction.expect(Expect::Revision(row.clone(), current.revision));
                transaction.count(bucket, UsageDelta::new(0, size - current.record.head.size as i64));
                // A later write is never older, whatever the clock does.
                let head = &mut draft.object.head;
                head.modified = head.modified.max(current.record.head.modified);
                self.release(transaction, &row, &current.record).await?;
            }
        }
        // Behind the release: a copy onto itself names the same blobs again.
        self.write_draft(transaction, row, draft);
        Ok(())
    }

    fn write_draft(&self, transaction: &mut Transaction, row: Key, draft: &Draft) {
        if let Layout::Blob(id) = draft.object.body.layout {
            transaction.put_empty(keys::blobref(id, &row));
        }
        for part in &draft.parts {
            if let PartBody::Blob(id) = part.body {
                transaction.put_empty(keys::blobref(id, &row));
            }
        }
        for (id, bytes) in &draft.inline {
            transaction.put_inline(*id, bytes);
        }
        for (id, missing) in &draft.degraded {
            self.note_repair(transaction, *id, *missing);
        }
        transaction.put(row, &draft.object);
    }

    /// Drops what an object row holds: inline bodies at once, blobs through the reclaimer.
    async fn release(
        &self,
        transaction: &mut Transaction,
        row: &Key,
        object: &records::Object,
    ) -> Result<(), Error> {
        match &object.body.layout {
            Layout::Empty => {}
            Layout::Inline(id) => transaction.delete(keys::inline(*id)),
            Layout::Blob(id) => self.drop_reference(transaction, *id, row),
            layout @ (Layout::Parts(_) | Layout::Manifest { .. }) => {
                for part in self.part_entries(layout).await?.unwrap_or_default() {
                    self.release_part(transaction, &part.body, row);
                }
                if let Layout::Manifest { id, .. } = layout {
                    transaction.delete(keys::inline(*id));
                }
            }
        }
        Ok(())
    }

    pub(super) fn release_part(&self, transaction: &mut Transaction, body: &PartBody, row: &Key) {
        match body {
            PartBody::Empty => {}
            PartBody::Inline(id) => transaction.delete(keys::inline(*id)),
            PartBody::Blob(id) => self.drop_reference(transaction, *id, row),
        }
    }

    fn drop_reference(&self, transaction: &mut Transaction, blob: BlobId, row: &Key) {
        transaction.delete(keys::blobref(blob, row));
        transaction.put(keys::reclaim(blob), &Reclaim { blob, at: self.clock.now() });
    }

    pub(super) fn note_repair(&self, transaction: &mut Transaction, blob: BlobId, missing: usize) {
        let missing = u8::try_from(missing).unwrap_or(u8::MAX);
        transaction.put(keys::repair(blob), &Repair { blob, missing, at: self.clock.now() });
    }
}

/// A layout, its parts, and the inline bodies it needs written.
type SharedLayout = (Layout, Vec<PartEntry>, Vec<(BlobId, Bytes)>);
