//! Bringing a replica up to the leader by the leader's own log.
//!
//! Each write carries the chain value over all before it, so applying the log proves that the replica's history is the
//! beginning of the leader's: the first write that does not fit shows that they parted, or that part of the log is gone.

use rocksdb::WriteBatch;
use rocksdb::WriteBatchIteratorCf;
use rocksdb::WriteOptions;

use super::Error;
use super::codec;
use super::db::Database;
use super::keys;
use super::keys::Family;
use super::records::Commit;

/// Bytes applied between two syncs.
const SYNC_BYTES: usize = 4 << 20;

/// What became of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CatchUp {
    /// Everything in the log that was readable is applied, and durable; this is the last.
    At(Commit),
    /// It cannot be brought up this way.
    Impossible(&'static str),
}

/// Applies what `source` has beyond `target`, whose last commit is `last`; `applied` hears of every commit.
pub(super) fn catch_up(
    source: &Database,
    target: &Database,
    mut last: Commit,
    applied: &dyn Fn(Commit) -> Result<(), Error>,
) -> Result<CatchUp, Error> {
    let goal = source.last_commit()?;
    if goal == last {
        return Ok(CatchUp::At(last));
    }
    if goal.number <= last.number {
        return Ok(CatchUp::Impossible("it has commits that were never acknowledged"));
    }
    let mut next = target.db.latest_sequence_number();
    let Ok(log) = source.db.get_updates_since(next) else {
        return Ok(CatchUp::Impossible("the leader's log does not go back so far"));
    };
    let mut options = WriteOptions::default();
    options.set_sync(false);
    let mut unsynced = 0;
    for write in log {
        // The end of a log that is being written looks like damage; what is behind it comes with the next attempt.
        let Ok((sequence, batch)) = write else { break };
        if batch.is_empty() {
            continue;
        }
        if sequence != next + 1 {
            return Ok(CatchUp::Impossible("the leader's log does not go on where it stands"));
        }
        let Some(commit) = link(target, last, &batch)? else {
            return Ok(CatchUp::Impossible("its history is not that of the leader"));
        };
        next += batch.len() as u64;
        unsynced += batch.size_in_bytes();
        let written = target.db.write_opt(batch, &options);
        written.map_err(|error| Error::rocksdb("commit", format!("number {}", commit.number), &error))?;
        last = commit;
        if unsynced >= SYNC_BYTES {
            target.sync()?;
            unsynced = 0;
            applied(last)?;
        }
        if last.number >= goal.number {
            break;
        }
    }
    target.sync()?;
    applied(last)?;
    Ok(CatchUp::At(last))
}

/// The commit that a write of the log makes, when it follows `last`.
fn link(database: &Database, last: Commit, batch: &WriteBatch) -> Result<Option<Commit>, Error> {
    let mut rows = CommitRow::default();
    batch.iterate_cf(&mut rows);
    let Some(row) = rows.last else { return Ok(None) };
    let key = keys::system("commit");
    let commit = codec::decode::<Commit>(&key, &row)?.record;
    // The chain covers the batch as it was before its commit row, the last in it, was added: sequence number 0, one
    // row less.
    let mut tail = WriteBatch::new();
    tail.put_cf(database.family(Family::System)?, key.bytes(), &row);
    let Some(rows) = batch.data()[HEADER..].strip_suffix(&tail.data()[HEADER..]) else { return Ok(None) };
    let mut chain = crc32fast::Hasher::new_with_initial(last.chain);
    chain.update(&[0; 8]);
    chain.update(&(batch.len() as u32 - 1).to_le_bytes());
    chain.update(rows);
    Ok((commit.number > last.number && commit.chain == chain.finalize()).then_some(commit))
}

/// Of a batch: sequence number (8) and count (4).
const HEADER: usize = 12;

/// The last row under the key of the commit number.
#[derive(Default)]
struct CommitRow {
    last: Option<Vec<u8>>,
}

impl WriteBatchIteratorCf for CommitRow {
    fn put_cf(&mut self, _family: u32, key: &[u8], value: &[u8]) {
        if key == b"commit" {
            self.last = Some(value.to_vec());
        }
    }

    fn delete_cf(&mut self, _family: u32, _key: &[u8]) {}

    fn merge_cf(&mut self, _family: u32, _key: &[u8], _value: &[u8]) {}
}
