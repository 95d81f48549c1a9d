//! Multipart uploads: parts before they are an object, and the step that makes them one.
//!
//! ```text
//!            put_part                 complete
//!   (none) ─────────▶ Open ─────────────────────▶ Completed ──▶ (forgotten by the sweep)
//!                      │  ▲ put_part                    ▲ complete again: the same answer
//!                      └──▶ Aborted ──▶ (forgotten by the sweep)
//! ```
//!
//! - Every part expects the upload row as it was read, open; after the step to Completed or Aborted it is refused.
//! - Completing expects every part row it names, so a part that is replaced meanwhile starts it over.
//! - Completing and the object's row are one transaction: there is no "listed but missing".
//! - A part that slipped in beside a completion or an abort is found by the sweep under its upload's marker.

use super::Error;
use super::Staged;
use super::Store;
use super::UpdateError;
use super::blobs::BlobGuard;
use super::bucket::Bucket;
use super::commit::ATTEMPTS_MAX;
use super::commit::Custody;
use super::engine::Metadata as _;
use super::object::Committed;
use super::object::Draft;
use super::object::NewObject;
use super::stage::StagedBody;
use crate::base::BucketId;
use crate::base::Timestamp;
use crate::base::UploadId;
use crate::meta::Expect;
use crate::meta::Key;
use crate::meta::Stored;
use crate::meta::Transaction;
use crate::meta::UploadPage;
use crate::meta::UploadQuery;
use crate::meta::keys;
use crate::meta::records;
use crate::meta::records::ObjectHead;
use crate::meta::records::Part;
use crate::meta::records::PartBody;
use crate::meta::records::PartEntry;
use crate::meta::records::Upload;
use crate::meta::records::UploadState;
use crate::s3::checksum::ObjectChecksum;
use crate::s3::etag::ETag;
use crate::s3::name::ObjectKey;

/// The most parts an upload can have.
pub const PARTS_MAX: usize = 10_000;

/// How UploadPart ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutPart {
    /// The part is durable.
    Done {
        /// When.
        modified: Timestamp,
    },
    /// Never begun, completed or aborted.
    NoSuchUpload,
}

/// What a completion makes of the parts.
#[derive(Debug, Clone)]
pub struct Completion {
    /// The object's entity tag.
    pub etag: ETag,
    /// The object's checksum.
    pub checksum: Option<ObjectChecksum>,
    /// The chosen parts, in order.
    pub parts: Vec<PartEntry>,
}

/// How CompleteMultipartUpload ended.
#[derive(Debug, Clone)]
pub enum Complete {
    /// The object exists now.
    Done(Committed),
    /// An earlier completion of the same upload made it.
    Already(Committed),
    /// Never begun or aborted.
    NoSuchUpload,
}

impl Store {
    /// Begins an upload.
    pub async fn create_upload(
        &self,
        bucket: &Bucket,
        upload: &Upload,
    ) -> Result<(), UpdateError<std::convert::Infallible>> {
        let key = keys::upload(bucket.record.id, &upload.key, &upload.id);
        let mut revision = bucket.revision;
        for _ in 0..ATTEMPTS_MAX {
            let mut transaction = Transaction::new();
            transaction.expect(Expect::Revision(keys::bucket(&bucket.record.name), revision));
            transaction.put(key.clone(), upload);
            if self.try_commit(transaction, &mut Custody::default()).await?.is_some() {
                return Ok(());
            }
            revision = self.revision_now(bucket).await?;
        }
        Err(UpdateError::Store(Error::Overloaded))
    }

    /// An upload that is open.
    pub async fn upload(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
        id: &UploadId,
    ) -> Result<Option<Stored<Upload>>, Error> {
        let row = self.metadata.get::<Upload>(&keys::upload(bucket, key.as_str(), id)).await?;
        Ok(row.filter(|row| matches!(row.record.state, UploadState::Open)))
    }

    /// Makes `staged` the part `number`, instead of any that had it.
    pub async fn put_part(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
        id: &UploadId,
        number: u16,
        staged: Staged,
    ) -> Result<PutPart, Error> {
        let Staged { size, digests, body } = staged;
        let (body, inline, guard) = match body {
            StagedBody::Empty => (PartBody::Empty, None, None),
            StagedBody::Inline(id, bytes) => (PartBody::Inline(id), Some((id, bytes)), None),
            StagedBody::Blob(guard) => (PartBody::Blob(guard.id()), None, Some(guard)),
        };
        let modified = self.clock.now();
        let part = Part { number, size, md5: digests.md5, modified, checksum: Some(digests.checksum), body };
        let degraded = guard.as_ref().and_then(BlobGuard::degraded);
        let mut custody = Custody::of(guard);
        let row = keys::part(id, number);
        for _ in 0..ATTEMPTS_MAX {
            let Some(upload) = self.upload(bucket, key, id).await? else { return Ok(PutPart::NoSuchUpload) };
            let mut transaction = Transaction::new();
            transaction.expect(Expect::Revision(keys::upload(bucket, key.as_str(), id), upload.revision));
            match self.metadata.get::<Part>(&row).await? {
                None => transaction.expect(Expect::Absent(row.clone())),
                Some(old) => {
                    transaction.expect(Expect::Revision(row.clone(), old.revision));
                    self.release_part(&mut transaction, &old.record.body, &row);
                }
            }
            if let PartBody::Blob(blob) = part.body {
                transaction.put_empty(keys::blobref(blob, &row));
            }
            if let Some((blob, bytes)) = &inline {
                transaction.put_inline(*blob, bytes.clone());
            }
            if let Some((blob, missing)) = degraded {
                self.note_repair(&mut transaction, blob, missing);
            }
            transaction.put(row.clone(), &part);
            if self.try_commit(transaction, &mut custody).await?.is_some() {
                return Ok(PutPart::Done { modified });
            }
        }
        Err(Error::Overloaded)
    }

    /// Parts numbered above `after`, in order, and whether there are more.
    pub async fn parts(&self, id: &UploadId, after: u16, limit: usize) -> Result<(Vec<Part>, bool), Error> {
        let rows = self.part_rows(id, after, limit + 1).await?;
        let more = rows.len() > limit;
        Ok((rows.into_iter().take(limit).map(|(_, row)| row.record).collect(), more))
    }

    async fn part_rows(
        &self,
        id: &UploadId,
        after: u16,
        limit: usize,
    ) -> Result<Vec<(Key, Stored<Part>)>, Error> {
        let after = (after > 0).then(|| keys::part(id, after));
        self.metadata.scan::<Part>(keys::parts(id), after, limit).await
    }

    /// A page of the uploads that are open.
    pub async fn list_uploads(&self, query: UploadQuery) -> Result<UploadPage, Error> {
        self.metadata.list_uploads(query).await
    }

    /// Makes an object of an upload. `plan` sees the upload and all its parts and chooses; `check` sees the current
    /// object as in [`Store::put_object`].
    pub async fn complete_upload<R>(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        id: &UploadId,
        plan: impl Fn(&Upload, &[Part]) -> Result<Completion, R>,
        check: impl Fn(Option<&ObjectHead>) -> Result<(), R>,
    ) -> Result<Complete, UpdateError<R>> {
        let upload_row = keys::upload(bucket.record.id, key.as_str(), id);
        let mut revision = bucket.revision;
        for _ in 0..ATTEMPTS_MAX {
            let Some(upload) = self.metadata.get::<Upload>(&upload_row).await? else {
                return Ok(Complete::NoSuchUpload);
            };
            match &upload.record.state {
                UploadState::Open => {}
                UploadState::Aborted => return Ok(Complete::NoSuchUpload),
                UploadState::Completed { etag, size, modified, checksum } => {
                    let (etag, size, modified, checksum) = (*etag, *size, *modified, checksum.clone());
                    return Ok(Complete::Already(Committed { etag, modified, size, checksum }));
                }
            }
            let rows = self.part_rows(id, 0, PARTS_MAX).await?;
            let parts: Vec<Part> = rows.iter().map(|(_, row)| row.record.clone()).collect();
            let completion = plan(&upload.record, &parts).map_err(UpdateError::Refused)?;
            let mut draft = self.draft_of(&upload.record, completion);
            let mut transaction = Transaction::new();
            transaction.expect(Expect::Revision(keys::bucket(&bucket.record.name), revision));
            transaction.expect(Expect::Revision(upload_row.clone(), upload.revision));
            self.consume_parts(&mut transaction, &rows, &draft.parts);
            self.replace(&mut transaction, bucket.record.id, key, &mut draft, &check).await?;
            let done = Committed::of(&draft.object);
            transaction.put(upload_row.clone(), &completed(upload.record, &done));
            if self.try_commit(transaction, &mut Custody::default()).await?.is_some() {
                return Ok(Complete::Done(done));
            }
            revision = self.revision_now(bucket).await?;
        }
        Err(UpdateError::Store(Error::Overloaded))
    }

    fn draft_of(&self, upload: &Upload, completion: Completion) -> Draft {
        let mut inline = Vec::new();
        let size = completion.parts.iter().map(|part| part.size).sum();
        let layout = self.layout_of(&completion.parts, &mut inline);
        let new = NewObject {
            headers: upload.headers.clone(),
            user_metadata: upload.user_metadata.clone(),
            storage_class: upload.storage_class.clone(),
            owner: upload.owner.clone(),
        };
        let mut object = self.object_record(new, size, completion.etag, layout);
        object.body.checksum = completion.checksum;
        Draft { object, parts: completion.parts, inline, degraded: Vec::new() }
    }

    /// Part rows go; the chosen parts' blobs lose this reference and gain the object's in the same transaction.
    fn consume_parts(&self, transaction: &mut Transaction, rows: &[(Key, Stored<Part>)], chosen: &[PartEntry]) {
        for (row, part) in rows {
            transaction.expect(Expect::Revision(row.clone(), part.revision));
            transaction.delete(row.clone());
            let taken = chosen.binary_search_by_key(&part.record.number, |entry| entry.number).is_ok();
            match part.record.body {
                PartBody::Blob(blob) if taken => transaction.delete(keys::blobref(blob, row)),
                PartBody::Inline(_) if taken => {}
                _ => self.release_part(transaction, &part.record.body, row),
            }
        }
    }

    /// Ends an upload and gives its parts back; `false` when it was not open.
    pub async fn abort_upload(&self, bucket: BucketId, key: &ObjectKey, id: &UploadId) -> Result<bool, Error> {
        let upload_row = keys::upload(bucket, key.as_str(), id);
        for _ in 0..ATTEMPTS_MAX {
            let Some(upload) = self.upload(bucket, key, id).await? else { return Ok(false) };
            let rows = self.part_rows(id, 0, PARTS_MAX).await?;
            let mut transaction = Transaction::new();
            transaction.expect(Expect::Revision(upload_row.clone(), upload.revision));
            self.consume_parts(&mut transaction, &rows, &[]);
            transaction.put(upload_row.clone(), &Upload { state: UploadState::Aborted, ..upload.record });
            if self.try_commit(transaction, &mut Custody::default()).await?.is_some() {
                return Ok(true);
            }
        }
        Err(Error::Overloaded)
    }

    /// Forgets an upload that is no longer open, with any part that slipped in beside its end. For the sweep.
    pub async fn forget_upload(&self, key: &Key, upload: &Stored<Upload>) -> Result<(), Error> {
        let rows = self.part_rows(&upload.record.id, 0, PARTS_MAX).await?;
        let mut transaction = Transaction::new();
        transaction.expect(Expect::Revision(key.clone(), upload.revision));
        self.consume_parts(&mut transaction, &rows, &[]);
        transaction.delete(key.clone());
        // After a conflict the next pass sees it again.
        self.try_commit(transaction, &mut Custody::default()).await.map(|_| ())
    }
}

/// The marker that makes a repeated completion answer the same.
fn completed(upload: Upload, done: &Committed) -> Upload {
    let state = UploadState::Completed {
        etag: done.etag,
        size: done.size,
        modified: done.modified,
        checksum: done.checksum.clone(),
    };
    Upload { state, headers: records::ContentHeaders::default(), user_metadata: Vec::new(), ..upload }
}
