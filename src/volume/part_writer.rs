//! The durable write of a part file, rung by rung:
//!
//! 1. the file is created under its final name - nothing refers to the random id yet, so no rename is needed
//! 2. payload is written, full buffers in any order
//! 3. the tail is written: rest, block table, owner, footer
//! 4. the file is cut to its exact length and synced
//! 5. its directory is synced
//!
//! A crash before 5 leaves nothing or an orphan; before 3 the orphan has no valid footer. A failed sync is not
//! repeated: the kernel may have dropped the pages, so the file is given up.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use super::AlignedBuffer;
use super::Error;
use super::Kind;
use super::Tail;
use super::Writing;
use super::space;
use crate::base::BlobId;
use crate::sys::disk::Disk;
use crate::sys::disk::DiskFile;
use crate::sys::failpoint::failpoint;

/// One copy of a blob being written. Threads share it for [`PartWriter::write_at`]; dropped unfinished, it unlinks
/// its file.
pub struct PartWriter {
    disk: Arc<dyn Disk>,
    file: Box<dyn DiskFile>,
    id: BlobId,
    path: PathBuf,
    writing: Writing,
    /// Nothing was reserved for it: each write looks at the room there is.
    grows: bool,
    finished: AtomicBool,
    /// Whether the id is ours still in `writing`.
    claimed: AtomicBool,
}

impl PartWriter {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        file: Box<dyn DiskFile>,
        id: BlobId,
        path: PathBuf,
        (writing, grows): (Writing, bool),
    ) -> Self {
        let (finished, claimed) = (AtomicBool::new(false), AtomicBool::new(true));
        Self { disk, file, id, path, writing, grows, finished, claimed }
    }

    /// Writes a full buffer of payload at `offset`.
    ///
    /// # Errors
    /// The disk failed, or a body of unknown length has reached the reserve.
    pub fn write_at(&self, buffer: &AlignedBuffer, offset: u64) -> Result<(), Error> {
        if self.grows {
            let space = self.disk.space(&self.path).map_err(|error| self.failed("statvfs", error))?;
            if !space::has_room(space, buffer.bytes().len() as u64) {
                return Err(Error::new("write", &self.path, Kind::NoSpace));
            }
        }
        failpoint!("volume::part::before_write", error).map_err(|error| self.failed("write", error))?;
        self.file.write_at(buffer.bytes(), offset).map_err(|error| self.failed("write", error))
    }

    /// Writes the tail and makes the part durable. Called once, after every `write_at` has returned.
    pub fn finish(&self, tail: &Tail) -> Result<(), Error> {
        failpoint!("volume::part::before_tail");
        let bytes = if self.file.is_direct() { tail.buffer.padded() } else { tail.buffer.bytes() };
        self.file.write_at(bytes, tail.offset).map_err(|error| self.failed("write", error))?;
        if self.file.is_direct() {
            self.file.set_length(tail.file_bytes).map_err(|error| self.failed("truncate", error))?;
        }
        failpoint!("volume::part::before_sync", error).map_err(|error| self.failed("sync", error))?;
        self.file.sync().map_err(|error| self.failed("sync", error))?;
        failpoint!("volume::part::before_dir_sync");
        let directory = self.path.parent().unwrap_or_else(|| Path::new("."));
        self.disk.sync_dir(directory).map_err(|error| Error::io("sync", directory, error))?;
        failpoint!("volume::part::after_dir_sync");
        self.finished.store(true, Ordering::Release);
        // Whoever looks from here on sees a copy, although this may be dropped much later.
        self.give_back();
        Ok(())
    }

    /// Leaves the file to the sweep, whatever it is: nobody can wait for this disk.
    pub fn leave(&self) {
        self.finished.store(true, Ordering::Release);
    }

    /// It is not being written any more.
    fn give_back(&self) {
        if self.claimed.swap(false, Ordering::AcqRel) {
            self.writing.lock().remove(&self.id);
        }
    }

    fn failed(&self, operation: &'static str, error: std::io::Error) -> Error {
        Error::io(operation, &self.path, error)
    }
}

impl Drop for PartWriter {
    fn drop(&mut self) {
        if !self.finished.load(Ordering::Acquire)
            && let Err(error) = self.disk.remove(&self.path)
        {
            tracing::debug!(path = %self.path.display(), %error, "an abandoned part is left to the sweep");
        }
        self.give_back();
    }
}
