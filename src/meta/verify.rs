//! The scrub of a replica: reads all of it as it is on the disk, past every cache.
//!
//! Tables and bodies are read through a checkpoint (hard links) that is opened read-only with caches of its own, so that
//! each block is read and its checksum compared. The log that is being written has our own reader. The list of files
//! (`MANIFEST`, in the format of the log) and its name (`CURRENT`) are read only when a database is opened; damage there
//! would otherwise be found at the worst moment.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rocksdb::ReadOptions;
use rocksdb::checkpoint::Checkpoint;

use super::Error;
use super::Meta;
use super::db;
use super::db::Database;
use super::error::Fault;
use super::event::Event;
use super::files;
use super::keys::Family;
use super::wal;
use super::wal::Ending;
use crate::sys::disk::Disk as _;
use crate::sys::disk::RealDisk;
use crate::sys::disk::read_file;

/// Bytes read between two calls of the pace.
const PACE_BYTES: u64 = 256 << 10;

/// What was being written when it was read is looked at again after this time.
const SETTLE: Duration = Duration::from_millis(200);

/// What the scrub of a replica found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Bytes read.
    pub bytes: u64,
    /// Damage, each with its file. The replica is being made anew, when there is another that can lead.
    pub damage: Vec<String>,
    /// Damage in the log. What it holds has been written to tables from memory, so nothing is lost.
    pub log_damage: Vec<String>,
}

impl Meta {
    /// Reads all of a replica and compares its checksums; `pace` hears of bytes as they are read, and may wait. A
    /// damaged replica loses the lead and is made anew, if another can lead; otherwise damage is only reported.
    ///
    /// # Errors
    /// The replica is not known or not open, or cannot be read for a reason that says nothing about its bytes.
    pub fn verify(&self, name: &str, pace: &dyn Fn(u64)) -> Result<Verified, Error> {
        let replica = self.set.replica(name);
        let database = replica.and_then(|replica| replica.database());
        let database = database.ok_or_else(|| Error::stopped(format!("the replica {name} is not open")))?;
        let slot = database.slot;
        let mut reading = Reading { verified: Verified::default(), unpaced: 0, pace };
        reading.all(database)?;
        let verified = reading.verified;
        if let Some(damage) = verified.damage.first() {
            tracing::error!(replica = name, %damage, "metadata is damaged");
            self.set.tell(Event::Damaged(slot, Error::corrupt(damage.clone(), "found by the scrub")));
        }
        Ok(verified)
    }
}

/// Reads all rows of a replica in the making, which nobody has open.
pub(super) fn check_copy(path: &Path) -> Result<(), Error> {
    Reading { verified: Verified::default(), unpaced: 0, pace: &|_| {} }.tables(path)
}

struct Reading<'a> {
    verified: Verified,
    unpaced: u64,
    pace: &'a dyn Fn(u64),
}

impl Reading<'_> {
    fn read(&mut self, bytes: u64) {
        self.verified.bytes += bytes;
        self.unpaced += bytes;
        if self.unpaced >= PACE_BYTES {
            (self.pace)(self.unpaced);
            self.unpaced = 0;
        }
    }

    fn all(&mut self, database: Arc<Database>) -> Result<(), Error> {
        self.logs(&database.path)?;
        self.manifest(&database.path)?;
        let links = files::beside(&database.path, "checkpoint-verify");
        files::remove(&links)?;
        // This flushes: what a damaged log holds is in tables now, and the log is obsolete.
        let made = Checkpoint::new(&database.db).and_then(|checkpoint| checkpoint.create_checkpoint(&links));
        // Nobody waits for the scrub who wants to close the database.
        let (path, open) = (database.path.clone(), Arc::downgrade(&database));
        drop(database);
        let made = made.map_err(|error| Error::rocksdb("verify", path.display().to_string(), &error));
        let read = made.and_then(|()| self.tables(&links));
        let removed = files::remove(&links);
        match read {
            // Whoever opens it anew removes the links.
            Err(_) if open.strong_count() == 0 => {
                return Err(Error::stopped("the replica was closed while it was read"));
            }
            Err(error) if error.fault() == Fault::Damage => self.verified.damage.push(error.to_string()),
            Err(error) => return Err(error),
            Ok(()) => {}
        }
        removed
    }

    fn logs(&mut self, database: &Path) -> Result<(), Error> {
        for path in self.numbered(database, |name| name.ends_with(".log"))? {
            let lost = |ending: &Ending| matches!(ending, Ending::Lost { .. });
            if let Some(ending) = self.scan(&path, lost)? {
                self.verified.log_damage.push(format!("{}: {ending:?}", path.display()));
            }
        }
        Ok(())
    }

    fn manifest(&mut self, database: &Path) -> Result<(), Error> {
        let current = database.join("CURRENT");
        let manifests = self.numbered(database, |name| name.starts_with("MANIFEST-"))?;
        let named = read_file(&RealDisk, &current).map_err(|error| Error::io("verify", &current, &error))?;
        let names = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            named == format!("{name}\n").as_bytes()
        };
        let Some(manifest) = manifests.iter().find(|path| names(path)) else {
            let damage = format!("{}: it names no list of files that is there", current.display());
            self.verified.damage.push(damage);
            return Ok(());
        };
        if let Some(ending) = self.scan(manifest, |ending| *ending != Ending::Clean)? {
            self.verified.damage.push(format!("{}: {ending:?}", manifest.display()));
        }
        Ok(())
    }

    fn numbered(&self, database: &Path, is: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, Error> {
        let names = RealDisk.list(database).map_err(|error| Error::io("verify", database, &error))?;
        let mut names: Vec<_> = names.into_iter().filter(|name| is(name)).collect();
        names.sort_unstable();
        Ok(names.into_iter().map(|name| database.join(name)).collect())
    }

    /// How a log ends, when that is bad and stays so.
    fn scan(&mut self, path: &Path, is_bad: impl Fn(&Ending) -> bool) -> Result<Option<Ending>, Error> {
        let mut bad = None;
        for attempt in 0..2 {
            if attempt > 0 {
                std::thread::sleep(SETTLE);
            }
            let (ending, bytes) = match wal::ending(&RealDisk, path) {
                Ok(read) => read,
                // It has become obsolete meanwhile.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(Error::io("verify", path, &error)),
            };
            self.read(bytes);
            bad = Some(ending).filter(|ending| is_bad(ending));
            if bad.is_none() {
                break;
            }
        }
        Ok(bad)
    }

    fn tables(&mut self, links: &Path) -> Result<(), Error> {
        let db = db::open_to_verify(links)?;
        for family in Family::ALL {
            let handle = db.cf_handle(family.name());
            let handle =
                handle.ok_or_else(|| Error::corrupt(family.name(), "the column family is missing"))?;
            let mut options = ReadOptions::default();
            options.fill_cache(false);
            options.set_verify_checksums(true);
            let mut rows = db.raw_iterator_cf_opt(handle, options);
            rows.seek_to_first();
            while let Some((key, value)) = rows.item() {
                self.read((key.len() + value.len()) as u64);
                rows.next();
            }
            rows.status().map_err(|error| Error::rocksdb("verify", family.name(), &error))?;
        }
        Ok(())
    }
}
