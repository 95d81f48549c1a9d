//! The disk: the seam between part files and the machine.
//!
//! [`RealDisk`] is the file system; [`SimDisk`] keeps everything in memory, forgets at a crash what was not synced,
//! and fails on command. RocksDB does its own file I/O and is not behind this seam: its durability is tested by
//! killing processes.

mod content;
mod lock;
mod private;
mod real;
mod sim;
mod tree;

use std::io;
use std::path::Path;

use crate::base::Timestamp;

pub use lock::FileLock;
pub use private::create_private_file;
pub use private::read_private_file;
pub use real::RealDisk;
pub use sim::Lasts;
pub use sim::SimDisk;
pub use tree::remove_tree;

/// Alignment that direct I/O asks of addresses, offsets and lengths on every common disk.
pub const ALIGNMENT: usize = 4096;

/// How a new file will be written.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewFile {
    /// Bypass the page cache where the file system can; offsets and lengths are then multiples of [`ALIGNMENT`].
    pub direct: bool,
    /// Reserve this many bytes.
    pub reserve_bytes: u64,
}

/// What is known about a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStat {
    /// Length in bytes.
    pub length: u64,
    /// When it was last written.
    pub modified: Timestamp,
}

/// Room on a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Size in bytes.
    pub total_bytes: u64,
    /// What may still be written, in bytes.
    pub available_bytes: u64,
}

/// A file system.
pub trait Disk: Send + Sync {
    /// Creates a file that must not exist, for writing.
    fn create(&self, path: &Path, new: NewFile) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Unlinks a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Renames a file over any that has the name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes a directory and those above it; existing ones are fine.
    fn create_dirs(&self, path: &Path) -> io::Result<()>;
    /// Makes the entries of a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// The names in a directory, unordered.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Length and age of a file.
    fn stat(&self, path: &Path) -> io::Result<FileStat>;
    /// Room on the file system that holds `path`.
    fn space(&self, path: &Path) -> io::Result<Space>;
    /// Locks a file, made when missing, until the lock is dropped; `None` when somebody else holds it.
    fn lock(&self, path: &Path) -> io::Result<Option<FileLock>>;
}

/// An open file. Reads and writes are positional, so threads share it.
pub trait DiskFile: Send + Sync {
    /// Fills `out` from `offset`; fails with `UnexpectedEof` when the file is shorter.
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<()>;
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Cuts or extends the file.
    fn set_length(&self, length: u64) -> io::Result<()>;
    /// Length in bytes.
    fn length(&self) -> io::Result<u64>;
    /// Makes the bytes durable. After an error nothing is known about them and the call is not repeated.
    fn sync(&self) -> io::Result<()>;
    /// Whether writes bypass the page cache.
    fn is_direct(&self) -> bool;
    /// Tells the system that these bytes will not be read again soon, so that it keeps others in memory.
    fn forget(&self, offset: u64, length: u64);
}

/// Writes a small file so that a crash leaves the old one or the new one: temporary, sync, rename, directory sync.
pub fn replace_file(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    match disk.remove(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = disk.create(&temporary, NewFile::default())?;
    file.write_at(bytes, 0)?;
    file.sync()?;
    disk.rename(&temporary, path)?;
    disk.sync_dir(path.parent().unwrap_or_else(|| Path::new(".")))
}

/// Reads a small file whole.
pub fn read_file(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let file = disk.open(path)?;
    let mut bytes = vec![0; file.length()? as usize];
    file.read_at(&mut bytes, 0)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
