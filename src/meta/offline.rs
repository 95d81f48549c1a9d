//! A database that is looked at while no server runs: opened for reading, and nothing is written to it.
//!
//! The log is replayed into memory, as at a start, after the same check for acknowledged rows that are missing from
//! it.

use std::path::Path;

use bytes::Bytes;
use rocksdb::DBRawIterator;
use rocksdb::ReadOptions;

use super::Durability;
use super::Error;
use super::Options;
use super::codec;
use super::codec::Stored;
use super::db::Database;
use super::db::Setup;
use super::files;
use super::inline;
use super::keys;
use super::keys::Family;
use super::keys::Key;
use super::keys::Named;
use super::records;
use super::records::Commit;
use super::records::Record;
use super::vote;
use crate::base::BlobId;
use crate::base::DeploymentId;
use crate::base::Timestamp;
use crate::sys::disk::RealDisk;

/// Blocks are read ahead by this many bytes: a walk touches all of them.
const READ_AHEAD_BYTES: usize = 1 << 20;

/// A database opened for reading.
pub struct Offline {
    database: Database,
}

impl Offline {
    /// Opens the database at `path`; up to `cache_bytes` of blocks are kept in memory, and the whole of its log.
    ///
    /// # Errors
    /// There is none, acknowledged rows are missing from its log, RocksDB refuses it, or a later release wrote it.
    pub fn open(path: &Path, cache_bytes: usize) -> Result<Self, Error> {
        let options =
            Options { durability: Durability::Strict, cache_bytes, write_buffer_bytes: 64 << 20, voters: 1 };
        let database = Database::open_read_only(path, &Setup::new(&options, 1, Timestamp::default()))?;
        Ok(Self { database })
    }

    /// The last commit.
    pub fn commit(&self) -> Result<Commit, Error> {
        self.database.last_commit()
    }

    /// The last start that committed into it; a replica of an earlier one lacks what later ones acknowledged, whatever
    /// its number of commits.
    pub fn epoch(&self) -> Result<u64, Error> {
        let row = self.get::<records::Epoch>(&keys::system("epoch"))?;
        Ok(row.map_or(0, |row| row.record.number))
    }

    /// The deployment it belongs to; `None` when it was never bound to one.
    pub fn deployment(&self) -> Result<Option<DeploymentId>, Error> {
        let key = keys::system("deployment");
        let Some(row) = self.get::<records::Cursor>(&key)? else { return Ok(None) };
        let id = row.record.position.try_into().map_err(|_| Error::corrupt(key.describe(), "not an id"))?;
        Ok(Some(DeploymentId::from_bytes(id)))
    }

    /// One row.
    pub fn get<R: Record>(&self, key: &Key) -> Result<Option<Stored<R>>, Error> {
        self.database.row(key)?.map(|row| codec::decode(key, &row)).transpose()
    }

    /// Whether there is such a row, whatever is in it.
    pub fn contains(&self, key: &Key) -> Result<bool, Error> {
        Ok(self.database.row(key)?.is_some())
    }

    /// An inline body.
    pub fn inline(&self, blob: BlobId) -> Result<Option<Bytes>, Error> {
        let key = keys::inline(blob);
        self.database.row(&key)?.map(|value| inline::decode(&key, &value)).transpose()
    }

    /// The rows whose keys begin with `prefix`, in order.
    pub fn rows(&self, prefix: &Key) -> Result<Rows<'_>, Error> {
        let mut options = ReadOptions::default();
        options.set_readahead_size(READ_AHEAD_BYTES);
        options.fill_cache(false);
        if let Some(end) = keys::successor(prefix.bytes()) {
            options.set_iterate_upper_bound(end);
        }
        let family = prefix.family();
        let mut cursor = self.database.db.raw_iterator_cf_opt(self.database.family(family)?, options);
        cursor.seek(prefix.bytes());
        Ok(Rows { cursor, family, begun: false })
    }

    /// About how many rows a family has.
    pub fn estimate(&self, family: Family) -> u64 {
        let count = self.database.family(family).ok().and_then(|family| {
            self.database.db.property_int_value_cf(family, "rocksdb.estimate-num-keys").ok().flatten()
        });
        count.unwrap_or(0)
    }
}

/// Rows in the order of their keys.
pub struct Rows<'a> {
    cursor: DBRawIterator<'a>,
    family: Family,
    begun: bool,
}

/// A row as it stands in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its key.
    pub key: Key,
    bytes: Vec<u8>,
}

impl Rows<'_> {
    /// The next row; `None` behind the last.
    ///
    /// # Errors
    /// What lies behind the row before cannot be read: a damaged block. The walk ends there.
    pub fn next_row(&mut self) -> Result<Option<Row>, Error> {
        if self.begun && self.cursor.valid() {
            self.cursor.next();
        }
        self.begun = true;
        match self.cursor.item() {
            Some((key, bytes)) => {
                let key = Key::from_parts(self.family, key.to_vec());
                Ok(Some(Row { key, bytes: bytes.to_vec() }))
            }
            None => {
                let ended = self.cursor.status();
                ended.map(|()| None).map_err(|error| Error::rocksdb("walk", self.family.name(), &error))
            }
        }
    }
}

impl Row {
    /// What its key names; `None` when no release up to this one writes such a key.
    pub fn named(&self) -> Option<Named> {
        self.key.named()
    }

    /// What it holds.
    pub fn decode<R: Record>(&self) -> Result<Stored<R>, Error> {
        codec::decode(&self.key, &self.bytes)
    }

    /// The body of an inline value, after its checksum has been checked.
    pub fn inline(&self) -> Result<Bytes, Error> {
        inline::decode(&self.key, &self.bytes)
    }
}

/// Whether a server found damage in the replica at `path`, and has not made it anew yet.
pub fn awaits_rebuild(path: &Path) -> bool {
    vote::is_damaged(&RealDisk, path)
}

/// Removes a database that was never put to use; fine when there is none.
pub fn discard(path: &Path) -> Result<(), Error> {
    files::remove(path)
}
