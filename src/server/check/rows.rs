//! The walk over every row of one replica: does it decode, does it agree with itself, and what does it name?
//!
//! What is kept of it: a name and two counters for each bucket, an id for each upload, and three tallies.

use std::collections::BTreeMap;
use std::collections::HashMap;

use md5::Digest as _;

use super::Watch;
use super::findings::Findings;
use super::findings::Kind;
use super::names;
use super::names::Bytes;
use super::names::Names;
use super::report::Counts;
use super::tally::Tally;
use crate::base::BlobId;
use crate::base::BucketId;
use crate::base::Md5Digest;
use crate::base::UploadId;
use crate::meta::Error;
use crate::meta::Family;
use crate::meta::Key;
use crate::meta::Named;
use crate::meta::Offline;
use crate::meta::Row;
use crate::meta::keys;
use crate::meta::records::Bucket;
use crate::meta::records::EndedUpload;
use crate::meta::records::Object;
use crate::meta::records::Part;
use crate::meta::records::Record;
use crate::meta::records::Upload;
use crate::meta::records::Usage;
use crate::s3::name::ObjectKey;

/// What the walks have found out about one replica.
pub(super) struct Rows<'a> {
    pub(super) meta: &'a Offline,
    pub(super) deep: bool,
    pub(super) watch: &'a dyn Watch,
    pub(super) findings: Findings,
    pub(super) counts: Counts,
    pub(super) buckets: BTreeMap<BucketId, BucketSeen>,
    /// Uploads, and whether they are open.
    uploads: HashMap<UploadId, bool>,
    /// References: rows against the family that lists them by blob.
    pub(super) references: Tally,
    /// Length and MD5 of blobs: rows against part files.
    pub(super) contents: Tally,
    /// Inline values: rows against the family that holds them.
    pub(super) inline: Tally,
}

/// A bucket, and what its rows sum up to.
pub(super) struct BucketSeen {
    pub(super) name: String,
    counted: Usage,
}

impl<'a> Rows<'a> {
    pub(super) fn new(meta: &'a Offline, deep: bool, watch: &'a dyn Watch, findings: Findings) -> Self {
        Self {
            meta,
            deep,
            watch,
            findings,
            counts: Counts::default(),
            buckets: BTreeMap::new(),
            uploads: HashMap::new(),
            references: Tally::new(),
            contents: Tally::new(),
            inline: Tally::new(),
        }
    }

    /// Walks every family but those ordered by blob.
    ///
    /// # Errors
    /// The replica cannot be read to its end.
    pub(super) fn walk(&mut self) -> Result<(), Error> {
        let walked = [Family::Bucket, Family::Current, Family::Version, Family::Upload, Family::Part];
        let total = walked.iter().map(|family| self.meta.estimate(*family)).sum();
        self.watch.stage("rows", total);
        self.each(Family::Bucket, Self::bucket)?;
        self.each(Family::Current, Self::object)?;
        self.each(Family::Upload, Self::upload)?;
        self.each(Family::Part, Self::part)?;
        self.each(Family::Usage, Self::usage)?;
        for family in [Family::Version, Family::Due, Family::Identity] {
            self.each(family, Self::unknown)?;
        }
        self.uncounted();
        Ok(())
    }

    fn each(
        &mut self,
        family: Family,
        visit: fn(&mut Self, &Row, Option<Named>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut rows = self.meta.rows(&keys::all(family))?;
        while let Some(row) = rows.next_row()? {
            self.watch.advance(1);
            let named = row.named();
            visit(self, &row, named)?;
        }
        Ok(())
    }

    fn bucket(&mut self, row: &Row, named: Option<Named>) -> Result<(), Error> {
        let Some(bucket) = self.decoded::<Bucket>(row) else { return Ok(()) };
        if named != Some(Named::Bucket(bucket.name.clone())) {
            self.findings
                .add(Kind::RowDamaged, || format!("{}: it names another bucket", row.key.describe()));
        }
        self.counts.buckets += 1;
        self.buckets.insert(bucket.id, BucketSeen { name: bucket.name, counted: Usage::default() });
        Ok(())
    }

    fn object(&mut self, row: &Row, named: Option<Named>) -> Result<(), Error> {
        let Some(Named::Current(bucket, key)) = named.filter(is_key) else {
            return self.unknown(row, None);
        };
        let Some(object) = self.decoded::<Object>(row) else { return Ok(()) };
        self.counts.objects += 1;
        self.counts.bytes += object.head.size;
        match self.buckets.get_mut(&bucket) {
            Some(seen) => {
                seen.counted.objects += 1;
                seen.counted.bytes += object.head.size as i64;
            }
            None => self.findings.add(Kind::ObjectStray, || row.key.describe()),
        }
        match Names::of_object(self.meta, &object) {
            Ok((names, parts)) => {
                self.note(&row.key, &names);
                if let Some(why) = parts.and_then(|parts| names::contradiction(&object, &parts)) {
                    let place = self.place_of(bucket, &key);
                    self.findings.add(Kind::ObjectWrong, || format!("{place}: {why}"));
                }
            }
            Err(error) => {
                let place = self.place_of(bucket, &key);
                self.findings.add(Kind::ObjectWrong, || format!("{place}: its list of parts: {error}"));
            }
        }
        Ok(())
    }

    fn upload(&mut self, row: &Row, named: Option<Named>) -> Result<(), Error> {
        match named {
            Some(Named::OpenUpload(bucket, key, id)) => {
                let Some(upload) = self.decoded::<Upload>(row) else { return Ok(()) };
                self.counts.uploads += 1;
                self.uploads.insert(id, true);
                if (&upload.key, upload.id) != (&key, id) {
                    self.findings.add(Kind::RowDamaged, || format!("{}: another upload", row.key.describe()));
                }
                if !self.buckets.contains_key(&bucket) {
                    self.findings.add(Kind::UploadStray, || row.key.describe());
                }
            }
            Some(Named::EndedUpload(_, _, id)) => {
                self.uploads.insert(id, false);
                let _ = self.decoded::<EndedUpload>(row);
            }
            _ => return self.unknown(row, None),
        }
        Ok(())
    }

    fn part(&mut self, row: &Row, named: Option<Named>) -> Result<(), Error> {
        let Some(Named::Part(upload, number)) = named else { return self.unknown(row, None) };
        let Some(part) = self.decoded::<Part>(row) else { return Ok(()) };
        self.counts.parts += 1;
        match self.uploads.get(&upload) {
            Some(true) => {}
            Some(false) => self.findings.add(Kind::UploadStray, || format!("part {number} of {upload}")),
            None => self.findings.add(Kind::PartStray, || format!("part {number} of {upload}")),
        }
        if part.number != number {
            self.findings.add(Kind::RowDamaged, || format!("{}: another part", row.key.describe()));
        }
        self.note(&row.key, &Names::of_part(&part));
        Ok(())
    }

    fn usage(&mut self, row: &Row, named: Option<Named>) -> Result<(), Error> {
        let Some(Named::Usage(bucket)) = named else { return self.unknown(row, None) };
        let Some(usage) = self.decoded::<Usage>(row) else { return Ok(()) };
        match self.buckets.get(&bucket) {
            Some(seen) if seen.counted == usage => {}
            Some(seen) => {
                let BucketSeen { name, counted } = seen;
                self.findings.add(Kind::UsageWrong, || {
                    format!(
                        "bucket {name}: {} objects of {} bytes are counted, {} of {} are there",
                        usage.objects, usage.bytes, counted.objects, counted.bytes
                    )
                });
            }
            None => self.findings.add(Kind::UsageStray, || row.key.describe()),
        }
        Ok(())
    }

    fn unknown(&mut self, row: &Row, _: Option<Named>) -> Result<(), Error> {
        self.findings.add(Kind::RowUnknown, || row.key.describe());
        Ok(())
    }

    /// A bucket without counters refuses writes: transactions expect them.
    fn uncounted(&mut self) {
        for (id, bucket) in &self.buckets {
            if !matches!(self.meta.contains(&keys::usage(*id)), Ok(true)) {
                self.findings.add(Kind::BucketUncounted, || format!("bucket {}", bucket.name));
            }
        }
    }

    fn decoded<R: Record>(&mut self, row: &Row) -> Option<R> {
        match row.decode::<R>() {
            Ok(row) => Some(row.record),
            Err(error) => {
                self.findings.add(Kind::RowDamaged, || error.to_string());
                None
            }
        }
    }

    /// Adds what a row names to what the walks by blob must meet.
    fn note(&mut self, owner: &Key, names: &Names) {
        for Bytes { id, size, md5 } in &names.blobs {
            self.references.add(*id, owner);
            self.contents.add(*id, (size, md5));
        }
        for Bytes { id, size, md5 } in &names.inline {
            self.inline.add(*id, (size, self.deep.then_some(md5)));
        }
    }

    /// Walks the inline values: is each whole?
    ///
    /// # Errors
    /// The replica cannot be read to its end.
    pub(super) fn walk_inline(&mut self) -> Result<(), Error> {
        self.watch.stage("inline bodies", self.meta.estimate(Family::Inline));
        let mut rows = self.meta.rows(&keys::all(Family::Inline))?;
        while let Some(row) = rows.next_row()? {
            self.watch.advance(1);
            let Some(Named::Inline(id)) = row.named() else {
                self.findings.add(Kind::RowUnknown, || row.key.describe());
                continue;
            };
            self.counts.inline += 1;
            match row.inline() {
                Ok(body) => {
                    self.watch.read(body.len() as u64);
                    let digest = self.deep.then(|| Md5Digest::from(md5::Md5::digest(&body)));
                    self.inline.take(id, (body.len() as u64, digest), 1);
                }
                // The row that names it is not known here: a difference, and the rows are asked.
                Err(_) => self.inline.take(id, "damaged", 1),
            }
        }
        Ok(())
    }

    /// How people name an object.
    pub(super) fn place_of(&self, bucket: BucketId, key: &str) -> String {
        match self.buckets.get(&bucket) {
            Some(bucket) => format!("{}/{}", bucket.name, key.escape_debug()),
            None => format!("(bucket {:016x})/{}", bucket.0, key.escape_debug()),
        }
    }

    /// How people name a row.
    pub(super) fn place(&self, key: &Key) -> String {
        match key.named() {
            Some(Named::Current(bucket, key)) => self.place_of(bucket, &key),
            Some(Named::Part(upload, number)) => format!("part {number} of the upload {upload}"),
            _ => key.describe(),
        }
    }

    /// The rows that name a blob, in words.
    pub(super) fn owners(&self, blob: BlobId) -> String {
        let owner = self.meta.rows(&keys::blobrefs(blob)).and_then(|mut rows| rows.next_row());
        match owner.ok().flatten().and_then(|row| row.named()) {
            Some(Named::BlobRef(_, owner)) => self.place(&owner),
            _ => "no row".to_owned(),
        }
    }
}

/// Whether it is a key that a client can have given.
fn is_key(named: &Named) -> bool {
    match named {
        Named::Current(_, key) => ObjectKey::new(key.as_str()).is_ok(),
        _ => false,
    }
}
