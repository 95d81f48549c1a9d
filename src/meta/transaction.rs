//! What one request changes: expectations, puts, deletes and counts, all or nothing.

use bytes::Bytes;

use super::codec;
use super::inline;
use super::keys;
use super::keys::Key;
use super::records::Empty;
use super::records::Record;
use crate::base::BlobId;
use crate::base::BucketId;

/// What must be true when the transaction's turn comes.
#[derive(Debug, Clone)]
pub enum Expect {
    /// The row does not exist.
    Absent(Key),
    /// The row is the one written by this commit.
    Revision(Key, u64),
    /// The bucket exists: it is counted. Unlike a revision of its row, this does not change with its configuration.
    Counted(BucketId),
    /// The bucket exists and has neither objects nor versions.
    NoObjects(BucketId),
}

/// A change of a bucket's counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageDelta {
    /// Objects more (or fewer).
    pub objects: i64,
    /// Bytes more (or fewer).
    pub bytes: i64,
}

impl UsageDelta {
    /// So many objects and bytes more, or fewer.
    pub const fn new(objects: i64, bytes: i64) -> Self {
        Self { objects, bytes }
    }
}

#[derive(Debug)]
pub(super) enum Write {
    /// A row; its revision is stamped when its number is known.
    Row(Key, Vec<u8>),
    /// An inline value, which has no revision.
    Inline(Key, Vec<u8>),
    Delete(Key),
    Count(BucketId, UsageDelta),
    Uncount(BucketId),
}

/// A transaction under construction. Later writes of the same row win.
#[derive(Debug, Default)]
pub struct Transaction {
    pub(super) expects: Vec<Expect>,
    pub(super) writes: Vec<Write>,
    pub(super) bytes: usize,
}

impl Transaction {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an expectation.
    pub fn expect(&mut self, expect: Expect) {
        self.expects.push(expect);
    }

    /// Puts a record.
    pub fn put<R: Record>(&mut self, key: Key, record: &R) {
        let row = codec::encode(record);
        self.bytes += key.bytes().len() + row.len();
        self.writes.push(Write::Row(key, row));
    }

    /// Puts a row that only exists.
    pub fn put_empty(&mut self, key: Key) {
        self.put(key, &Empty);
    }

    /// Puts an inline body.
    pub fn put_inline(&mut self, blob: BlobId, body: &Bytes) {
        let value = inline::encode(body);
        self.bytes += value.len();
        self.writes.push(Write::Inline(keys::inline(blob), value));
    }

    /// Deletes a row, whether or not it exists.
    pub fn delete(&mut self, key: Key) {
        self.writes.push(Write::Delete(key));
    }

    /// Changes a bucket's counters, or begins to count it. Never conflicts.
    pub fn count(&mut self, bucket: BucketId, delta: UsageDelta) {
        self.writes.push(Write::Count(bucket, delta));
    }

    /// Ends the counting of a bucket: it exists no longer.
    pub fn uncount(&mut self, bucket: BucketId) {
        self.writes.push(Write::Uncount(bucket));
    }
}
