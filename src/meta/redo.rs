//! Finishing what a failed write has left half done.
//!
//! When a write fails after its bytes are in the log (its sync finds no room), it is in no family's memory, and nobody hears
//! that it is durable. The next start replays the log, and the write is there after all, whole. But RocksDB may meanwhile have
//! written the memory of some families to tables: it does so by itself when there is room again. Those families count the
//! log as done and are without the write, while the others get it: half a commit, an object without the reference that
//! keeps its bytes, say.
//!
//! Only the last write can be so, because a database whose write failed takes no other before it was opened anew. All rows
//! are put or deleted as a whole, so doing the last write once more changes nothing where it was complete.
//!
//! A crash meanwhile loses nothing, with one replica either. Opening counts the log as done and moves it to the archive,
//! where it stays whatever its age (`WAL_size_limit_MB`; `logs` takes the oldest, and only of a database that was opened
//! to the end): until something is written behind it, it ends with the newest sequence number, so the next start finds it
//! there. What completes it is a write like any other, whole or not at all after a crash, and the last one from then on.

use std::collections::HashMap;

use rocksdb::ReadOptions;
use rocksdb::WriteBatch;
use rocksdb::WriteBatchIteratorCf;
use rocksdb::WriteOptions;

use super::Error;
use super::db::Database;
use super::keys::Family;
use crate::sys::failpoint::failpoint;

/// The last write is looked for in the last so many rows, and where it has more of them, in more.
const ROWS: u64 = 64;

/// Does the last write of the log again, when a row is not as it left it.
pub(super) fn finish_last_write(database: &Database) -> Result<(), Error> {
    let Some(batch) = last_write(database) else { return Ok(()) };
    if is_complete(database, &batch)? {
        return Ok(());
    }
    let step = |error| Error::io("complete", &database.path, &error);
    failpoint!("meta::redo::before_write", error).map_err(step)?;
    tracing::warn!(replica = %database.path.display(), "a write that had failed was there in part; it is completed");
    let mut options = WriteOptions::default();
    options.set_sync(true);
    database
        .db
        .write_opt(batch, &options)
        .map_err(|error| Error::rocksdb("complete", database.path.display().to_string(), &error))?;
    failpoint!("meta::redo::after_write", error).map_err(step)
}

/// The last write of the log. A log that is gone was not replayed either.
fn last_write(database: &Database) -> Option<WriteBatch> {
    let newest = database.db.latest_sequence_number();
    let mut rows = ROWS;
    loop {
        // What begins behind this.
        let log = database.db.get_updates_since(newest.saturating_sub(rows)).ok()?;
        match log.map_while(Result::ok).last() {
            // Where the log cannot be read to its end, what was read is not the last, and later writes have changed its rows.
            Some((first, batch)) => {
                return (first + batch.len() as u64 == newest + 1).then_some(batch);
            }
            None if rows >= newest => return None,
            None => rows = rows.saturating_mul(ROWS),
        }
    }
}

fn is_complete(database: &Database, batch: &WriteBatch) -> Result<bool, Error> {
    let mut named = Rows::default();
    let mut families = WriteBatch::new();
    for family in Family::ALL {
        families.put_cf(database.family(*family)?, [], []);
    }
    families.iterate_cf(&mut named);
    let mut rows = Rows::default();
    batch.iterate_cf(&mut rows);
    // Read once, at the start.
    let mut options = ReadOptions::default();
    options.fill_cache(false);
    for ((number, key), value) in &rows.last {
        let Some(at) = named.order.iter().position(|family| family == number) else { continue };
        let found = database.db.get_pinned_cf_opt(database.family(Family::ALL[at])?, key, &options);
        let found = found.map_err(|error| Error::rocksdb("read", "the last write", &error))?;
        if found.as_deref() != value.as_deref() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The rows of a batch as it leaves them, by the number of their family; `None` for one that it deletes.
#[derive(Default)]
struct Rows {
    last: HashMap<(u32, Vec<u8>), Option<Vec<u8>>>,
    /// The families in the order in which they come.
    order: Vec<u32>,
}

impl WriteBatchIteratorCf for Rows {
    fn put_cf(&mut self, family: u32, key: &[u8], value: &[u8]) {
        self.order.push(family);
        self.last.insert((family, key.to_vec()), Some(value.to_vec()));
    }

    fn delete_cf(&mut self, family: u32, key: &[u8]) {
        self.last.insert((family, key.to_vec()), None);
    }

    fn merge_cf(&mut self, _family: u32, _key: &[u8], _value: &[u8]) {}
}

#[cfg(test)]
#[path = "redo_tests.rs"]
mod tests;
