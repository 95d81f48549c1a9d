//! One write being put together: transactions checked and numbered, one after the other.

use std::collections::HashMap;
use std::time::Instant;

use rocksdb::WriteBatch;

use super::CommitError;
use super::Error;
use super::codec;
use super::error::Fault;
use super::event::Event;
use super::event::RowRead;
use super::event::Work;
use super::keys;
use super::keys::Family;
use super::keys::Key;
use super::records::Record;
use super::records::Usage;
use super::sequencer::LEADER_SILENT_MAX;
use super::sequencer::Sequencer;
use super::transaction::Expect;
use super::transaction::Transaction;
use super::transaction::Write;
use crate::base::BucketId;

/// One write being put together.
#[derive(Default)]
pub(super) struct Group {
    pub(super) batch: WriteBatch,
    /// Revisions of rows written in this group; `None` for deleted ones.
    rows: HashMap<Key, Option<u64>>,
    /// Counters as of this group; `None` for buckets that it deletes.
    pub(super) usage: HashMap<BucketId, Option<Usage>>,
    /// The counters that are in the batch.
    pub(super) counted: Vec<(BucketId, Option<Usage>)>,
    /// Of the last transaction in it.
    pub(super) number: u64,
    pub(super) touches_buckets: bool,
}

impl Group {
    /// An empty one, behind this commit.
    pub(super) fn behind(number: u64) -> Self {
        Self { number, ..Self::default() }
    }
}

impl Sequencer {
    /// Adds a transaction to the group, when its expectations hold.
    ///
    /// Whatever can fail does so before the first write of the transaction is in the batch.
    pub(super) fn add(&mut self, group: &mut Group, transaction: Transaction) -> Result<u64, CommitError> {
        for (which, expect) in transaction.expects.iter().enumerate() {
            if !self.holds(group, expect).map_err(CommitError::Unavailable)? {
                return Err(CommitError::Conflict { which });
            }
        }
        for write in &transaction.writes {
            if let Write::Count(bucket, _) = write {
                self.usage(group, *bucket).map_err(CommitError::Unavailable)?;
            }
        }
        group.number += 1;
        for write in transaction.writes {
            self.apply(group, write).map_err(CommitError::Unavailable)?;
        }
        Ok(group.number)
    }

    fn holds(&mut self, group: &Group, expect: &Expect) -> Result<bool, Error> {
        match expect {
            Expect::Absent(key) => Ok(self.revision(group, key)?.is_none()),
            Expect::Revision(key, revision) => Ok(self.revision(group, key)? == Some(*revision)),
            Expect::Counted(bucket) => Ok(self.usage(group, *bucket)?.is_some()),
            Expect::NoObjects(bucket) => {
                Ok(self.usage(group, *bucket)?.is_some_and(|usage| usage.is_empty()))
            }
        }
    }

    fn revision(&mut self, group: &Group, key: &Key) -> Result<Option<u64>, Error> {
        if let Some(revision) = group.rows.get(key) {
            return Ok(*revision);
        }
        let short = || Error::corrupt(key.describe(), "a short row");
        self.read(key, |row| codec::revision(row).ok_or_else(short))
    }

    /// Kept once read, so that it is in memory when the transaction is applied.
    fn usage(&mut self, group: &Group, bucket: BucketId) -> Result<Option<Usage>, Error> {
        if let Some(usage) = group.usage.get(&bucket) {
            return Ok(*usage);
        }
        if let Some(usage) = self.usage.get(&bucket) {
            return Ok(Some(*usage));
        }
        let key = keys::usage(bucket);
        let usage = self.read(&key, |row| Ok(codec::decode::<Usage>(&key, row)?.record))?;
        if let Some(usage) = usage {
            self.usage.insert(bucket, usage);
        }
        Ok(usage)
    }

    fn apply(&mut self, group: &mut Group, write: Write) -> Result<(), Error> {
        match write {
            Write::Row(key, mut row) => {
                row[codec::REVISION].copy_from_slice(&group.number.to_be_bytes());
                group.batch.put_cf(self.database()?.family(key.family())?, key.bytes(), row);
                group.touches_buckets |= key.family() == Family::Bucket;
                group.rows.insert(key, Some(group.number));
            }
            Write::Inline(key, value) => {
                group.batch.put_cf(self.database()?.family(key.family())?, key.bytes(), value);
            }
            Write::Delete(key) => {
                group.batch.delete_cf(self.database()?.family(key.family())?, key.bytes());
                group.touches_buckets |= key.family() == Family::Bucket;
                group.rows.insert(key, None);
            }
            Write::Count(bucket, delta) => {
                let mut usage = self.usage(group, bucket)?.unwrap_or_default();
                usage.objects += delta.objects;
                usage.bytes += delta.bytes;
                group.usage.insert(bucket, Some(usage));
            }
            Write::Uncount(bucket) => {
                group.usage.insert(bucket, None);
            }
        }
        Ok(())
    }

    pub(super) fn put<R: Record>(&self, group: &mut Group, key: &Key, record: &R) -> Result<(), Error> {
        let mut row = codec::encode(record);
        row[codec::REVISION].copy_from_slice(&group.number.to_be_bytes());
        group.batch.put_cf(self.database()?.family(key.family())?, key.bytes(), row);
        Ok(())
    }

    /// A row as of the last commit. A leader that is silent or whose bytes are bad loses the lead, if another can take
    /// it: between two groups its followers may be asked as well.
    fn read<T>(&mut self, key: &Key, decode: impl Fn(&[u8]) -> Result<T, Error>) -> Result<Option<T>, Error> {
        loop {
            let read = self.read_leader(key).and_then(|row| row.as_deref().map(&decode).transpose());
            let Err(error) = read else { return read };
            let Some(slot) = self.leading.as_ref().map(|leading| leading.slot) else { return Err(error) };
            if error.fault() == Fault::None && !error.is_silence() || !self.pass_lead(self.last) {
                return Err(error);
            }
            tracing::warn!(%error, "another metadata replica takes the lead");
            if error.fault() == Fault::Damage {
                self.set.tell(Event::Damaged(slot, error));
            }
        }
    }

    /// The row in the leader. With several replicas, one whose disk hangs must not take this thread with it: what is
    /// not in memory is read by the leader's own.
    fn read_leader(&self, key: &Key) -> RowRead {
        let database = self.database()?;
        if self.members.len() == 1 {
            return Ok(database.row(key)?.map(|row| row.to_vec()));
        }
        if let Some(row) = database.cached_row(key)? {
            return Ok(row);
        }
        let (answer, read) = crossbeam_channel::bounded(1);
        let slot = database.slot;
        let Some(leader) = self.member(slot) else { return Err(self.reason.clone()) };
        leader.tell(Work::Row(key.clone(), answer));
        let deadline = Instant::now() + LEADER_SILENT_MAX;
        read.recv_deadline(deadline)
            .unwrap_or_else(|_| Err(Error::silence(database.path.display().to_string())))
    }
}
