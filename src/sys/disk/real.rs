//! The file system of the machine.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::num::NonZero;
use std::os::unix::fs::FileExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

use rustix::fs::Advice;
use rustix::fs::FallocateFlags;
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::Disk;
use super::DiskFile;
use super::FileLock;
use super::FileStat;
use super::NewFile;
use super::Space;
use super::lock::lock_file;
use crate::base::Timestamp;

/// Files through the kernel.
pub struct RealDisk;

struct RealFile {
    file: File,
    direct: bool,
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that calls the file system")]
impl RealDisk {
    /// Creates with direct I/O; `None` when this file system has none (tmpfs and some network file systems).
    fn create_direct(path: &Path) -> io::Result<Option<File>> {
        let flags = i32::try_from(OFlags::DIRECT.bits()).unwrap_or(0);
        match OpenOptions::new().write(true).create_new(true).custom_flags(flags).open(path) {
            Ok(file) => Ok(Some(file)),
            // The kernel may have made the entry before it found that direct I/O is not to be had.
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
                let _ = std::fs::remove_file(path);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that calls the file system")]
impl Disk for RealDisk {
    fn create(&self, path: &Path, new: NewFile) -> io::Result<Box<dyn DiskFile>> {
        let direct = if new.direct { Self::create_direct(path)? } else { None };
        let is_direct = direct.is_some();
        let file = match direct {
            Some(file) => file,
            None => OpenOptions::new().write(true).create_new(true).mode(0o640).open(path)?,
        };
        if new.reserve_bytes > 0 {
            match rustix::fs::fallocate(&file, FallocateFlags::KEEP_SIZE, 0, new.reserve_bytes) {
                // Without preallocation the file just grows.
                Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
                Err(error) => {
                    let _ = std::fs::remove_file(path);
                    return Err(error.into());
                }
            }
        }
        Ok(Box::new(RealFile { file, direct: is_direct }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(RealFile { file: File::open(path)?, direct: false }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn create_dirs(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(path)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn stat(&self, path: &Path) -> io::Result<FileStat> {
        let metadata = std::fs::metadata(path)?;
        let modified =
            metadata.modified()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        Ok(FileStat { length: metadata.len(), modified: Timestamp::from_millis(modified) })
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        let stat = rustix::fs::statvfs(path)?;
        Ok(Space {
            total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
            available_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
        })
    }

    fn lock(&self, path: &Path) -> io::Result<Option<FileLock>> {
        lock_file(path)
    }
}

impl DiskFile for RealFile {
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn is_direct(&self) -> bool {
        self.direct
    }

    fn forget(&self, offset: u64, length: u64) {
        if let Some(length) = NonZero::new(length) {
            // Advice: a file system that takes none just keeps what it likes.
            let _ = rustix::fs::fadvise(&self.file, offset, Some(length), Advice::DontNeed);
        }
    }
}
