//! What can be decided only when every part file has been read: which buckets there are, and what becomes of uploads.

use std::collections::HashMap;

use super::Batch;
use super::RebuildOptions;
use super::Rebuilt;
use super::batch::commit;
use super::batch::drop_blob;
use crate::base::BlobId;
use crate::base::BucketId;
use crate::config::Config;
use crate::meta::Key;
use crate::meta::Meta;
use crate::meta::Stored;
use crate::meta::Tier;
use crate::meta::Transaction;
use crate::meta::UsageDelta;
use crate::meta::keys;
use crate::meta::records;
use crate::meta::records::Bucket;
use crate::meta::records::Layout;
use crate::meta::records::Object;
use crate::meta::records::ObjectBody;
use crate::meta::records::ObjectHead;
use crate::meta::records::Part;
use crate::meta::records::PartBody;
use crate::meta::records::PartEntry;
use crate::meta::records::Repair;
use crate::meta::records::Upload;
use crate::s3::checksum::ChecksumType;
use crate::s3::checksum::ObjectChecksum;
use crate::s3::etag::ETag;
use crate::server::Error;
use crate::server::check::Watch;
use crate::sys::entropy::Entropy;

/// Rows looked at in one step.
const PAGE: usize = 1000;

/// The most parts an upload can have.
const PARTS_MAX: usize = 10_000;

/// Makes the buckets, decides about uploads, and counts what is there.
pub(super) fn run(
    batch: Batch<'_>,
    (options, config, entropy): (RebuildOptions, &Config, &dyn Entropy),
    watch: &dyn Watch,
    rebuilt: &mut Rebuilt,
) -> Result<(), Error> {
    watch.stage("buckets and uploads", 3);
    let mut finish = Finish { batch, options, entropy, rebuilt };
    let dropped = finish.make_buckets(&config.s3.region)?;
    dropped.iter().try_for_each(|bucket| finish.empty_bucket(*bucket))?;
    watch.advance(1);
    finish.uploads(&dropped)?;
    watch.advance(1);
    finish.count_repairs()?;
    watch.advance(1);
    Ok(())
}

struct Finish<'a, 'b> {
    batch: Batch<'a>,
    options: RebuildOptions,
    entropy: &'b dyn Entropy,
    rebuilt: &'b mut Rebuilt,
}

impl Finish<'_, '_> {
    const fn meta(&self) -> &Meta {
        self.batch.meta
    }

    /// The rows of the buckets; those that were deleted are returned. Of several with one name all but the last were: a
    /// name is free again only when its bucket has gone.
    fn make_buckets(&mut self, region: &str) -> Result<Vec<BucketId>, Error> {
        let mut last: HashMap<&str, BucketId> = HashMap::new();
        for (id, seen) in &self.batch.buckets {
            let last = last.entry(&seen.name).or_insert(*id);
            if seen.first > self.batch.buckets[last].first {
                *last = *id;
            }
        }
        let mut dropped = Vec::new();
        let mut transaction = Transaction::new();
        for (id, seen) in &self.batch.buckets {
            if last.get(seen.name.as_str()) != Some(id) {
                dropped.push(*id);
                continue;
            }
            let bucket = Bucket {
                id: *id,
                name: seen.name.clone(),
                created: seen.first,
                owner: seen.owner.clone(),
                region: region.to_owned(),
                documents: Default::default(),
            };
            transaction.put(keys::bucket(&seen.name), &bucket);
            transaction.count(*id, UsageDelta::default());
            self.rebuilt.buckets += 1;
        }
        commit(self.meta(), transaction)?;
        Ok(dropped)
    }

    /// Takes the objects of a deleted bucket out again.
    fn empty_bucket(&mut self, bucket: BucketId) -> Result<(), Error> {
        loop {
            let rows = self.meta().scan::<Object>(&keys::objects(bucket), None, PAGE)?;
            let mut transaction = Transaction::new();
            for (row, object) in &rows {
                let Object { head, body } = &object.record;
                if let Layout::Blob(blob) = body.layout {
                    drop_blob(&mut transaction, blob, row);
                }
                transaction.delete(row.clone());
                self.rebuilt.objects -= 1;
                self.rebuilt.bytes -= head.size;
                self.rebuilt.in_deleted_buckets += 1;
            }
            let is_last = rows.len() < PAGE;
            if is_last {
                transaction.uncount(bucket);
            }
            commit(self.meta(), transaction)?;
            if is_last {
                return Ok(());
            }
        }
    }

    /// Decides about every upload. Those of one key lie behind each other.
    fn uploads(&mut self, dropped: &[BucketId]) -> Result<(), Error> {
        let mut after = None;
        let mut of_key: Vec<Candidate> = Vec::new();
        loop {
            let rows = self.meta().scan::<Upload>(&keys::all_open_uploads(), after.as_ref(), PAGE)?;
            after = rows.last().map(|(row, _)| row.clone());
            let is_last = rows.len() < PAGE;
            for (row, upload) in rows {
                let Some(bucket) = keys::bucket_of_upload(&row) else { continue };
                let candidate = self.candidate(bucket, row, upload.record)?;
                if dropped.contains(&bucket) {
                    self.forget(candidate)?;
                    continue;
                }
                if of_key.first().is_some_and(|first| !first.is_same_key(&candidate)) {
                    self.decide(std::mem::take(&mut of_key))?;
                }
                of_key.push(candidate);
            }
            if is_last {
                return self.decide(of_key);
            }
        }
    }

    fn candidate(&self, bucket: BucketId, row: Key, upload: Upload) -> Result<Candidate, Error> {
        let parts = self.meta().scan::<Part>(&keys::parts(&upload.id), None, PARTS_MAX)?;
        Ok(Candidate { bucket, row, upload, parts })
    }

    /// Takes out an upload of a deleted bucket.
    fn forget(&mut self, candidate: Candidate) -> Result<(), Error> {
        let mut transaction = Transaction::new();
        for (row, part) in &candidate.parts {
            if let PartBody::Blob(blob) = part.record.body {
                drop_blob(&mut transaction, blob, row);
            }
            transaction.delete(row.clone());
        }
        transaction.delete(candidate.row);
        commit(self.meta(), transaction)
    }

    /// Of the uploads of one key, the last that has no gap becomes an object when that is wanted and the key is free; the
    /// others stay open.
    fn decide(&mut self, mut of_key: Vec<Candidate>) -> Result<(), Error> {
        of_key.sort_by_key(Candidate::written);
        self.rebuilt.uploads_with_gaps +=
            of_key.iter().filter(|candidate| candidate.has_gap()).count() as u64;
        let chosen = of_key.iter().rposition(|candidate| !candidate.has_gap());
        if self.options.include_uploads
            && let Some(chosen) = chosen
        {
            let candidate = of_key.remove(chosen);
            let row = keys::current(candidate.bucket, &candidate.upload.key);
            match self.meta().get::<Object>(&row, Tier::Any)?.into_option() {
                None => self.complete(row, candidate)?,
                Some(_) => of_key.push(candidate),
            }
        }
        self.rebuilt.open_uploads += of_key.len() as u64;
        Ok(())
    }

    fn complete(&mut self, row: Key, candidate: Candidate) -> Result<(), Error> {
        let mut transaction = Transaction::new();
        for (part_row, part) in &candidate.parts {
            if let PartBody::Blob(blob) = part.record.body {
                transaction.delete(keys::blobref(blob, part_row));
                transaction.put_empty(keys::blobref(blob, &row));
            }
            transaction.delete(part_row.clone());
        }
        transaction.delete(candidate.row.clone());
        let bucket = candidate.bucket;
        let entries = candidate.entries();
        let layout = match entries.len() <= records::PARTS_IN_ROW_MAX {
            true => Layout::Parts(entries.clone()),
            false => {
                let mut id = [0; 16];
                self.entropy.fill(&mut id);
                let id = BlobId::from_bytes(id);
                transaction.put_inline(id, &records::encode_manifest(&entries));
                Layout::Manifest { id, count: entries.len() as u16 }
            }
        };
        let key = candidate.upload.key.clone();
        let object = candidate.object(&entries, layout);
        transaction.count(bucket, UsageDelta::new(1, object.head.size as i64));
        self.rebuilt.objects += 1;
        self.rebuilt.bytes += object.head.size;
        self.rebuilt.uploads_as_objects += 1;
        let name = self.batch.buckets.get(&bucket).map_or("", |bucket| bucket.name.as_str());
        self.rebuilt.assume(|| {
            let (key, head) = (key.escape_debug(), &object.head);
            format!("{name}/{key}: {} bytes in {} parts, ETag {}", head.size, entries.len(), head.etag)
        });
        transaction.put(row, &object);
        commit(self.meta(), transaction)
    }

    fn count_repairs(&mut self) -> Result<(), Error> {
        let mut after = None;
        loop {
            let rows = self.meta().scan::<Repair>(&keys::repairs(), after.as_ref(), PAGE)?;
            self.rebuilt.short_of_copies += rows.len() as u64;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            after = Some(last.clone());
        }
    }
}

/// An upload with the parts that were found of it.
struct Candidate {
    bucket: BucketId,
    row: Key,
    upload: Upload,
    parts: Vec<(Key, Stored<Part>)>,
}

impl Candidate {
    fn is_same_key(&self, other: &Self) -> bool {
        (self.bucket, &self.upload.key) == (other.bucket, &other.upload.key)
    }

    /// When its last part was written.
    fn written(&self) -> crate::base::Timestamp {
        self.parts.iter().map(|(_, part)| part.record.modified).max().unwrap_or_default()
    }

    /// Whether a part is missing between 1 and the last one that is there.
    fn has_gap(&self) -> bool {
        !self.parts.iter().zip(1..).all(|((_, part), number)| part.record.number == number)
    }

    fn entries(&self) -> Vec<PartEntry> {
        let entry = |(_, part): &(Key, Stored<Part>)| PartEntry {
            number: part.record.number,
            size: part.record.size,
            md5: part.record.md5,
            checksum: part.record.checksum.clone(),
            body: part.record.body,
        };
        self.parts.iter().map(entry).collect()
    }

    fn object(self, entries: &[PartEntry], layout: Layout) -> Object {
        let modified = self.written();
        let checksum = checksum_of(entries);
        Object {
            head: ObjectHead {
                size: entries.iter().map(|part| part.size).sum(),
                etag: ETag::multipart(entries.iter().map(|part| part.md5)),
                modified,
                version: 0,
                is_delete_marker: false,
                storage_class: self.upload.storage_class,
                checksum: checksum.as_ref().map(|checksum| (checksum.checksum.algorithm(), checksum.kind)),
                owner: self.upload.owner,
            },
            body: ObjectBody {
                headers: self.upload.headers,
                user_metadata: self.upload.user_metadata,
                checksum,
                layout,
            },
        }
    }
}

/// The checksum over everything, where the parts have one of an algorithm that can be combined; which type the client
/// had asked for is not known.
fn checksum_of(entries: &[PartEntry]) -> Option<ObjectChecksum> {
    let algorithm = entries.first()?.checksum.as_ref()?.algorithm();
    let sums = entries.iter().map(|part| part.checksum.as_ref().map(|checksum| (checksum, part.size)));
    let sums: Vec<_> = sums.collect::<Option<_>>()?;
    ObjectChecksum::of_parts(algorithm, ChecksumType::FullObject, &sums)
        .or_else(|| ObjectChecksum::of_parts(algorithm, ChecksumType::Composite, &sums))
}
