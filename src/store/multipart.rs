//! Multipart uploads: parts before they are an object, and the step that makes them one.
//!
//! ```text
//!            create_upload       complete
//!   (none) ─────────▶ open ─────────────────────▶ ended: completed ──▶ (forgotten by the sweep, a day later)
//!                      │  ▲ put_part                    ▲ complete again: the same answer
//!                      └──▶ ended: aborted ──▶ (forgotten by the sweep)
//! ```
//!
//! - An open upload is one row, an ended one another; the step between them is one transaction.
//! - Every part expects the row of the open upload, so after the step it is refused.
//! - Completing expects every part row it names, so a part that is replaced meanwhile starts it over.
//! - Completing and the object's row are one transaction: there is no "listed but missing".
//! - A part that slipped in beside a completion or an abort is found by the sweep under its upload's marker.

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
use crate::meta::records::EndedUpload;
use crate::meta::records::ObjectHead;
use crate::meta::records::Part;
use crate::meta::records::PartBody;
use crate::meta::records::PartEntry;
use crate::meta::records::Upload;
use crate::meta::records::UploadOutcome;
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
        self.check_room()?;
        let mut transaction = in_bucket(bucket.record.id);
        transaction.put(keys::open_upload(bucket.record.id, &upload.key, &upload.id), upload);
        match self.attempt(transaction, &mut Custody::default()).await? {
            Attempt::Committed => Ok(()),
            Attempt::NoSuchBucket | Attempt::Conflict => Err(UpdateError::NoSuchBucket),
        }
    }

    /// An upload that is open.
    pub async fn upload(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
        id: &UploadId,
    ) -> Result<Option<Stored<Upload>>, Error> {
        self.metadata.get(&keys::open_upload(bucket, key.as_str(), id)).await
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
        let mut attempts = self.attempts(&row);
        loop {
            attempts.begin().await?;
            let Some(upload) = self.upload(bucket, key, id).await? else {
                return Ok(PutPart::NoSuchUpload);
            };
            let mut transaction = in_bucket(bucket);
            transaction
                .expect(Expect::Revision(keys::open_upload(bucket, key.as_str(), id), upload.revision));
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
                transaction.put_inline(*blob, bytes);
            }
            if let Some((blob, missing)) = degraded {
                self.note_repair(&mut transaction, blob, missing);
            }
            transaction.put(row.clone(), &part);
            match self.attempt(transaction, &mut custody).await? {
                Attempt::Committed => return Ok(PutPart::Done { modified }),
                // Uploads go with their bucket.
                Attempt::NoSuchBucket => return Ok(PutPart::NoSuchUpload),
                Attempt::Conflict => {}
            }
        }
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
    pub async fn list_uploads(&self, bucket: BucketId, query: UploadQuery) -> Result<UploadPage, Error> {
        self.metadata.list_uploads(bucket, query).await
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
        let mut attempts = self.attempts(&keys::current(bucket.record.id, key.as_str()));
        loop {
            attempts.begin().await?;
            let Some(upload) = self.upload(bucket.record.id, key, id).await? else {
                return self.completed_before(bucket.record.id, key, id).await;
            };
            let rows = self.part_rows(id, 0, PARTS_MAX).await?;
            let parts: Vec<Part> = rows.iter().map(|(_, row)| row.record.clone()).collect();
            let completion = plan(&upload.record, &parts).map_err(UpdateError::Refused)?;
            let mut draft = self.draft_of(&upload.record, completion);
            let mut transaction = in_bucket(bucket.record.id);
            self.consume_parts(&mut transaction, &rows, &draft.parts);
            self.replace(&mut transaction, bucket.record.id, key, &mut draft, &check).await?;
            let done = Committed::of(&draft.object);
            self.end(&mut transaction, bucket.record.id, &upload, completed(&done));
            match self.attempt(transaction, &mut Custody::default()).await? {
                Attempt::Committed => return Ok(Complete::Done(done)),
                Attempt::NoSuchBucket => return Err(UpdateError::NoSuchBucket),
                Attempt::Conflict => {}
            }
        }
    }

    /// What a completion of an upload that is no longer open answers.
    async fn completed_before<R>(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
        id: &UploadId,
    ) -> Result<Complete, UpdateError<R>> {
        let ended = self.metadata.get::<EndedUpload>(&keys::ended_upload(bucket, key.as_str(), id)).await?;
        match ended.map(|ended| ended.record.outcome) {
            Some(UploadOutcome::Completed { etag, size, modified, checksum }) => {
                Ok(Complete::Already(Committed { etag, modified, size, checksum }))
            }
            Some(UploadOutcome::Aborted) | None => Ok(Complete::NoSuchUpload),
        }
    }

    /// The step from open to ended.
    fn end(
        &self,
        transaction: &mut Transaction,
        bucket: BucketId,
        upload: &Stored<Upload>,
        outcome: UploadOutcome,
    ) {
        let Upload { key, id, .. } = &upload.record;
        let open = keys::open_upload(bucket, key, id);
        transaction.expect(Expect::Revision(open.clone(), upload.revision));
        transaction.delete(open);
        let ended = EndedUpload { id: *id, at: self.clock.now(), outcome };
        transaction.put(keys::ended_upload(bucket, key, id), &ended);
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
        let object = self.object_record(new, (size, completion.etag), completion.checksum, layout);
        Draft { object, parts: completion.parts, inline, degraded: Vec::new() }
    }

    /// Part rows go; the chosen parts' blobs lose this reference and gain the object's in the same transaction.
    fn consume_parts(
        &self,
        transaction: &mut Transaction,
        rows: &[(Key, Stored<Part>)],
        chosen: &[PartEntry],
    ) {
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
    pub async fn abort_upload(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
        id: &UploadId,
    ) -> Result<bool, Error> {
        let mut attempts = self.attempts(&keys::open_upload(bucket, key.as_str(), id));
        loop {
            attempts.begin().await?;
            let Some(upload) = self.upload(bucket, key, id).await? else {
                return Ok(false);
            };
            let rows = self.part_rows(id, 0, PARTS_MAX).await?;
            let mut transaction = Transaction::new();
            self.consume_parts(&mut transaction, &rows, &[]);
            self.end(&mut transaction, bucket, &upload, UploadOutcome::Aborted);
            if self.try_commit(transaction).await? {
                return Ok(true);
            }
        }
    }

    /// Forgets an upload that can take no more parts, with those it has: its row `key` has this revision. For the
    /// sweep.
    pub async fn forget_upload(&self, key: &Key, id: UploadId, revision: u64) -> Result<(), Error> {
        let rows = self.part_rows(&id, 0, PARTS_MAX).await?;
        let mut transaction = Transaction::new();
        transaction.expect(Expect::Revision(key.clone(), revision));
        self.consume_parts(&mut transaction, &rows, &[]);
        transaction.delete(key.clone());
        // After a conflict the next pass sees it again.
        self.try_commit(transaction).await.map(|_| ())
    }
}

/// The outcome that makes a repeated completion answer the same.
fn completed(done: &Committed) -> UploadOutcome {
    UploadOutcome::Completed {
        etag: done.etag,
        size: done.size,
        modified: done.modified,
        checksum: done.checksum.clone(),
    }
}
