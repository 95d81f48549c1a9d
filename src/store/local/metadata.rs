//! Metadata in RocksDB: inline when the block cache has it, on the pool otherwise.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
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
use crate::meta::Stored;
use crate::meta::Tier;
use crate::meta::Transaction;
use crate::meta::UploadPage;
use crate::meta::UploadQuery;
use crate::meta::keys;
use crate::meta::records::Record;
use crate::meta::records::Usage;
use crate::store::Error;
use crate::store::blocking::Pool;
use crate::store::commit::Custody;
use crate::store::engine::Decided;
use crate::store::engine::Metadata;

/// How long a commit or a read may take before the client is told to come back: longer than any queue of a disk that
/// answers, shorter than a client's patience.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// The metadata of this machine. Cloning it is cheap.
#[derive(Clone)]
pub(in crate::store) struct LocalMetadata {
    meta: Arc<Meta>,
    pool: Arc<Pool>,
}

impl LocalMetadata {
    pub(in crate::store) fn new(meta: Arc<Meta>, threads: usize) -> Self {
        Self { meta, pool: Arc::new(Pool::new("metadata", threads)) }
    }

    /// Moves on with every commit that touches a bucket row.
    pub(in crate::store) fn bucket_generation(&self) -> u64 {
        self.meta.bucket_generation()
    }

    /// Whether nothing can be committed until the next start.
    pub(in crate::store) fn has_stopped(&self) -> bool {
        self.meta.has_stopped()
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
        self.on_pool(move |meta| meta.list_uploads(bucket, &query)).await
    }

    async fn on_pool<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Meta) -> Result<T, crate::meta::Error> + Send + 'static,
    ) -> Result<T, Error> {
        let meta = Arc::clone(&self.meta);
        let read = timeout(ANSWER_MAX, self.pool.run(move || read(&meta))).await;
        Ok(read.map_err(|_| Error::unavailable("metadata does not answer"))???)
    }
}

impl Metadata for LocalMetadata {
    async fn get<R: Record>(&self, key: &Key) -> Result<Option<Stored<R>>, Error> {
        match self.meta.get::<R>(key, Tier::Cached)? {
            Lookup::Found(row) => Ok(Some(row)),
            Lookup::Absent => Ok(None),
            Lookup::WouldBlock => {
                let key = key.clone();
                self.on_pool(move |meta| meta.get::<R>(&key, Tier::Any)).await.map(Lookup::into_option)
            }
        }
    }

    async fn inline(&self, blob: BlobId) -> Result<Option<Bytes>, Error> {
        match self.meta.get_inline(blob, Tier::Cached)? {
            Lookup::Found(bytes) => Ok(Some(bytes)),
            Lookup::Absent => Ok(None),
            Lookup::WouldBlock => {
                self.on_pool(move |meta| meta.get_inline(blob, Tier::Any)).await.map(Lookup::into_option)
            }
        }
    }

    async fn scan<R: Record>(
        &self,
        prefix: Key,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored<R>)>, Error> {
        self.on_pool(move |meta| meta.scan::<R>(&prefix, after.as_ref(), limit)).await
    }

    async fn list(&self, bucket: BucketId, query: ListQuery) -> Result<ListPage, Error> {
        self.on_pool(move |meta| meta.list(bucket, &query)).await
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
