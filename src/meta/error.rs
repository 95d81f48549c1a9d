//! What can go wrong with metadata, with the operation and the row.

use rocksdb::ErrorKind;

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
    RocksDb(rocksdb::Error),
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
    /// Too few replicas are there.
    #[error("{0}")]
    Quorum(String),
    /// Nothing is known yet.
    #[error("the replicas are being opened")]
    Opening,
    /// The replica's disk does not answer.
    #[error("no answer")]
    Silence,
    /// The replica's volume is not where it was.
    #[error("its volume is not there")]
    Gone,
    /// The replica's history is not, or not provably, the beginning of the leader's.
    #[error("it cannot be caught up: {0}")]
    Behind(&'static str),
    /// The replica is marked.
    #[error("damage was found in it before; it is rebuilt from another replica")]
    Marked,
}

/// What an error says about the replica that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Its bytes are not what was written, or are missing: only building it anew helps.
    Damage,
    /// The disk refused or failed, which may pass.
    Io,
    /// Nothing.
    None,
}

impl Error {
    /// Whether it is worth asking again: no replica takes the lead just now, or a disk failed.
    pub fn may_pass(&self) -> bool {
        matches!(self.fault(), Fault::None | Fault::Io)
            && !matches!(self.kind, Kind::Newer(_) | Kind::RocksDb(_))
    }

    pub(super) fn new(operation: &'static str, what: impl Into<String>, kind: Kind) -> Self {
        Self { operation, what: what.into(), kind }
    }

    pub(super) fn rocksdb(operation: &'static str, what: impl Into<String>, error: &rocksdb::Error) -> Self {
        Self::new(operation, what, Kind::RocksDb(error.clone()))
    }

    pub(super) fn io(operation: &'static str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new(operation, path.display().to_string(), Kind::Io(error.to_string()))
    }

    pub(super) fn corrupt(what: impl Into<String>, why: &'static str) -> Self {
        Self::new("read", what, Kind::Corrupt(why))
    }

    /// What is wrong with the replica.
    pub(super) fn fault(&self) -> Fault {
        match &self.kind {
            Kind::RocksDb(error) => match error.kind() {
                ErrorKind::Corruption => Fault::Damage,
                ErrorKind::IOError if error.to_string().contains("No such file") => Fault::Damage,
                ErrorKind::IOError => Fault::Io,
                _ => Fault::None,
            },
            Kind::Corrupt(_) | Kind::Lost { .. } | Kind::LostEnd { .. } | Kind::Marked | Kind::Behind(_) => {
                Fault::Damage
            }
            Kind::Io(_) | Kind::Gone => Fault::Io,
            Kind::Newer(_) | Kind::Stopped(_) | Kind::Quorum(_) | Kind::Opening | Kind::Silence => {
                Fault::None
            }
        }
    }

    /// Whether damage was found now, in what the replica holds.
    pub(super) fn is_new_damage(&self) -> bool {
        self.fault() == Fault::Damage && !matches!(self.kind, Kind::Marked | Kind::Behind(_))
    }

    pub(super) fn quorum(why: String) -> Self {
        Self::new("commit", "", Kind::Quorum(why))
    }

    pub(super) fn opening() -> Self {
        Self::new("open", "", Kind::Opening)
    }

    pub(super) fn silence(what: impl Into<String>) -> Self {
        Self::new("read", what, Kind::Silence)
    }

    pub(super) fn is_silence(&self) -> bool {
        matches!(self.kind, Kind::Silence)
    }

    /// Whether it only says that too few are there, or not yet.
    pub(super) fn is_quorum(&self) -> bool {
        matches!(self.kind, Kind::Quorum(_) | Kind::Opening)
    }

    pub(super) fn gone(what: impl Into<String>) -> Self {
        Self::new("look at", what, Kind::Gone)
    }

    pub(super) fn behind(what: impl Into<String>, why: &'static str) -> Self {
        Self::new("catch up", what, Kind::Behind(why))
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
