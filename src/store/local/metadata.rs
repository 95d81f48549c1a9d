//! Metadata in RocksDB: inline when the block cache has it, on a pool otherwise.
//!
//! Each replica has a pool of its own, so that threads that hang on one disk leave the others to work. A read that gets
//! no answer in half a second also goes to another replica, and the first answer counts.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::base::BlobId;
use crate::base::BucketId;
use crate::meta::CommitError;
use crate::meta::Key;
use crate::meta::ListPage;
use crate::meta::ListQuery;
use crate::meta::Lookup;
use crate::meta::Meta;
use crate::meta::Reader;
use crate::meta::ReplicaStatus;
use crate::meta::Role;
use crate::meta::Stored;
use crate::meta::Tier;
use crate::meta::Transaction;
use crate::meta::UploadPage;
use crate::meta::UploadQuery;
use crate::meta::Verified;
use crate::meta::keys;
use crate::meta::records::Record;
use crate::meta::records::Usage;
use crate::store::Error;
use crate::store::blocking::Pool;
use crate::store::blocking::Running;
use crate::store::commit::Custody;
use crate::store::engine::Decided;
use crate::store::engine::Metadata;

/// How long a commit or a read may take before the client is told to come back: longer than any queue of a disk that
/// answers, shorter than a client's patience.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// How long a replica is asked alone.
const HEDGE_AFTER: Duration = Duration::from_millis(500);

/// Pools that are kept: more than there can be replicas, fewer than come and go in a long life.
const POOLS_MAX: usize = 8;

/// The metadata of this machine. Cloning it is cheap.
#[derive(Clone)]
pub(in crate::store) struct LocalMetadata {
    meta: Arc<Meta>,
    /// By replica.
    pools: Arc<Mutex<BTreeMap<u64, Arc<Pool>>>>,
    threads: usize,
}

impl LocalMetadata {
    pub(in crate::store) fn new(meta: Arc<Meta>, threads: usize) -> Self {
        Self { meta, pools: Arc::default(), threads }
    }

    /// Moves on with every commit that touches a bucket row.
    pub(in crate::store) fn bucket_generation(&self) -> u64 {
        self.meta.bucket_generation()
    }

    /// Whether nothing can be committed until the next start.
    pub(in crate::store) fn has_stopped(&self) -> bool {
        self.meta.has_stopped()
    }

    /// Names of the replicas that are open: those that can be verified.
    pub(in crate::store) fn open_replicas(&self) -> Vec<String> {
        let is_open = |replica: &ReplicaStatus| {
            matches!(replica.role, Role::Leader | Role::Follower | Role::Lagging { .. })
        };
        self.meta.replicas().into_iter().filter(is_open).map(|replica| replica.name).collect()
    }

    /// Begins to read all of a replica on a thread of its own: no request waits behind that.
    pub(in crate::store) fn verify(
        &self,
        name: String,
        pace: impl Fn(u64) + Send + 'static,
    ) -> Result<Running<Result<Verified, crate::meta::Error>>, Error> {
        let meta = Arc::clone(&self.meta);
        Pool::new("verify", 1).start(move || meta.verify(&name, &pace))
    }

    /// Exact usage of a bucket; `None` when it does not exist.
    pub(in crate::store) async fn usage(&self, bucket: BucketId) -> Result<Option<Usage>, Error> {
        Ok(self.get::<Usage>(&keys::usage(bucket)).await?.map(|row| row.record))
    }

    pub(in crate::store) async fn list_uploads(
        &self,
        bucket: BucketId,
        query: UploadQuery,
    ) -> Result<UploadPage, Error> {
        self.on_pool(move |reader| reader.list_uploads(bucket, &query)).await
    }

    async fn on_pool<T: Send + 'static>(
        &self,
        read: impl Fn(&Reader) -> Result<T, crate::meta::Error> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        let answer = timeout(ANSWER_MAX, self.hedged(Arc::new(read))).await;
        answer.map_err(|_| Error::unavailable("metadata does not answer"))?
    }

    /// Asks the leader, and another replica when that one is silent or what it says is bad.
    async fn hedged<T, R>(&self, read: Arc<R>) -> Result<T, Error>
    where
        T: Send + 'static,
        R: Fn(&Reader) -> Result<T, crate::meta::Error> + Send + Sync + 'static,
    {
        let reader = self.meta.reader()?;
        let mut first = pin!(self.ask(&reader, &read));
        let answered = timeout(HEDGE_AFTER, &mut first).await;
        match answered {
            Ok(Ok(Err(error))) => {
                let Some(other) = self.meta.other_after(&reader, &error) else { return Err(error.into()) };
                let Ok(answer) = self.ask(&other, &read).await? else { return Err(error.into()) };
                self.meta.is_bad(reader.replica(), error);
                Ok(answer)
            }
            Ok(answer) => Ok(answer??),
            Err(_) => {
                let Some(other) = self.meta.other_reader(&reader) else { return Ok(first.await??) };
                let mut second = pin!(self.ask(&other, &read));
                tokio::select! {
                    answer = &mut first => match answer? {
                        Ok(answer) => Ok(answer),
                        Err(error) => second.await?.map_err(|_| error.into()),
                    },
                    answer = &mut second => match answer? {
                        Ok(answer) => {
                            self.meta.is_silent(reader.replica());
                            Ok(answer)
                        }
                        Err(_) => Ok(first.await??),
                    },
                }
            }
        }
    }

    /// Reads on the pool of this replica.
    fn ask<T, R>(
        &self,
        reader: &Reader,
        read: &Arc<R>,
    ) -> impl Future<Output = Result<Result<T, crate::meta::Error>, Error>> + use<T, R>
    where
        T: Send + 'static,
        R: Fn(&Reader) -> Result<T, crate::meta::Error> + Send + Sync + 'static,
    {
        let pool = self.pool(reader.replica());
        let (reader, read) = (reader.clone(), Arc::clone(read));
        async move { pool.run(move || read(&reader)).await }
    }

    fn pool(&self, replica: u64) -> Arc<Pool> {
        let mut pools = self.pools.lock();
        if !pools.contains_key(&replica) && pools.len() >= POOLS_MAX {
            // Of the oldest: numbers are not used again.
            pools.pop_first();
        }
        let pool = pools
            .entry(replica)
            .or_insert_with(|| Arc::new(Pool::new(format!("metadata-{replica}"), self.threads)));
        Arc::clone(pool)
    }
}

impl Metadata for LocalMetadata {
    async fn get<R: Record>(&self, key: &Key) -> Result<Option<Stored<R>>, Error> {
        match self.meta.get::<R>(key, Tier::Cached)? {
            Lookup::Found(row) => Ok(Some(row)),
            Lookup::Absent => Ok(None),
            Lookup::WouldBlock => {
                let key = key.clone();
                self.on_pool(move |reader| reader.get::<R>(&key, Tier::Any)).await.map(Lookup::into_option)
            }
        }
    }

    async fn inline(&self, blob: BlobId) -> Result<Option<Bytes>, Error> {
        match self.meta.get_inline(blob, Tier::Cached)? {
            Lookup::Found(bytes) => Ok(Some(bytes)),
            Lookup::Absent => Ok(None),
            Lookup::WouldBlock => {
                self.on_pool(move |reader| reader.get_inline(blob, Tier::Any)).await.map(Lookup::into_option)
            }
        }
    }

    async fn scan<R: Record>(
        &self,
        prefix: Key,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored<R>)>, Error> {
        self.on_pool(move |reader| reader.scan::<R>(&prefix, after.as_ref(), limit)).await
    }

    async fn list(&self, bucket: BucketId, query: ListQuery) -> Result<ListPage, Error> {
        self.on_pool(move |reader| reader.list(bucket, &query)).await
    }

    async fn commit(&self, transaction: Transaction, custody: Custody) -> Result<Decided, Error> {
        let (outcome, decided) = oneshot::channel();
        let undecided = Undecided(Some(custody));
        self.meta.submit(transaction, move |committed| {
            let custody = undecided.decide();
            let answer = match committed {
                Ok(_) => {
                    custody.release();
                    Ok(Decided::Committed)
                }
                // Nothing changed. When nobody listens any more, dropping the answer gives the blobs back.
                Err(CommitError::Conflict { which }) => Ok(Decided::Conflict { which, custody }),
                Err(CommitError::Overloaded) => Err(Error::Overloaded),
                // It may be durable or not: the blobs stay, and the sweep decides after the next start.
                Err(CommitError::Unavailable(error)) => {
                    custody.leave();
                    Err(Error::unavailable(error.to_string()))
                }
            };
            let _ = outcome.send(answer);
        });
        // The custody travels with the commit, so whoever stops waiting loses nothing.
        let decided = timeout(ANSWER_MAX, decided).await;
        let decided = decided.map_err(|_| Error::unavailable("metadata does not answer"))?;
        decided.map_err(|_| Error::unavailable("the committer has stopped"))?
    }

    fn newest_commit(&self) -> u64 {
        self.meta.newest_commit()
    }
}

/// Custody on its way through the committer. When the answer never comes, because that thread died, the rows may be
/// durable: the blobs stay.
struct Undecided(Option<Custody>);

impl Undecided {
    fn decide(mut self) -> Custody {
        self.0.take().unwrap_or_default()
    }
}

impl Drop for Undecided {
    fn drop(&mut self) {
        if let Some(custody) = self.0.take() {
            custody.leave();
        }
    }
}
