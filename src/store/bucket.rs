//! Buckets: few rows, read by every request, hence kept in memory.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;

use super::Error;
use super::Store;
use super::engine::Metadata as _;
use crate::base::BucketId;
use crate::meta::Expect;
use crate::meta::Stored;
use crate::meta::Transaction;
use crate::meta::UsageDelta;
use crate::meta::keys;
use crate::meta::records;
use crate::meta::records::Usage;
use crate::s3::name::BucketName;

/// A bucket row with its revision.
pub type Bucket = Stored<records::Bucket>;

/// Bucket rows by name, all read at one generation of the bucket family. The committer moves the generation on
/// with every commit that touches a bucket row, so a request that was cut off cannot leave a stale row behind.
#[derive(Default)]
pub(super) struct BucketCache {
    held: RwLock<Held>,
}

#[derive(Default)]
struct Held {
    generation: u64,
    rows: HashMap<String, Arc<Bucket>>,
}

impl BucketCache {
    fn get(&self, name: &str, generation: u64) -> Option<Arc<Bucket>> {
        let held = self.held.read();
        (held.generation == generation).then(|| held.rows.get(name).cloned())?
    }

    fn insert(&self, row: &Arc<Bucket>, generation: u64) {
        let mut held = self.held.write();
        if held.generation < generation {
            *held = Held { generation, rows: HashMap::new() };
        }
        if held.generation == generation && held.rows.len() < BUCKETS_HELD_MAX {
            held.rows.insert(row.record.name.clone(), Arc::clone(row));
        }
    }
}

/// About 30 MiB of rows at the most; more buckets than this are read from the block cache.
const BUCKETS_HELD_MAX: usize = 100_000;

/// How DeleteBucket ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteBucket {
    /// It is gone.
    Deleted,
    /// There was none.
    NoSuchBucket,
    /// Objects or versions are in it.
    NotEmpty,
}

impl Store {
    /// The bucket of this name.
    pub async fn bucket(&self, name: &BucketName) -> Result<Option<Arc<Bucket>>, Error> {
        // Read before the row: a commit in between moves it on, and the row read is then not kept.
        let generation = self.metadata.bucket_generation();
        if let Some(row) = self.buckets.get(name.as_str(), generation) {
            return Ok(Some(row));
        }
        let Some(row) = self.metadata.get::<records::Bucket>(&keys::bucket(name.as_str())).await? else {
            return Ok(None);
        };
        let row = Arc::new(row);
        self.buckets.insert(&row, generation);
        Ok(Some(row))
    }

    /// Creates a bucket; the inner error is the bucket that has the name already.
    pub async fn create_bucket(&self, bucket: records::Bucket) -> Result<Result<(), Bucket>, Error> {
        self.check_room()?;
        let key = keys::bucket(&bucket.name);
        loop {
            if let Some(existing) = self.metadata.get::<records::Bucket>(&key).await? {
                return Ok(Err(existing));
            }
            let mut transaction = Transaction::new();
            transaction.expect(Expect::Absent(key.clone()));
            transaction.put(key.clone(), &bucket);
            // A bucket is counted from its first day: that is how commits know that it exists.
            transaction.count(bucket.id, UsageDelta::default());
            if self.try_commit(transaction).await? {
                return Ok(Ok(()));
            }
        }
    }

    /// Exact counters of a bucket; zeros when it has gone.
    pub async fn usage(&self, bucket: BucketId) -> Result<Usage, Error> {
        Ok(self.metadata.usage(bucket).await?.unwrap_or_default())
    }

    /// Deletes a bucket that holds neither objects nor versions. Uploads in progress go with it, as on AWS: the sweep
    /// gives their parts back.
    pub async fn delete_bucket(&self, name: &BucketName) -> Result<DeleteBucket, Error> {
        let key = keys::bucket(name.as_str());
        loop {
            let Some(row) = self.metadata.get::<records::Bucket>(&key).await? else {
                return Ok(DeleteBucket::NoSuchBucket);
            };
            if self.usage(row.record.id).await?.objects != 0 {
                return Ok(DeleteBucket::NotEmpty);
            }
            let mut transaction = Transaction::new();
            transaction.expect(Expect::Revision(key.clone(), row.revision));
            transaction.expect(Expect::NoObjects(row.record.id));
            transaction.delete(key.clone());
            transaction.uncount(row.record.id);
            if self.try_commit(transaction).await? {
                return Ok(DeleteBucket::Deleted);
            }
        }
    }

    /// Buckets after `after` whose names begin with `prefix`, in order, and whether there are more.
    pub async fn list_buckets(
        &self,
        after: Option<&str>,
        prefix: &str,
        limit: usize,
    ) -> Result<(Vec<records::Bucket>, bool), Error> {
        let after = after.map(keys::bucket);
        let rows = self.metadata.scan::<records::Bucket>(keys::bucket(prefix), after, limit + 1).await?;
        let more = rows.len() > limit;
        Ok((rows.into_iter().take(limit).map(|(_, row)| row.record).collect(), more))
    }
}
