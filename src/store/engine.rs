//! The seam: what the store asks of an engine for metadata and of an engine for parts.
//!
//! Today there is one pair, [`super::local`]: RocksDB and part files on this machine. Users who outgrow one machine
//! will put stateless servers before existing distributed engines; those implement these two traits. They are
//! narrow on purpose, and static: what the local pair has in memory is answered without a hop.

use std::ops::Range;

use bytes::Bytes;

use super::Error;
use super::commit::Custody;
use crate::base::BlobId;
use crate::base::BucketId;
use crate::meta::Key;
use crate::meta::ListPage;
use crate::meta::ListQuery;
use crate::meta::Stored;
use crate::meta::Transaction;
use crate::meta::records::Record;

/// How a transaction ended.
pub(super) enum Decided {
    /// Durable.
    Committed,
    /// An expectation failed and nothing changed; the custody comes back for another try.
    Conflict {
        /// Which expectation, by its number in the transaction.
        which: usize,
        /// The blobs.
        custody: Custody,
    },
}

/// An ordered map of rows with optimistic transactions.
pub(super) trait Metadata {
    /// One row.
    async fn get<R: Record>(&self, key: &Key) -> Result<Option<Stored<R>>, Error>;
    /// The body of an inline blob.
    async fn inline(&self, blob: BlobId) -> Result<Option<Bytes>, Error>;
    /// Rows whose key begins with `prefix`, after `after`, in order of key.
    async fn scan<R: Record>(
        &self,
        prefix: Key,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored<R>)>, Error>;
    /// A page of a bucket's current objects.
    async fn list(&self, bucket: BucketId, query: ListQuery) -> Result<ListPage, Error>;
    /// Commits, and decides over the blobs in `custody` whether or not the caller still listens.
    async fn commit(&self, transaction: Transaction, custody: Custody) -> Result<Decided, Error>;
    /// Number of the newest commit that reads can see.
    fn newest_commit(&self) -> u64;
}

/// Immutable runs of bytes under opaque names, each kept in several copies.
pub(super) trait Parts {
    /// Takes one blob.
    type Sink;
    /// Reads one blob.
    type Part;

    /// Begins a blob of about `length` bytes.
    async fn create(&self, blob: BlobId, length: Option<u64>) -> Result<Self::Sink, Error>;
    /// Opens a blob for verified reads; `None` when no copy exists.
    async fn open(&self, blob: BlobId) -> Result<Option<Self::Part>, Error>;
    /// Reads and verifies one range.
    async fn read(&self, part: &mut Self::Part, range: Range<u64>) -> Result<Bytes, Error>;
    /// Removes every copy.
    async fn remove(&self, blob: BlobId) -> Result<(), Error>;
}
