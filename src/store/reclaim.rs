//! Giving space back: what the reclaimer and the sweep ask of the store.

use super::Error;
use super::Store;
use super::engine::Metadata as _;
use super::engine::Parts as _;
use crate::base::BlobId;
use crate::base::BucketId;
use crate::base::Timestamp;
use crate::base::VolumeId;
use crate::meta::Expect;
use crate::meta::Key;
use crate::meta::Stored;
use crate::meta::Transaction;
use crate::meta::keys;
use crate::meta::records::Empty;
use crate::meta::records::EndedUpload;
use crate::meta::records::Reclaim;
use crate::meta::records::Upload;
use crate::sys::failpoint::failpoint;

impl Store {
    /// Blobs that lost a reference, oldest id first.
    pub async fn reclaimable(
        &self,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored<Reclaim>)>, Error> {
        self.metadata.scan::<Reclaim>(keys::reclaims(), after, limit).await
    }

    /// Settles one reclaim row: unlinks the blob unless another row still names it. `false` when its commit is
    /// not acknowledged yet, a running read may still want the blob, or it is being restored.
    ///
    /// References only ever come from rows that hold one already, so a blob seen without any, in committed state,
    /// can gain none.
    pub async fn reclaim(&self, key: &Key, row: &Stored<Reclaim>) -> Result<bool, Error> {
        let blob = row.record.blob;
        // A replica shows what it has, which may be ahead of what is acknowledged: should that commit be lost yet, the
        // row that names the blob is there again.
        let is_settled = row.revision <= self.metadata.newest_commit();
        if !is_settled || self.readers.may_want(blob, row.revision) {
            return Ok(false);
        }
        // Being restored: a copy that is written behind the unlink would be left for ever.
        let Some(_in_hand) = self.exclusive.enter(blob) else { return Ok(false) };
        let (mut transaction, mut is_gone) = (Transaction::new(), false);
        if !self.is_referenced(blob).await? {
            failpoint!("store::reclaim::before_unlink");
            self.parts.remove(blob).await?;
            failpoint!("store::reclaim::after_unlink");
            // What is gone needs no repair.
            transaction.delete(keys::repair(blob));
            is_gone = true;
        }
        transaction.expect(Expect::Revision(key.clone(), row.revision));
        transaction.delete(key.clone());
        if self.try_commit(transaction).await? && is_gone {
            self.tally.went();
        }
        Ok(true)
    }

    /// Whether a row names the blob, or a running upload is about to.
    pub(super) async fn is_named(&self, blob: BlobId) -> Result<bool, Error> {
        Ok(self.unnamed.contains(blob) || self.is_referenced(blob).await?)
    }

    pub(super) async fn is_referenced(&self, blob: BlobId) -> Result<bool, Error> {
        Ok(!self.metadata.scan::<Empty>(keys::blobrefs(blob), None, 1).await?.is_empty())
    }

    /// Looks at up to `limit` part files of a volume behind `after` and removes those that were written before `before`,
    /// that no row names and no running upload owns. Returns the last one looked at, and how many were removed.
    pub async fn sweep_volume(
        &self,
        volume: VolumeId,
        after: Option<BlobId>,
        limit: usize,
        before: Timestamp,
    ) -> Result<(Option<BlobId>, usize), Error> {
        let listed = self.parts.list(volume, after, limit).await?;
        let mut removed = 0;
        for blob in &listed {
            // In this order: an upload stops owning a blob only after its rows are committed.
            let owned = self.unnamed.contains(*blob);
            if owned || self.is_referenced(*blob).await? || self.awaits_reclaim(*blob).await? {
                continue;
            }
            if self.parts.written(volume, *blob).await?.is_some_and(|written| written < before) {
                failpoint!("store::sweep::before_unlink");
                match self.parts.remove(*blob).await {
                    Ok(()) => removed += 1,
                    Err(error) => tracing::debug!(%blob, %error, "an orphan is left to the next pass"),
                }
            }
        }
        Ok((listed.last().copied(), removed))
    }

    async fn awaits_reclaim(&self, blob: BlobId) -> Result<bool, Error> {
        Ok(self.metadata.get::<Reclaim>(&keys::reclaim(blob)).await?.is_some())
    }

    /// Looks at up to `limit` open uploads behind `after` and gives back those whose bucket was deleted. Returns the
    /// last one looked at.
    pub async fn sweep_uploads(&self, after: Option<Key>, limit: usize) -> Result<Option<Key>, Error> {
        let rows = self.metadata.scan::<Upload>(keys::all_open_uploads(), after, limit).await?;
        let mut known: Option<(BucketId, bool)> = None;
        for (key, upload) in &rows {
            let Some(bucket) = keys::bucket_of_upload(key) else { continue };
            let exists = match known {
                Some((last, exists)) if last == bucket => exists,
                _ => self.metadata.usage(bucket).await?.is_some(),
            };
            known = Some((bucket, exists));
            if !exists {
                self.forget_upload(key, upload.record.id, upload.revision).await?;
            }
        }
        Ok(rows.into_iter().last().map(|(key, _)| key))
    }

    /// Markers of uploads that ended, of every bucket.
    pub async fn ended_uploads(
        &self,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored<EndedUpload>)>, Error> {
        self.metadata.scan(keys::ended_uploads(), after, limit).await
    }
}
