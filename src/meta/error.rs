//! What can go wrong with metadata, with the operation and the row.

/// A failed read, or the reason why nothing can be committed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("metadata {operation} {what}: {kind}")]
pub struct Error {
    operation: &'static str,
    what: String,
    kind: Kind,
}

/// What was wrong.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Kind {
    /// RocksDB said so.
    #[error("{0}")]
    RocksDb(String),
    /// The disk said so.
    #[error("{0}")]
    Io(String),
    /// The bytes are not what was written.
    #[error("corrupt: {0}")]
    Corrupt(&'static str),
    /// Writes that were acknowledged are missing from a log.
    #[error(
        "acknowledged rows are damaged at byte {at}: another write begins behind it, at byte {next}. Restore this file \
         from a good copy of the disk; starting without it would lose what was acknowledged"
    )]
    Lost {
        /// Where.
        at: u64,
        /// Where the next write begins.
        next: u64,
    },
    /// The end of an older log is missing.
    #[error(
        "acknowledged rows are damaged at byte {at}, the end of this log: a later log does not begin where it stops. \
         Restore this file from a good copy of the disk; starting without it would lose what was acknowledged"
    )]
    LostEnd {
        /// Where.
        at: u64,
    },
    /// Written by a later release.
    #[error("format {0} is newer than this release knows; start the release that wrote it")]
    Newer(u16),
    /// A write failed before, so nothing more is acknowledged.
    #[error("stopped: {0}")]
    Stopped(String),
}

impl Error {
    pub(super) fn new(operation: &'static str, what: impl Into<String>, kind: Kind) -> Self {
        Self { operation, what: what.into(), kind }
    }

    pub(super) fn rocksdb(operation: &'static str, what: impl Into<String>, error: &rocksdb::Error) -> Self {
        Self::new(operation, what, Kind::RocksDb(error.to_string()))
    }

    pub(super) fn io(operation: &'static str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new(operation, path.display().to_string(), Kind::Io(error.to_string()))
    }

    pub(super) fn corrupt(what: impl Into<String>, why: &'static str) -> Self {
        Self::new("read", what, Kind::Corrupt(why))
    }

    pub(super) fn stopped(why: impl Into<String>) -> Self {
        Self::new("commit", "", Kind::Stopped(why.into()))
    }
}

/// Why a transaction was not committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// An expectation did not hold; nothing was changed.
    #[error("expectation {which} does not hold")]
    Conflict {
        /// Its number in the transaction.
        which: usize,
    },
    /// The queue is full; nothing was changed.
    #[error("too many commits are waiting")]
    Overloaded,
    /// The write failed, or an earlier one did. Whether this one is durable is not known.
    #[error(transparent)]
    Unavailable(Error),
}
