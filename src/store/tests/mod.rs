#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
//! The store over real files and a real RocksDB, with one volume and with several.

mod buckets;
mod faults;
mod listing;
mod membership;
mod memory;
mod multipart;
mod objects;
mod races;
mod repair;
mod space;
mod volumes;

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use bytes::Bytes;
use tempfile::TempDir;

use super::*;
use crate::base::DeploymentId;
use crate::base::Timestamp;
use crate::base::UploadId;
use crate::base::VolumeId;
use crate::meta;
use crate::meta::Durability;
use crate::meta::records;
use crate::meta::records::BlobOwner;
use crate::meta::records::ObjectHead;
use crate::meta::records::Usage;
use crate::s3::name::BucketName;
use crate::s3::name::ObjectKey;
use crate::sys::clock::SystemClock;
use crate::sys::disk::Disk;
use crate::sys::disk::RealDisk;
use crate::sys::entropy::SystemEntropy;
use crate::sys::metrics::Metrics;
use crate::volume::Identity;
use crate::volume::Volume;

/// More than fits inline, with a last block that is not full.
pub(crate) const LARGE: usize = 1_234_567;

/// A store in a directory of its own.
pub(crate) struct Fixture {
    pub(crate) store: Arc<Store>,
    volumes: Vec<Arc<Volume>>,
    meta: Arc<Meta>,
    directory: TempDir,
    replicas: usize,
}

impl Fixture {
    /// A new one.
    pub(crate) fn new(volumes: u8, replicas: usize) -> Self {
        Self::open(tempfile::tempdir().unwrap(), volumes, replicas)
    }

    /// Ends everything and opens the same directories again.
    pub(crate) fn reopen(self) -> Self {
        let Self { store, volumes, meta, directory, replicas } = self;
        let count = volumes.len() as u8;
        drop((store, volumes, meta));
        Self::open(directory, count, replicas)
    }

    /// The same with another number of volumes.
    pub(crate) fn reopen_with(self, count: u8) -> Self {
        let Self { store, volumes, meta, directory, replicas } = self;
        drop((store, volumes, meta));
        Self::open(directory, count, replicas)
    }

    fn open(directory: TempDir, count: u8, replicas: usize) -> Self {
        Self::open_on(directory, Arc::new(RealDisk), count, replicas)
    }

    fn open_on(directory: TempDir, disk: Arc<dyn Disk>, count: u8, replicas: usize) -> Self {
        let volume = |number: u8| {
            let root = directory.path().join(format!("disk{number}"));
            let identity = Identity {
                volume_id: VolumeId::from_bytes([number; 16]),
                deployment_id: DeploymentId::from_bytes([9; 16]),
                created: Timestamp::from_secs(1),
            };
            let opened = Volume::open(disk.clone(), &root);
            Arc::new(opened.or_else(|_| Volume::format(disk.clone(), &root, identity)).unwrap())
        };
        let volumes: Vec<_> = (0..count).map(volume).collect();
        let metrics = Arc::new(Metrics::new().unwrap());
        let options = meta::Options {
            // Speed: a crash of the machine is not what these tests make.
            durability: Durability::Relaxed,
            cache_bytes: 8 << 20,
            write_buffer_bytes: 8 << 20,
            voters: 1,
        };
        let name = VolumeId::from_bytes([0; 16]).to_string();
        let path = directory.path().join("disk0/meta");
        let meta = Arc::new(
            Meta::open(&[meta::ReplicaPlace::new(name, path)], &options, metrics.clone(), &SystemClock)
                .unwrap(),
        );
        let machine = Machine { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy), metrics };
        let settings =
            Settings { replicas, inline_limit: 32 << 10, upload_memory_bytes: 64 << 20, threads: 2 };
        let store = Store::new(meta.clone(), volumes.clone(), machine, settings).unwrap();
        Self { store: Arc::new(store), volumes, meta, directory, replicas }
    }

    /// Creates a bucket.
    pub(crate) async fn bucket(&self, name: &str) -> Arc<Bucket> {
        let record = records::Bucket {
            id: self.store.new_bucket_id(),
            name: name.to_owned(),
            created: Timestamp::from_secs(5),
            owner: "owner".to_owned(),
            region: "us-east-1".to_owned(),
            documents: Default::default(),
        };
        self.store.create_bucket(record).await.unwrap().unwrap();
        self.store.bucket(&BucketName::new(name).unwrap()).await.unwrap().unwrap()
    }

    async fn stage(&self, body: &[u8]) -> Staged {
        self.store.stage(&mut Body::new(body), plan(Promises::default())).await.unwrap()
    }

    /// Puts an object.
    pub(crate) async fn put(&self, bucket: &Bucket, key: &str, body: &[u8]) -> Committed {
        let staged = self.stage(body).await;
        self.store.put_object(bucket, &name(key), NewObject::default(), staged, always).await.unwrap()
    }

    async fn put_if_none(
        &self,
        bucket: &Bucket,
        key: &str,
        body: &[u8],
    ) -> Result<Committed, UpdateError<()>> {
        let staged = self.stage(body).await;
        let check = |current: Option<&ObjectHead>| current.map_or(Ok(()), |_| Err(()));
        self.store.put_object(bucket, &name(key), NewObject::default(), staged, check).await
    }

    /// Deletes an object; whether there was one.
    pub(crate) async fn delete(&self, bucket: &Bucket, key: &str) -> bool {
        self.store.delete_object(bucket, &name(key), always).await.unwrap().existed
    }

    async fn object(&self, bucket: &Bucket, key: &str) -> Option<Object> {
        self.store.object(bucket.record.id, &name(key)).await.unwrap()
    }

    /// The whole of an object; `None` when there is none.
    pub(crate) async fn get(&self, bucket: &Bucket, key: &str) -> Option<Vec<u8>> {
        let object = self.object(bucket, key).await?;
        let range = 0..object.record.head.size;
        Some(self.read(bucket, key, &object, range).await.unwrap())
    }

    async fn read(
        &self,
        bucket: &Bucket,
        key: &str,
        object: &Object,
        range: std::ops::Range<u64>,
    ) -> Result<Vec<u8>, OpenError> {
        let mut reader = self.store.open(bucket.record.id, &name(key), object, range).await?;
        drain(&mut reader).await.map_err(OpenError::Store)
    }

    async fn usage(&self, bucket: &Bucket) -> (i64, i64) {
        let Usage { objects, bytes } = self.store.usage(bucket.record.id).await.unwrap();
        (objects, bytes)
    }

    async fn begin(&self, bucket: &Bucket, key: &str) -> UploadId {
        let upload = records::Upload {
            id: self.store.new_upload_id(),
            key: key.to_owned(),
            initiated: Timestamp::from_secs(6),
            owner: "owner".to_owned(),
            headers: Default::default(),
            user_metadata: Vec::new(),
            storage_class: String::new(),
            checksum: None,
        };
        self.store.create_upload(bucket, &upload).await.unwrap();
        upload.id
    }

    async fn part(&self, bucket: &Bucket, key: &str, id: &UploadId, number: u16, body: &[u8]) -> PutPart {
        let staged = self.stage(body).await;
        self.store.put_part(bucket.record.id, &name(key), id, number, staged).await.unwrap()
    }

    async fn complete(&self, bucket: &Bucket, key: &str, id: &UploadId) -> Complete {
        self.store.complete_upload(bucket, &name(key), id, everything, always).await.unwrap()
    }

    /// Every part file there is, by volume.
    pub(crate) fn files(&self) -> Vec<(usize, PathBuf)> {
        let mut found = Vec::new();
        for (number, volume) in self.volumes.iter().enumerate() {
            for id in volume.list(None, 10_000).unwrap() {
                let shard = format!("{:02x}", id.as_bytes()[0]);
                found.push((number, volume.root().join("blobs").join(shard).join(id.to_string())));
            }
        }
        found
    }

    /// The part files of one volume.
    fn files_of(&self, number: usize) -> Vec<PathBuf> {
        self.files().into_iter().filter(|(volume, _)| *volume == number).map(|(_, path)| path).collect()
    }

    /// Reclaims until nothing is left to do; the number of rows settled.
    pub(crate) async fn reclaim_all(&self) -> usize {
        let mut settled = 0;
        for (key, row) in self.store.reclaimable(None, 1000).await.unwrap() {
            settled += usize::from(self.store.reclaim(&key, &row).await.unwrap());
        }
        settled
    }

    /// Sweeps every volume of orphans of any age; the number removed.
    async fn sweep_all(&self) -> usize {
        let mut removed = 0;
        for volume in self.store.volume_ids() {
            let mut after = None;
            loop {
                let now = Timestamp::from_secs(u64::MAX / 2000);
                let (last, count) = self.store.sweep_volume(volume, after, 3, now).await.unwrap();
                removed += count;
                let Some(last) = last else { break };
                after = Some(last);
            }
        }
        removed
    }

    /// The repair queue.
    pub(crate) fn repairs(&self) -> Vec<records::Repair> {
        let rows = self.meta.scan::<records::Repair>(&meta::keys::repairs(), None, 1000).unwrap();
        rows.into_iter().map(|(_, row)| row.record).collect()
    }
}

fn always(_: Option<&ObjectHead>) -> Result<(), Infallible> {
    Ok(())
}

fn everything(_: &records::Upload, parts: &[records::Part]) -> Result<Completion, Infallible> {
    let entry = |part: &records::Part| records::PartEntry {
        number: part.number,
        size: part.size,
        md5: part.md5,
        checksum: part.checksum.clone(),
        body: part.body,
    };
    Ok(Completion {
        etag: crate::s3::etag::ETag::multipart(parts.iter().map(|part| part.md5)),
        checksum: None,
        parts: parts.iter().map(entry).collect(),
    })
}

fn name(key: &str) -> ObjectKey {
    ObjectKey::new(key).unwrap()
}

/// Bytes that differ from block to block and from seed to seed.
pub(crate) fn body(seed: u64, length: usize) -> Vec<u8> {
    (0..length as u64).map(|at| ((at ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}

async fn drain(reader: &mut ObjectReader) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = std::future::poll_fn(|cx| reader.poll_next(cx)).await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes)
}

fn plan(_: Promises) -> StagePlan {
    StagePlan {
        max_bytes: 1 << 30,
        algorithm: None,
        owner: BlobOwner {
            bucket: BucketId(1),
            bucket_name: "bucket".to_owned(),
            key: "key".to_owned(),
            part: None,
            begun: Timestamp::from_secs(7),
            owner: "owner".to_owned(),
            headers: Default::default(),
            user_metadata: Vec::new(),
            storage_class: String::new(),
            checksum: None,
        },
    }
}

/// A body that arrives in chunks of an odd size, perhaps announced, perhaps broken off.
struct Body {
    rest: Bytes,
    promises: Promises,
    announced: Option<u64>,
    /// Pends for ever once this many bytes are left.
    stalls_at: Option<usize>,
    fails_at: Option<usize>,
}

impl Body {
    fn new(bytes: &[u8]) -> Self {
        Self {
            rest: Bytes::copy_from_slice(bytes),
            promises: Promises::default(),
            announced: Some(bytes.len() as u64),
            stalls_at: None,
            fails_at: None,
        }
    }
}

impl ByteSource for Body {
    fn poll_chunk(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, SourceError>>> {
        if self.stalls_at.is_some_and(|left| self.rest.len() <= left) {
            return Poll::Pending;
        }
        if self.fails_at.is_some_and(|left| self.rest.len() <= left) {
            let code = crate::s3::error_code::ErrorCode::IncompleteBody;
            return Poll::Ready(Some(Err(SourceError::new(code, "cut off"))));
        }
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let chunk = self.rest.split_to(self.rest.len().min(60_001));
        Poll::Ready(Some(Ok(chunk)))
    }

    fn length(&self) -> Option<u64> {
        self.announced
    }

    fn promises(&self) -> Promises {
        self.promises.clone()
    }
}
