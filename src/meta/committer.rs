//! Group commit: one thread drains the waiting transactions, checks and numbers them in order, merges them into one
//! synced write, and wakes all.
//!
//! A transaction alone waits for one sync; a hundred that arrive together share it. Expectations are checked against
//! the database and against the rows of the transactions before it in the same group, so the outcome is as if each
//! had been written by itself.
//!
//! After a failed write the state of the log is unknown: the thread refuses everything from then on, and the next
//! start decides from what is durable.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::TrySendError;
use rocksdb::WriteBatch;
use rocksdb::WriteOptions;

use super::CommitError;
use super::Durability;
use super::Error;
use super::codec;
use super::db::Database;
use super::keys;
use super::keys::Family;
use super::keys::Key;
use super::records::Commit;
use super::records::Usage;
use super::transaction::Expect;
use super::transaction::Transaction;
use super::transaction::Write;
use crate::base::BucketId;
use crate::sys::failpoint::failpoint;
use crate::sys::metrics::Metrics;

/// Transactions that may wait: far more than connections, so a full queue means that the disk has stopped.
const QUEUE_MAX: usize = 16_384;
/// Transactions and bytes in one write. Four mebibytes take a disk some milliseconds, as long as a sync may.
const GROUP_MAX: usize = 1024;
const GROUP_BYTES_MAX: usize = 4 << 20;

pub(super) type Done = Box<dyn FnOnce(Result<u64, CommitError>) + Send>;

struct Waiting {
    transaction: Transaction,
    done: Done,
}

/// What readers may know of the committer.
#[derive(Default)]
struct Published {
    newest: AtomicU64,
    bucket_generation: AtomicU64,
    stopped: AtomicBool,
}

/// The queue to the thread that commits.
pub(super) struct Committer {
    queue: Option<Sender<Waiting>>,
    published: Arc<Published>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(super) fn start(
        database: Arc<Database>,
        durability: Durability,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        let (queue, waiting) = crossbeam_channel::bounded(QUEUE_MAX);
        let last = database.last_commit()?;
        let published = Arc::new(Published::default());
        published.newest.store(last.number, Ordering::Release);
        let mut write = WriteOptions::default();
        write.set_sync(durability == Durability::Strict);
        let sequencer = Sequencer {
            database,
            metrics,
            published: Arc::clone(&published),
            write,
            last,
            usage: HashMap::new(),
            failed: None,
        };
        let thread = std::thread::Builder::new()
            .name("commit".to_owned())
            .spawn(move || sequencer.run(&waiting))
            .map_err(|error| Error::stopped(error.to_string()))?;
        Ok(Self { queue: Some(queue), published, thread: Some(thread) })
    }

    pub(super) fn submit(&self, transaction: Transaction, done: Done) {
        let Some(queue) = &self.queue else { return };
        match queue.try_send(Waiting { transaction, done }) {
            Ok(()) => {}
            Err(TrySendError::Full(waiting)) => (waiting.done)(Err(CommitError::Overloaded)),
            Err(TrySendError::Disconnected(waiting)) => {
                (waiting.done)(Err(CommitError::Unavailable(Error::stopped("the committer has stopped"))));
            }
        }
    }

    pub(super) fn newest(&self) -> u64 {
        self.published.newest.load(Ordering::Acquire)
    }

    pub(super) fn bucket_generation(&self) -> u64 {
        self.published.bucket_generation.load(Ordering::Acquire)
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.published.stopped.load(Ordering::Acquire)
    }
}

/// Commits what waits, then stops.
impl Drop for Committer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Sequencer {
    database: Arc<Database>,
    metrics: Arc<Metrics>,
    published: Arc<Published>,
    write: WriteOptions,
    last: Commit,
    /// Counters as of the last commit, of buckets that were asked for since the start.
    usage: HashMap<BucketId, Usage>,
    failed: Option<Error>,
}

/// One write being put together.
#[derive(Default)]
struct Group {
    batch: WriteBatch,
    /// Revisions of rows written in this group; `None` for deleted ones.
    rows: HashMap<Key, Option<u64>>,
    /// Counters as of this group; `None` for buckets that it deletes.
    usage: HashMap<BucketId, Option<Usage>>,
    number: u64,
    touches_buckets: bool,
}

impl Sequencer {
    fn run(mut self, queue: &Receiver<Waiting>) {
        let mut group = Vec::with_capacity(GROUP_MAX);
        while let Ok(first) = queue.recv() {
            let mut bytes = first.transaction.bytes;
            group.push(first);
            while group.len() < GROUP_MAX
                && bytes < GROUP_BYTES_MAX
                && let Ok(next) = queue.try_recv()
            {
                bytes += next.transaction.bytes;
                group.push(next);
            }
            self.commit(&mut group);
        }
    }

    /// Checks, writes and answers a group.
    fn commit(&mut self, waiting: &mut Vec<Waiting>) {
        let begun = Instant::now();
        let mut group = Group { number: self.last.number, ..Group::default() };
        let mut answers: Vec<(Done, Result<u64, CommitError>)> = Vec::with_capacity(waiting.len());
        for Waiting { transaction, done } in waiting.drain(..) {
            let outcome = match &self.failed {
                Some(error) => Err(CommitError::Unavailable(error.clone())),
                None => self.add(&mut group, transaction),
            };
            answers.push((done, outcome));
        }
        let committed = (group.number - self.last.number) as usize;
        if committed > 0
            && let Err(error) = self.write(group)
        {
            tracing::error!(%error, "metadata cannot be written; nothing is acknowledged until the next start");
            self.failed = Some(error);
            self.published.stopped.store(true, Ordering::Release);
        }
        failpoint!("meta::commit::before_ack");
        self.metrics.commit_group(committed, begun.elapsed().as_secs_f64());
        for (done, outcome) in answers {
            match (&self.failed, outcome) {
                (Some(error), Ok(_)) => done(Err(CommitError::Unavailable(error.clone()))),
                (_, outcome) => done(outcome),
            }
        }
    }

    /// Adds a transaction to the group, when its expectations hold.
    ///
    /// Whatever can fail does so before the first write of the transaction is in the batch.
    fn add(&mut self, group: &mut Group, transaction: Transaction) -> Result<u64, CommitError> {
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

    fn revision(&self, group: &Group, key: &Key) -> Result<Option<u64>, Error> {
        if let Some(revision) = group.rows.get(key) {
            return Ok(*revision);
        }
        let Some(row) = self.database.row(key)? else {
            return Ok(None);
        };
        codec::revision(&row).map(Some).ok_or_else(|| Error::corrupt(key.describe(), "a short row"))
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
        match self.database.row(&key)? {
            Some(row) => {
                let usage = codec::decode::<Usage>(&key, &row)?.record;
                self.usage.insert(bucket, usage);
                Ok(Some(usage))
            }
            None => Ok(None),
        }
    }

    fn apply(&mut self, group: &mut Group, write: Write) -> Result<(), Error> {
        match write {
            Write::Row(key, mut row) => {
                row[codec::REVISION].copy_from_slice(&group.number.to_be_bytes());
                group.batch.put_cf(self.database.family(key.family())?, key.bytes(), row);
                group.touches_buckets |= key.family() == Family::Bucket;
                group.rows.insert(key, Some(group.number));
            }
            Write::Inline(key, value) => {
                group.batch.put_cf(self.database.family(key.family())?, key.bytes(), value);
            }
            Write::Delete(key) => {
                group.batch.delete_cf(self.database.family(key.family())?, key.bytes());
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

    /// One synced write; then the rows are visible and the numbers published.
    fn write(&mut self, mut group: Group) -> Result<(), Error> {
        for (bucket, usage) in &group.usage {
            let key = keys::usage(*bucket);
            match usage {
                Some(usage) => self.put(&mut group.batch, group.number, &key, usage)?,
                None => group.batch.delete_cf(self.database.family(key.family())?, key.bytes()),
            }
        }
        let mut chain = crc32fast::Hasher::new_with_initial(self.last.chain);
        chain.update(group.batch.data());
        let commit = Commit { number: group.number, chain: chain.finalize() };
        self.put(&mut group.batch, group.number, &keys::system("commit"), &commit)?;
        failpoint!("meta::commit::before_write", error).map_err(|error| Error::stopped(error.to_string()))?;
        let written = self.database.db.write_opt(std::mem::take(&mut group.batch), &self.write);
        written.map_err(|error| Error::rocksdb("commit", format!("number {}", commit.number), &error))?;
        failpoint!("meta::commit::after_write");
        self.last = commit;
        for (bucket, usage) in group.usage {
            match usage {
                Some(usage) => self.usage.insert(bucket, usage),
                None => self.usage.remove(&bucket),
            };
        }
        if group.touches_buckets {
            self.published.bucket_generation.fetch_add(1, Ordering::Release);
        }
        self.published.newest.store(commit.number, Ordering::Release);
        Ok(())
    }

    fn put<R: super::records::Record>(
        &self,
        batch: &mut WriteBatch,
        number: u64,
        key: &Key,
        record: &R,
    ) -> Result<(), Error> {
        let mut row = codec::encode(record);
        row[codec::REVISION].copy_from_slice(&number.to_be_bytes());
        batch.put_cf(self.database.family(key.family())?, key.bytes(), row);
        Ok(())
    }
}
