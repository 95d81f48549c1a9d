//! What can go wrong with a volume, with the path and the operation, and what to do about it.

use std::io;
use std::path::Path;
use std::path::PathBuf;

/// A failed operation on a volume.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {}: {kind}", path.display())]
pub struct Error {
    operation: &'static str,
    path: PathBuf,
    kind: Kind,
}

/// What was wrong.
#[derive(Debug, thiserror::Error)]
pub enum Kind {
    /// There is no such part file: look on the next volume.
    #[error("there is no such part file")]
    NotFound,
    /// The bytes are not what was written: use another copy and replace this one.
    #[error("corrupt: {0}")]
    Corrupt(&'static str),
    /// Written by a later release.
    #[error("format {0} is newer than this release knows")]
    Newer(u16),
    /// The reserve has been reached: no new parts here for now.
    #[error("no room above the reserve")]
    NoSpace,
    /// The file system takes no writes any more; what is there can be read.
    #[error("the file system is read-only")]
    ReadOnly,
    /// The directory holds something that is not ours.
    #[error("the directory is neither empty nor a volume")]
    Foreign,
    /// There is no identity file: a disk that is not mounted, or never was a volume.
    #[error("there is no identity file; is the disk mounted?")]
    Missing,
    /// The process may open no more files. That says nothing about the disk, nor about the copy.
    #[error("too many files are open")]
    TooManyFiles,
    /// The disk failed.
    #[error(transparent)]
    Io(io::Error),
}

/// Raised by the kernel when a file system is full, or a quota is.
const ENOSPC: i32 = 28;
const EDQUOT: i32 = 122;
/// Raised when the process, or the machine, may open no more files.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;
/// Raised when a file system is mounted read-only, or has made itself so after an error.
const EROFS: i32 = 30;

impl Error {
    pub(super) fn new(operation: &'static str, path: &Path, kind: Kind) -> Self {
        Self { operation, path: path.to_owned(), kind }
    }

    pub(super) fn io(operation: &'static str, path: &Path, error: io::Error) -> Self {
        let kind = match error.raw_os_error() {
            Some(ENOSPC | EDQUOT) => Kind::NoSpace,
            Some(EROFS) => Kind::ReadOnly,
            Some(EMFILE | ENFILE) => Kind::TooManyFiles,
            _ if error.kind() == io::ErrorKind::NotFound => Kind::NotFound,
            _ if error.kind() == io::ErrorKind::UnexpectedEof => Kind::Corrupt("the file is too short"),
            _ => Kind::Io(error),
        };
        Self::new(operation, path, kind)
    }

    /// What was wrong.
    pub const fn kind(&self) -> &Kind {
        &self.kind
    }

    /// There is no copy here.
    pub const fn is_not_found(&self) -> bool {
        matches!(self.kind, Kind::NotFound)
    }

    /// The volume is full.
    pub const fn is_no_space(&self) -> bool {
        matches!(self.kind, Kind::NoSpace)
    }
}
