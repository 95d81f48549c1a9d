//! A lock on a directory that ends with the process, however it ends.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

/// Held until it is dropped or the process ends.
pub struct FileLock(
    #[expect(dead_code, reason = "the lock is released when the file is closed")] Option<File>,
);

impl FileLock {
    /// One that holds nothing: for a disk that only this process can see.
    pub(super) const fn private() -> Self {
        Self(None)
    }
}

/// Locks the file, made when missing; `None` when somebody else holds it.
pub(super) fn lock_file(path: &Path) -> io::Result<Option<FileLock>> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(FileLock(Some(file)))),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
