//! A store over files that outlive it, and what must be true of it whenever it is at rest. Beside it the [`model`] of
//! what it must answer, and the [`world`] that walks both through the same steps on a simulated disk.
#![allow(dead_code, reason = "each test takes its share")]

pub mod client;
pub mod failure;
pub mod model;
pub mod world;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use bytes::Bytes;
use holdall::base::BlobId;
use holdall::base::DeploymentId;
use holdall::base::Timestamp;
use holdall::base::UploadId;
use holdall::base::VolumeId;
use holdall::meta;
use holdall::meta::Durability;
use holdall::meta::ListItem;
use holdall::meta::ListQuery;
use holdall::meta::Meta;
use holdall::meta::UploadQuery;
use holdall::meta::records;
use holdall::meta::records::Layout;
use holdall::meta::records::PartBody;
use holdall::s3::etag::ETag;
use holdall::s3::name::BucketName;
use holdall::s3::name::ObjectKey;
use holdall::store;
use holdall::store::Bucket;
use holdall::store::ByteSource;
use holdall::store::Complete;
use holdall::store::Completion;
use holdall::store::CopyOutcome;
use holdall::store::Machine;
use holdall::store::NewObject;
use holdall::store::Object;
use holdall::store::Promises;
use holdall::store::PutPart;
use holdall::store::Settings;
use holdall::store::SourceError;
use holdall::store::StagePlan;
use holdall::store::Staged;
use holdall::store::Store;
use holdall::store::Unpaced;
use holdall::sys::clock::SystemClock;
use holdall::sys::disk::Disk;
use holdall::sys::disk::RealDisk;
use holdall::sys::entropy::SystemEntropy;
use holdall::sys::metrics::Metrics;
use holdall::volume::Identity;
use holdall::volume::Volume;

use failure::Failure;

/// The bucket everything happens in.
pub const BUCKET: &str = "bucket";

/// A store that is open.
pub struct Rig {
    pub store: Arc<Store>,
    pub meta: Arc<Meta>,
    pub volumes: Vec<Arc<Volume>>,
    pub bucket: Arc<Bucket>,
}

/// An answer, or why there is none.
pub type Outcome<T> = Result<T, Failure>;

fn text<E: std::fmt::Debug + 'static>(error: E) -> Failure {
    Failure::of(error)
}

/// Randomness and time of the system.
pub fn machine() -> Outcome<Machine> {
    let metrics = Arc::new(Metrics::new().map_err(text)?);
    Ok(Machine { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy), metrics })
}

impl Rig {
    /// Opens what is in `directory`, or makes it.
    pub async fn open(
        directory: &Path,
        volumes: u8,
        replicas: usize,
        durability: Durability,
    ) -> Outcome<Self> {
        Self::open_on(directory, (volumes, replicas), durability, machine()?).await
    }

    /// The same on a machine of the caller's.
    pub async fn open_on(
        directory: &Path,
        (volumes, replicas): (u8, usize),
        durability: Durability,
        machine: Machine,
    ) -> Outcome<Self> {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let volumes = open_volumes(&disk, directory, volumes)?;
        let path = |number: usize| directory.join(format!("disk{number}/meta"));
        let paths: Vec<_> = (0..volumes.len().min(3)).map(path).collect();
        let meta = open_meta(&paths, durability, &machine)?;
        Self::over(meta, volumes, replicas, machine).await
    }

    /// A store of what is open already.
    pub async fn over(
        meta: Arc<Meta>,
        volumes: Vec<Arc<Volume>>,
        replicas: usize,
        machine: Machine,
    ) -> Outcome<Self> {
        let settings =
            Settings { replicas, inline_limit: 4 << 10, upload_memory_bytes: 32 << 20, threads: 2 };
        let store = Arc::new(Store::new(meta.clone(), volumes.clone(), machine, settings).map_err(text)?);
        let name = BucketName::new(BUCKET).map_err(text)?;
        if store.bucket(&name).await.map_err(text)?.is_none() {
            create_bucket(&store, BUCKET).await?;
        }
        let bucket = store.bucket(&name).await.map_err(text)?.ok_or("no bucket")?;
        Ok(Self { store, meta, volumes, bucket })
    }

    /// The same store, looking at another bucket; `None` when there is none of that name.
    pub async fn at(&self, bucket: &str) -> Outcome<Option<Self>> {
        let name = BucketName::new(bucket).map_err(text)?;
        let Some(bucket) = self.store.bucket(&name).await.map_err(text)? else { return Ok(None) };
        let (store, meta, volumes) = (self.store.clone(), self.meta.clone(), self.volumes.clone());
        Ok(Some(Self { store, meta, volumes, bucket }))
    }

    pub async fn stage(&self, bytes: &[u8]) -> Outcome<Staged> {
        self.stage_for("key", None, bytes).await
    }

    pub async fn stage_for(&self, key: &str, part: Option<(UploadId, u16)>, bytes: &[u8]) -> Outcome<Staged> {
        let owner = records::BlobOwner {
            bucket: self.bucket.record.id,
            bucket_name: BUCKET.to_owned(),
            key: key.to_owned(),
            part,
            begun: Timestamp::from_secs(7),
            owner: "owner".to_owned(),
            headers: records::ContentHeaders::default(),
            user_metadata: Vec::new(),
            storage_class: String::new(),
            checksum: None,
        };
        let plan = StagePlan { max_bytes: 1 << 30, algorithm: None, owner };
        self.store.stage(&mut Body(Bytes::copy_from_slice(bytes)), plan).await.map_err(text)
    }

    /// Begins to put an object and goes away.
    pub async fn abandon(&self, bytes: &[u8]) -> Outcome<()> {
        self.stage(bytes).await.map(drop)
    }

    pub async fn put(&self, key: &str, bytes: &[u8]) -> Outcome<()> {
        let staged = self.stage_for(key, None, bytes).await?;
        let key = name(key);
        let put = self.store.put_object(&self.bucket, &key, NewObject::default(), staged, |_| always());
        put.await.map(drop).map_err(text)
    }

    pub async fn delete(&self, key: &str) -> Outcome<bool> {
        let deleted = self.store.delete_object(&self.bucket, &name(key), |_| always()).await;
        deleted.map(|deleted| deleted.existed).map_err(text)
    }

    /// Copies; `false` when there is no source.
    pub async fn copy(&self, from: &str, to: &str) -> Outcome<bool> {
        self.copy_to(from, self, to).await
    }

    /// Copies into a bucket of the same store; `false` when there is no source.
    pub async fn copy_to(&self, from: &str, target: &Self, to: &str) -> Outcome<bool> {
        let Some(source) = self.object(from).await? else { return Ok(false) };
        let (from, to) = (name(from), name(to));
        let (from, new) = ((&*self.bucket, &from, &source), NewObject::default());
        let copied = self.store.copy_object(from, &target.bucket, &to, new, |_| always());
        match copied.await.map_err(text)? {
            CopyOutcome::Done(_) => Ok(true),
            CopyOutcome::SourceChanged => Err("the source has changed".into()),
        }
    }

    pub async fn begin(&self, key: &str) -> Outcome<UploadId> {
        let upload = records::Upload {
            id: self.store.new_upload_id(),
            key: key.to_owned(),
            initiated: Timestamp::from_secs(6),
            owner: "owner".to_owned(),
            headers: records::ContentHeaders::default(),
            user_metadata: Vec::new(),
            storage_class: String::new(),
            checksum: None,
        };
        self.store.create_upload(&self.bucket, &upload).await.map_err(text)?;
        Ok(upload.id)
    }

    /// Puts a part; `false` when there is no such upload.
    pub async fn part(&self, key: &str, id: &UploadId, number: u16, bytes: &[u8]) -> Outcome<bool> {
        let staged = self.stage_for(key, Some((*id, number)), bytes).await?;
        let put = self.store.put_part(self.bucket.record.id, &name(key), id, number, staged).await;
        Ok(matches!(put.map_err(text)?, PutPart::Done { .. }))
    }

    /// Completes; `false` when there is no such upload.
    pub async fn complete(&self, key: &str, id: &UploadId) -> Outcome<bool> {
        let done = self.store.complete_upload(&self.bucket, &name(key), id, every_part, |_| always()).await;
        Ok(!matches!(done.map_err(text)?, Complete::NoSuchUpload))
    }

    pub async fn abort(&self, key: &str, id: &UploadId) -> Outcome<bool> {
        self.store.abort_upload(self.bucket.record.id, &name(key), id).await.map_err(text)
    }

    pub async fn object(&self, key: &str) -> Outcome<Option<Object>> {
        self.store.object(self.bucket.record.id, &name(key)).await.map_err(text)
    }

    /// A range of an object's bytes, which is cut to what there is; `None` when there is no such object.
    pub async fn get(&self, key: &str, range: std::ops::Range<u64>) -> Outcome<Option<Vec<u8>>> {
        let Some(object) = self.object(key).await? else { return Ok(None) };
        let size = object.record.head.size;
        let range = range.start.min(size)..range.end.min(size);
        let opened = self.store.open(self.bucket.record.id, &name(key), &object, range).await;
        let mut reader = opened.map_err(text)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = std::future::poll_fn(|cx| reader.poll_next(cx)).await {
            bytes.extend_from_slice(&chunk.map_err(text)?);
        }
        Ok(Some(bytes))
    }

    /// Names and sizes of a listing, and whether there is more; common prefixes have no size.
    pub async fn list(&self, query: ListQuery) -> Outcome<(Vec<(String, Option<u64>)>, bool)> {
        let page = self.store.list_objects(self.bucket.record.id, query).await.map_err(text)?;
        let item = |item: ListItem| match item {
            ListItem::Object(key, head) => (key, Some(head.size)),
            ListItem::CommonPrefix(prefix) => (prefix, None),
        };
        Ok((page.items.into_iter().map(item).collect(), page.truncated))
    }

    /// Every object and its size.
    pub async fn all(&self) -> Outcome<BTreeMap<String, u64>> {
        let (items, _) = self.list(ListQuery { limit: usize::MAX, ..ListQuery::default() }).await?;
        Ok(items.into_iter().map(|(key, size)| (key, size.unwrap_or_default())).collect())
    }

    /// Every open upload.
    pub async fn uploads(&self) -> Outcome<Vec<(String, UploadId)>> {
        let query = UploadQuery { limit: usize::MAX, ..UploadQuery::default() };
        let page = self.store.list_uploads(self.bucket.record.id, query).await.map_err(text)?;
        Ok(page.uploads.into_iter().map(|upload| (upload.key, upload.id)).collect())
    }

    /// Does what the jobs do, to the end: settles reclaim rows, repairs what is queued, sweeps orphans of any age, forgets ended uploads.
    pub async fn tidy_up(&self) -> Outcome<()> {
        self.forget_ended().await?;
        self.reclaim().await?;
        self.repair().await?;
        self.sweep().await
    }

    /// Settles every reclaim row that can be; fails as the first one that cannot.
    pub async fn reclaim(&self) -> Outcome<()> {
        let mut failed = Ok(());
        for (key, row) in self.store.reclaimable(None, usize::MAX).await.map_err(text)? {
            match self.store.reclaim(&key, &row).await.map_err(text) {
                Ok(true) => {}
                Ok(false) => return Err("a blob is kept for a read, and none is running".into()),
                Err(failure) => failed = failed.and(Err(failure)),
            }
        }
        failed
    }

    /// Restores what is on the repair queue; how each blob ended.
    pub async fn repair(&self) -> Outcome<Vec<(BlobId, store::Outcome)>> {
        let mut ended = Vec::new();
        for (_, row) in self.store.repairs(None, usize::MAX).await.map_err(text)? {
            ended.push((row.record.blob, self.restore(row.record.blob).await?));
        }
        Ok(ended)
    }

    /// Counts every copy; blobs that are short of one are on the repair queue then.
    pub async fn take_census(&self) -> Outcome<()> {
        let mut census = self.store.begin_census();
        for shard in 0..=u8::MAX {
            self.store.census_shard(&mut census, shard).await.map_err(text)?;
        }
        self.store.keep_census(census);
        Ok(())
    }

    /// Reads every copy to its end; blobs of which one is bad are on the repair queue then. Fails when a volume does not
    /// answer.
    pub async fn scrub(&self) -> Outcome<()> {
        for volume in &self.volumes {
            for blob in volume.list(None, usize::MAX).map_err(text)? {
                match self.store.verify_copy(volume.id(), blob, &Unpaced).await.map_err(text)? {
                    (store::Verdict::Unread, _) => return Err(format!("{blob} was not read").into()),
                    (store::Verdict::Good | store::Verdict::Bad | store::Verdict::Nothing, _) => {}
                }
            }
        }
        Ok(())
    }

    /// Restores one blob.
    pub async fn restore(&self, blob: BlobId) -> Outcome<store::Outcome> {
        self.store.restore(blob, &Unpaced).await.map(|restored| restored.outcome).map_err(text)
    }

    /// Puts a blob on the repair queue.
    pub fn file_repair(&self, blob: BlobId, missing: usize) -> Outcome<()> {
        let mut transaction = meta::Transaction::new();
        let row = records::Repair { blob, missing: missing as u8, at: Timestamp::from_secs(8) };
        transaction.put(meta::keys::repair(blob), &row);
        self.meta.commit(transaction).map(drop).map_err(text)
    }

    /// Forgets uploads that ended, and those whose bucket has gone.
    pub async fn forget_ended(&self) -> Outcome<()> {
        self.store.sweep_uploads(None, usize::MAX).await.map_err(text)?;
        for (key, row) in self.store.ended_uploads(None, usize::MAX).await.map_err(text)? {
            self.store.forget_upload(&key, row.record.id, row.revision).await.map_err(text)?;
        }
        Ok(())
    }

    /// Sweeps orphans of any age.
    pub async fn sweep(&self) -> Outcome<()> {
        let far = Timestamp::from_secs(u64::MAX / 2000);
        for volume in self.store.volume_ids() {
            let mut after = None;
            loop {
                let (last, _) = self.store.sweep_volume(volume, after, 50, far).await.map_err(text)?;
                let Some(last) = last else { break };
                after = Some(last);
            }
        }
        Ok(())
    }

    /// Damages or removes the copy that volume 1 has of some object in one part, and puts it on the repair queue, as a read
    /// that met it would.
    pub async fn damage(&self, dice: &mut Dice) -> Outcome<()> {
        let keys: Vec<String> = self.all().await?.into_keys().collect();
        if keys.is_empty() {
            return Ok(());
        }
        let key = &keys[dice.below(keys.len() as u64) as usize];
        let Some(object) = self.object(key).await? else { return Ok(()) };
        let Layout::Blob(blob) = object.record.body.layout else { return Ok(()) };
        let shard = format!("blobs/{:02x}", blob.as_bytes()[0]);
        let path = self.volumes[1].root().join(shard).join(blob.to_string());
        let Ok(mut bytes) = std::fs::read(&path) else { return Ok(()) };
        match dice.below(3) {
            0 => std::fs::remove_file(&path).map_err(text)?,
            _ => {
                let at = dice.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1;
                std::fs::write(&path, bytes).map_err(text)?;
            }
        }
        let mut transaction = meta::Transaction::new();
        let row = records::Repair { blob, missing: 1, at: Timestamp::from_secs(8) };
        transaction.put(meta::keys::repair(blob), &row);
        self.meta.commit(transaction).map(drop).map_err(text)
    }

    /// Checks, when nothing is running and after [`Rig::tidy_up`]: counters are exact, and the part files on the volumes
    /// are those that objects and open uploads name, no more and no fewer.
    pub async fn check_books(&self, copies: usize) -> Outcome<()> {
        self.audit(copies, true).await
    }

    /// The same when there may be files that no row names.
    pub async fn check_books_before_sweep(&self) -> Outcome<()> {
        self.audit(1, false).await
    }

    async fn audit(&self, copies: usize, swept: bool) -> Outcome<()> {
        self.check_usage().await?;
        self.check_files(&self.named().await?, copies, swept)
    }

    /// The counters of the bucket are exact.
    pub async fn check_usage(&self) -> Outcome<()> {
        let objects = self.all().await?;
        let usage = self.store.usage(self.bucket.record.id).await.map_err(text)?;
        let (count, bytes) = (objects.len() as i64, objects.values().sum::<u64>() as i64);
        if (usage.objects, usage.bytes) != (count, bytes) {
            let why = format!("{usage:?} is counted, {count} objects of {bytes} bytes are listed");
            return Err(why.into());
        }
        Ok(())
    }

    /// Every blob that objects and open uploads of the bucket name.
    pub async fn named(&self) -> Outcome<BTreeSet<BlobId>> {
        let mut named = BTreeSet::new();
        for key in self.all().await?.keys() {
            let object = self.object(key).await?;
            let object = object.ok_or_else(|| format!("{key:?} is listed and not found"))?;
            named.extend(self.blobs_of(&object).await?);
        }
        for (_, id) in self.uploads().await? {
            let (parts, _) = self.store.parts(&id, 0, 10_000).await.map_err(text)?;
            named.extend(parts.iter().filter_map(|part| blob(part.body)));
        }
        Ok(named)
    }

    /// The blobs of an object.
    pub async fn blobs_of(&self, object: &Object) -> Outcome<Vec<BlobId>> {
        if let Layout::Blob(id) = object.record.body.layout {
            return Ok(vec![id]);
        }
        let parts = self.store.parts_of(&object.record).await.map_err(text)?;
        Ok(parts.iter().filter_map(|part| blob(part.body)).collect())
    }

    /// Every blob of `named` has so many copies; when the sweep has been by, no other file is there.
    pub fn check_files(&self, named: &BTreeSet<BlobId>, copies: usize, swept: bool) -> Outcome<()> {
        let mut found: BTreeMap<BlobId, usize> = BTreeMap::new();
        for volume in &self.volumes {
            let listed = volume.list(None, usize::MAX).map_err(text)?;
            listed.into_iter().for_each(|id| *found.entry(id).or_default() += 1);
        }
        if swept && let Some(orphan) = found.keys().find(|id| !named.contains(id)) {
            return Err(format!("{orphan} is named by no row").into());
        }
        match named.iter().find(|id| found.get(id).is_none_or(|count| *count < copies)) {
            Some(short) => Err(format!("{short} has {:?} of {copies} copies", found.get(short)).into()),
            None => Ok(()),
        }
    }
}

fn blob(body: PartBody) -> Option<BlobId> {
    match body {
        PartBody::Blob(id) => Some(id),
        PartBody::Empty | PartBody::Inline(_) => None,
    }
}

/// Creates a bucket; `false` when there is one.
pub async fn create_bucket(store: &Store, name: &str) -> Outcome<bool> {
    let record = records::Bucket {
        id: store.new_bucket_id(),
        name: name.to_owned(),
        created: Timestamp::from_secs(5),
        owner: "owner".to_owned(),
        region: "us-east-1".to_owned(),
        documents: BTreeMap::new(),
    };
    Ok(store.create_bucket(record).await.map_err(text)?.is_ok())
}

/// Opens the volumes `disk0`, `disk1`, … under `directory`; those that are not there are made.
pub fn open_volumes(disk: &Arc<dyn Disk>, directory: &Path, count: u8) -> Outcome<Vec<Arc<Volume>>> {
    let volume = |number: u8| {
        let root = directory.join(format!("disk{number}"));
        let identity = Identity {
            volume_id: VolumeId::from_bytes([number; 16]),
            deployment_id: DeploymentId::from_bytes([9; 16]),
            created: Timestamp::from_secs(1),
        };
        let opened = Volume::open(disk.clone(), &root);
        opened.or_else(|_| Volume::format(disk.clone(), &root, identity)).map(Arc::new).map_err(text)
    };
    (0..count).map(volume).collect()
}

/// Opens or makes the metadata at `path`.
pub fn open_meta(paths: &[PathBuf], durability: Durability, machine: &Machine) -> Outcome<Arc<Meta>> {
    let place = |(number, path): (usize, &PathBuf)| meta::ReplicaPlace::new(number.to_string(), path);
    let places: Vec<_> = paths.iter().enumerate().map(place).collect();
    let (cache_bytes, write_buffer_bytes, voters) = (4 << 20, 4 << 20, places.len());
    let options = meta::Options { durability, cache_bytes, write_buffer_bytes, voters };
    let opened = Meta::open(&places, &options, machine.metrics.clone(), machine.clock.as_ref());
    opened.map(Arc::new).map_err(text)
}

fn always() -> Result<(), Infallible> {
    Ok(())
}

pub fn name(key: &str) -> ObjectKey {
    ObjectKey::new(key).unwrap_or_else(|error| panic!("{key:?}: {error:?}"))
}

fn every_part(_: &records::Upload, parts: &[records::Part]) -> Result<Completion, Infallible> {
    let entry = |part: &records::Part| records::PartEntry {
        number: part.number,
        size: part.size,
        md5: part.md5,
        checksum: part.checksum.clone(),
        body: part.body,
    };
    Ok(Completion {
        etag: ETag::multipart(parts.iter().map(|part| part.md5)),
        checksum: None,
        parts: parts.iter().map(entry).collect(),
    })
}

/// Bytes that differ from seed to seed and from block to block.
pub fn body(seed: u64, length: usize) -> Vec<u8> {
    let mut dice = Dice(seed | 1);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&dice.next().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

struct Body(Bytes);

impl ByteSource for Body {
    fn poll_chunk(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, SourceError>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let chunk = self.0.split_to(self.0.len().min(70_001));
        Poll::Ready(Some(Ok(chunk)))
    }

    fn length(&self) -> Option<u64> {
        Some(self.0.len() as u64)
    }

    fn promises(&self) -> Promises {
        Promises::default()
    }
}

/// Numbers that look random and are the same for the same seed (xorshift64*).
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 16) % bound
    }

    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}
