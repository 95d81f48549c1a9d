//! Point reads and scans.

use std::sync::Arc;

use bytes::Bytes;
use rocksdb::ErrorKind;
use rocksdb::ReadOptions;
use rocksdb::ReadTier;

use super::Error;
use super::codec;
use super::codec::Stored;
use super::db::Database;
use super::error::Fault;
use super::inline;
use super::keys;
use super::keys::Key;
use super::records::Record;
use super::records::Usage;
use crate::base::BlobId;
use crate::base::BucketId;

/// How far a read may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Memory only; safe on a thread that must not wait.
    Cached,
    /// To the disk.
    Any,
}

/// What a read found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<T> {
    /// The row.
    Found(T),
    /// No row.
    Absent,
    /// Not in memory, and [`Tier::Cached`] was asked for.
    WouldBlock,
}

impl<T> Lookup<T> {
    /// The row, if it was found.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Found(row) => Some(row),
            Self::Absent | Self::WouldBlock => None,
        }
    }
}

/// A replica to read from. It has every commit that was acknowledged when it was chosen. Not to be kept: a replica is
/// closed, to be put right, when nobody reads from it any more.
#[derive(Clone)]
pub struct Reader {
    pub(super) database: Arc<Database>,
}

impl Reader {
    /// Tells replicas apart, while the process runs.
    pub fn replica(&self) -> u64 {
        self.database.slot
    }

    /// One row.
    pub fn get<R: Record>(&self, key: &Key, tier: Tier) -> Result<Lookup<Stored<R>>, Error> {
        self.read(key, tier, |row| codec::decode(key, row))
    }

    /// An inline body.
    pub fn get_inline(&self, blob: BlobId, tier: Tier) -> Result<Lookup<Bytes>, Error> {
        let key = keys::inline(blob);
        self.read(&key, tier, |value| inline::decode(&key, value))
    }

    /// Exact counters of a bucket; reads memory or one block.
    pub fn usage(&self, bucket: BucketId) -> Result<Usage, Error> {
        let row = self.get::<Usage>(&keys::usage(bucket), Tier::Any)?;
        Ok(row.into_option().map(|row| row.record).unwrap_or_default())
    }

    /// Up to `limit` rows whose keys begin with `prefix`, behind `after`, in order.
    pub fn scan<R: Record>(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored<R>)>, Error> {
        let mut rows = Vec::new();
        let mut cursor = self.cursor(prefix)?;
        match after.filter(|after| after.bytes() >= prefix.bytes()) {
            Some(after) => cursor.seek([after.bytes(), &[0]].concat()),
            None => cursor.seek(prefix.bytes()),
        }
        while rows.len() < limit
            && let Some((key, row)) = cursor.item()
        {
            let key = Key::from_parts(prefix.family(), key.to_vec());
            let row = codec::decode(&key, row)?;
            rows.push((key, row));
            cursor.next();
        }
        cursor.status().map_err(|error| Error::rocksdb("scan", prefix.describe(), &error))?;
        Ok(rows)
    }

    /// An iterator over the keys that begin with `prefix`.
    pub(super) fn cursor(&self, prefix: &Key) -> Result<rocksdb::DBRawIterator<'_>, Error> {
        let mut options = ReadOptions::default();
        if let Some(end) = keys::successor(prefix.bytes()) {
            options.set_iterate_upper_bound(end);
        }
        let family = self.database.family(prefix.family())?;
        Ok(self.database.db.raw_iterator_cf_opt(family, options))
    }

    fn read<T>(
        &self,
        key: &Key,
        tier: Tier,
        decode: impl FnOnce(&[u8]) -> Result<T, Error>,
    ) -> Result<Lookup<T>, Error> {
        let mut options = ReadOptions::default();
        if tier == Tier::Cached {
            options.set_read_tier(ReadTier::BlockCache);
        }
        let family = self.database.family(key.family())?;
        let read = match self.database.db.get_pinned_cf_opt(family, key.bytes(), &options) {
            Ok(Some(row)) => decode(&row).map(Lookup::Found),
            Ok(None) => Ok(Lookup::Absent),
            Err(error) if tier == Tier::Cached && error.kind() == ErrorKind::Incomplete => {
                Ok(Lookup::WouldBlock)
            }
            Err(error) => Err(Error::rocksdb("read", key.describe(), &error)),
        };
        match read {
            // Whoever may wait asks another replica.
            Err(error) if tier == Tier::Cached && error.fault() != Fault::None => Ok(Lookup::WouldBlock),
            read => read,
        }
    }
}
