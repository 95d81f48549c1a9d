//! The database of one replica: column families and options, each with its reason.

use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use rocksdb::BlockBasedOptions;
use rocksdb::Cache;
use rocksdb::ColumnFamilyDescriptor;
use rocksdb::DB;
use rocksdb::DBCompressionType;
use rocksdb::DBRecoveryMode;
use rocksdb::ErrorKind;
use rocksdb::ReadOptions;
use rocksdb::ReadTier;
use rocksdb::WriteBatch;

use super::Error;
use super::codec;
use super::error::Kind;
use super::files;
use super::keys;
use super::keys::Family;
use super::keys::Key;
use super::records::Commit;
use super::records::Cursor;
use super::records::Epoch;
use super::redo;
use super::vote;
use super::vote::Standing;
use super::wal;
use crate::base::Timestamp;
use crate::sys::disk::Disk as _;
use crate::sys::disk::RealDisk;

/// What acknowledged means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Synced.
    #[default]
    Strict,
    /// Handed to the kernel: a crash of the process loses nothing, one of the machine loses the last seconds. For
    /// scratch use.
    Relaxed,
}

/// What an operator may choose about metadata.
#[derive(Debug, Clone)]
pub struct Options {
    /// What acknowledged means.
    pub durability: Durability,
    /// Blocks and inline bodies kept in memory, in bytes.
    pub cache_bytes: usize,
    /// Rows not yet in files, over all families, in bytes.
    pub write_buffer_bytes: usize,
    /// Replicas that make up the majority, absent ones included: 1 to 3.
    pub voters: usize,
}

/// The newest layout of keys and families that we write and read.
const FORMAT: u8 = 1;

/// What all replicas of one process are opened with.
pub(super) struct Setup {
    pub(super) durability: Durability,
    /// One for all: it is the leader that fills it.
    cache: Cache,
    /// Rows not yet in files, of each.
    write_buffer_bytes: usize,
    /// Whether logs are kept behind a flush, so that a replica that was away catches up from them.
    keeps_logs: bool,
    /// When new ones were created: the same in all of them.
    created: Timestamp,
}

impl Setup {
    pub(super) fn new(options: &Options, replicas: usize, created: Timestamp) -> Self {
        Self {
            durability: options.durability,
            cache: Cache::new_hyper_clock_cache(options.cache_bytes, 0),
            write_buffer_bytes: options.write_buffer_bytes / replicas.max(1),
            keeps_logs: replicas > 1,
            created,
        }
    }

    pub(super) fn write_options(&self) -> rocksdb::WriteOptions {
        let mut write = rocksdb::WriteOptions::default();
        write.set_sync(self.durability == Durability::Strict);
        write
    }
}

/// RocksDB with our families open.
pub(super) struct Database {
    pub(super) db: DB,
    pub(super) path: PathBuf,
    /// Of the replica, while the process runs.
    pub(super) slot: u64,
    /// How many replicas are being built from this one.
    holders: AtomicUsize,
}

impl Database {
    pub(super) fn open(path: &Path, slot: u64, setup: &Setup) -> Result<Self, Error> {
        wal::check_manifest(&RealDisk, path)?;
        // Relaxed writes are not ordered on the disk: there, holes are what was bargained for.
        if setup.durability == Durability::Strict {
            wal::check(&RealDisk, path)?;
        }
        let families = Family::ALL.iter().map(|family| {
            let options = family_options(*family, &setup.cache, setup.write_buffer_bytes);
            ColumnFamilyDescriptor::new(family.name(), options)
        });
        let db = DB::open_cf_descriptors(&database_options(setup), path, families)
            .map_err(|error| Error::rocksdb("open", path.display().to_string(), &error))?;
        let database = Self { db, path: path.to_owned(), slot, holders: AtomicUsize::new(0) };
        database.check_format(setup.created)?;
        redo::finish_last_write(&database)?;
        // RocksDB syncs its directory, not the entry of it: a crash after the first start would take everything.
        let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        RealDisk.sync_dir(above).map_err(|error| Error::io("open", above, &error))?;
        Ok(database)
    }

    /// Opens what is there for reading alone; nothing is written, the log is replayed into memory.
    pub(super) fn open_read_only(path: &Path, setup: &Setup) -> Result<Self, Error> {
        if !files::holds_database(&RealDisk, path) {
            // RocksDB would make the directory.
            return Err(Error::corrupt(path.display().to_string(), "there is no database"));
        }
        wal::check_manifest(&RealDisk, path)?;
        wal::check(&RealDisk, path)?;
        let families = Family::ALL.iter().map(|family| {
            let options = family_options(*family, &setup.cache, setup.write_buffer_bytes);
            ColumnFamilyDescriptor::new(family.name(), options)
        });
        let mut options = database_options(setup);
        options.create_if_missing(false);
        options.create_missing_column_families(false);
        let db = DB::open_cf_descriptors_read_only(&options, path, families, false)
            .map_err(|error| Error::rocksdb("open", path.display().to_string(), &error))?;
        let database = Self { db, path: path.to_owned(), slot: 0, holders: AtomicUsize::new(0) };
        database.known_format()?;
        Ok(database)
    }

    pub(super) fn family(&self, family: Family) -> Result<&rocksdb::ColumnFamily, Error> {
        self.db
            .cf_handle(family.name())
            .ok_or_else(|| Error::corrupt(family.name(), "the column family is missing"))
    }

    /// The bytes of a row, now.
    pub(super) fn row(&self, key: &Key) -> Result<Option<rocksdb::DBPinnableSlice<'_>>, Error> {
        let family = self.family(key.family())?;
        self.db
            .get_pinned_cf(family, key.bytes())
            .map_err(|error| Error::rocksdb("read", key.describe(), &error))
    }

    /// A row, when no disk has to be asked for it.
    pub(super) fn cached_row(&self, key: &Key) -> Result<Option<Option<Vec<u8>>>, Error> {
        let mut options = ReadOptions::default();
        options.set_read_tier(ReadTier::BlockCache);
        match self.db.get_pinned_cf_opt(self.family(key.family())?, key.bytes(), &options) {
            Ok(row) => Ok(Some(row.map(|row| row.to_vec()))),
            Err(error) if error.kind() == ErrorKind::Incomplete => Ok(None),
            Err(error) => Err(Error::rocksdb("read", key.describe(), &error)),
        }
    }

    pub(super) fn last_commit(&self) -> Result<Commit, Error> {
        let key = keys::system("commit");
        match self.row(&key)? {
            Some(row) => Ok(codec::decode::<Commit>(&key, &row)?.record),
            None => Ok(Commit::default()),
        }
    }

    /// How far it is.
    pub(super) fn standing(&self) -> Result<Standing, Error> {
        let epoch = match self.row(&keys::system("epoch"))? {
            Some(row) => codec::decode::<Epoch>(&keys::system("epoch"), &row)?.record.number,
            None => 0,
        };
        let (commit, promise) = (self.last_commit()?, vote::promised(&RealDisk, &self.path)?);
        Ok(Standing { epoch, commit, promise, layout: self.layout()? })
    }

    /// How batches name the families; a batch made for one database can be applied to others with the same.
    fn layout(&self) -> Result<Vec<u8>, Error> {
        let mut batch = WriteBatch::new();
        for family in Family::ALL {
            batch.put_cf(self.family(*family)?, [], []);
        }
        Ok(batch.data().to_vec())
    }

    /// Keeps every file and log until [`Database::release`].
    pub(super) fn hold(&self) -> Result<(), Error> {
        self.db.disable_file_deletions().map_err(|error| Error::rocksdb("hold", "files", &error))?;
        self.holders.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn release(&self) {
        self.holders.fetch_sub(1, Ordering::Relaxed);
        if let Err(error) = self.db.enable_file_deletions() {
            tracing::warn!(%error, "metadata keeps obsolete files until the next start");
        }
    }

    /// Whether old logs are still wanted.
    pub(super) fn is_held(&self) -> bool {
        self.holders.load(Ordering::Relaxed) > 0
    }

    /// Makes everything durable that was written without waiting for it.
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.db.flush_wal(true).map_err(|error| Error::rocksdb("sync", "the log", &error))
    }

    /// Refuses a database that a later release has changed; whether it has a format yet.
    fn known_format(&self) -> Result<bool, Error> {
        let key = keys::system("format");
        let Some(row) = self.row(&key)? else { return Ok(false) };
        let format = codec::decode::<Cursor>(&key, &row)?.record.position;
        match format.first() {
            Some(format) if *format <= FORMAT => Ok(true),
            Some(format) => Err(Error::new("open", "the database", Kind::Newer(u16::from(*format)))),
            None => Err(Error::corrupt(key.describe(), "no format")),
        }
    }

    /// Refuses a database that a later release has changed; marks a new one.
    fn check_format(&self, created: Timestamp) -> Result<(), Error> {
        if self.known_format()? {
            return Ok(());
        }
        let key = keys::system("format");
        let created = created.as_millis().to_be_bytes();
        let marker = Cursor { position: [&[FORMAT][..], &created].concat() };
        let mut write = rocksdb::WriteOptions::default();
        write.set_sync(true);
        self.db
            .put_cf_opt(self.family(Family::System)?, key.bytes(), codec::encode(&marker), &write)
            .map_err(|error| Error::rocksdb("write", key.describe(), &error))
    }
}

/// Opens a checkpoint for reading, with nothing in memory: indexes and filters are read, and checked, now.
pub(super) fn open_to_verify(path: &Path) -> Result<DB, Error> {
    let cache = Cache::new_hyper_clock_cache(1 << 20, 0);
    let families = Family::ALL.iter().map(|family| {
        let mut options = family_options(*family, &cache, 1 << 20);
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(&cache);
        table.set_bloom_filter(10.0, false);
        options.set_block_based_table_factory(&table);
        ColumnFamilyDescriptor::new(family.name(), options)
    });
    DB::open_cf_descriptors_read_only(&rocksdb::Options::default(), path, families, false)
        .map_err(|error| Error::rocksdb("verify", path.display().to_string(), &error))
}

/// When logs hold so many bytes, the families that keep them from being removed are written to tables.
const LOGS_MAX_BYTES: u64 = 256 << 20;

fn database_options(setup: &Setup) -> rocksdb::Options {
    let mut db = rocksdb::Options::default();
    db.create_if_missing(true);
    db.create_missing_column_families(true);
    // Replay ends at the first record it cannot read: the torn end that a crash leaves. That nothing acknowledged lies
    // behind it was checked before (`wal`). RocksDB's stricter mode refuses the holes that a power cut leaves in an
    // unfinished write. (Recycled logs would save 0.05 ms per sync, but cannot tell torn from damaged.)
    db.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    // All families share one log, and a family that is seldom written would keep it from being cut.
    db.set_max_total_wal_size(LOGS_MAX_BYTES);
    db.set_db_write_buffer_size(setup.write_buffer_bytes);
    if setup.keeps_logs {
        // Without end: RocksDB would look after them every ten minutes only. `logs` takes the oldest.
        db.set_wal_size_limit_mb(1 << 30);
    } else {
        // The last, for a write that has to be completed (`redo`).
        db.set_wal_size_limit_mb((2 * LOGS_MAX_BYTES) >> 20);
    }
    // One for flushes, one for compactions: a third only takes a core from requests.
    db.set_max_background_jobs(2);
    // Smooths the write-back of large files, so that a sync of the log does not queue behind it.
    db.set_bytes_per_sync(1 << 20);
    db.set_max_open_files(-1);
    // RocksDB's own log: enough to explain an incident, bounded.
    db.set_keep_log_file_num(4);
    db.set_max_log_file_size(4 << 20);
    db
}

fn family_options(family: Family, cache: &Cache, write_buffer_bytes: usize) -> rocksdb::Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    // Indexes and filters count as cache too, so that memory has one bound.
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table.set_block_size(8 << 10);
    // An absent key costs half a microsecond instead of a read: every PUT of a new key asks.
    table.set_bloom_filter(10.0, false);
    table.set_format_version(6);
    table.set_data_block_index_type(rocksdb::DataBlockIndexType::BinaryAndHash);
    let mut options = rocksdb::Options::default();
    options.set_block_based_table_factory(&table);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_level_compaction_dynamic_level_bytes(true);
    // Memory is taken as it is used: a dozen idle families must not cost a megabyte each.
    options.set_arena_block_size(64 << 10);
    options.set_write_buffer_size((write_buffer_bytes / 2).max(1 << 20));
    options.set_max_write_buffer_number(4);
    if family == Family::Inline {
        bodies_apart(&mut options, cache);
    }
    options
}

/// Bodies live in blob files, so that compactions of keys do not rewrite them. They are dropped soon after they
/// turn to garbage: 1.3 times the live bytes under heavy churn, at 3.4 times the writes.
fn bodies_apart(options: &mut rocksdb::Options, cache: &Cache) {
    options.set_enable_blob_files(true);
    options.set_min_blob_size(1 << 10);
    options.set_blob_file_size(64 << 20);
    options.set_blob_compression_type(DBCompressionType::None);
    options.set_enable_blob_gc(true);
    options.set_blob_gc_age_cutoff(1.0);
    options.set_blob_gc_force_threshold(0.2);
    options.set_blob_cache(cache);
    // Keys of 16 bytes alone: small files, so that garbage collection comes round.
    options.set_target_file_size_base(4 << 20);
}
