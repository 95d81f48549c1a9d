//! The real disk, and what is wrong with it.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Condvar;
use parking_lot::Mutex;

use crate::sys::disk::Disk;
use crate::sys::disk::DiskFile;
use crate::sys::disk::FileLock;
use crate::sys::disk::FileStat;
use crate::sys::disk::NewFile;
use crate::sys::disk::RealDisk;
use crate::sys::disk::Space;

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    Errno(i32),
    Slow(Duration),
    /// Until it is mended.
    Hang,
    /// There is so much room, as the file system says.
    Room(u64),
}

/// When it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Opens,
    Reads,
    Creates,
    Writes,
    Syncs,
    /// All that changes something.
    Changes,
    Everything,
}

impl On {
    fn meets(self, operation: Self) -> bool {
        match self {
            Self::Everything => true,
            Self::Changes => matches!(operation, Self::Creates | Self::Writes | Self::Syncs | Self::Changes),
            on => on == operation,
        }
    }
}

/// What is wrong now, and how often each file was synced.
#[derive(Default)]
pub(super) struct Faults {
    rules: Mutex<Vec<(PathBuf, On, Fault)>>,
    mended: Condvar,
    pub(super) failed_syncs: Mutex<Vec<PathBuf>>,
}

impl Faults {
    pub(super) fn add(&self, root: &Path, on: On, fault: Fault) {
        self.rules.lock().push((root.to_owned(), on, fault));
    }

    /// Ends every fault.
    pub(super) fn mend(&self) {
        self.rules.lock().clear();
        self.mended.notify_all();
    }

    fn meet(&self, path: &Path, operation: On) -> io::Result<()> {
        let mut rules = self.rules.lock();
        loop {
            let met = rules.iter().find(|(root, on, fault)| {
                path.starts_with(root) && on.meets(operation) && !matches!(fault, Fault::Room(_))
            });
            match met.map(|(_, _, fault)| *fault) {
                None | Some(Fault::Room(_)) => return Ok(()),
                Some(Fault::Errno(errno)) => return Err(io::Error::from_raw_os_error(errno)),
                Some(Fault::Hang) => self.mended.wait(&mut rules),
                Some(Fault::Slow(by)) => {
                    drop(rules);
                    std::thread::sleep(by);
                    return Ok(());
                }
            }
        }
    }

    fn room(&self, path: &Path) -> Option<u64> {
        self.rules.lock().iter().find_map(|(root, _, fault)| match fault {
            Fault::Room(bytes) if path.starts_with(root) => Some(*bytes),
            _ => None,
        })
    }
}

/// Threads that hang are let go when the test has ended.
impl Drop for FaultyDisk {
    fn drop(&mut self) {
        self.faults.mend();
    }
}

pub(super) struct FaultyDisk {
    faults: Arc<Faults>,
}

impl FaultyDisk {
    pub(super) fn new(faults: Arc<Faults>) -> Self {
        Self { faults }
    }

    fn file(&self, path: &Path, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(FaultyFile { faults: Arc::clone(&self.faults), path: path.to_owned(), file })
    }
}

struct FaultyFile {
    faults: Arc<Faults>,
    path: PathBuf,
    file: Box<dyn DiskFile>,
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path, new: NewFile) -> io::Result<Box<dyn DiskFile>> {
        self.faults.meet(path, On::Creates)?;
        Ok(self.file(path, RealDisk.create(path, new)?))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.faults.meet(path, On::Opens)?;
        Ok(self.file(path, RealDisk.open(path)?))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.faults.meet(path, On::Changes)?;
        RealDisk.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.faults.meet(to, On::Changes)?;
        RealDisk.rename(from, to)
    }

    fn create_dirs(&self, path: &Path) -> io::Result<()> {
        self.faults.meet(path, On::Changes)?;
        RealDisk.create_dirs(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.faults.meet(path, On::Syncs)?;
        RealDisk.sync_dir(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.faults.meet(path, On::Opens)?;
        RealDisk.list(path)
    }

    fn stat(&self, path: &Path) -> io::Result<FileStat> {
        self.faults.meet(path, On::Opens)?;
        RealDisk.stat(path)
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        let space = RealDisk.space(path)?;
        let room = self.faults.room(path);
        Ok(Space { available_bytes: room.unwrap_or(space.available_bytes), ..space })
    }

    fn lock(&self, path: &Path) -> io::Result<Option<FileLock>> {
        self.faults.meet(path, On::Changes)?;
        RealDisk.lock(path)
    }
}

impl DiskFile for FaultyFile {
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<()> {
        self.faults.meet(&self.path, On::Reads)?;
        self.file.read_at(out, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.faults.meet(&self.path, On::Writes)?;
        self.file.write_at(bytes, offset)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.faults.meet(&self.path, On::Writes)?;
        self.file.set_length(length)
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn sync(&self) -> io::Result<()> {
        self.faults.meet(&self.path, On::Syncs).inspect_err(|_| {
            self.faults.failed_syncs.lock().push(self.path.clone());
        })?;
        self.file.sync()
    }

    fn is_direct(&self) -> bool {
        self.file.is_direct()
    }

    fn forget(&self, offset: u64, length: u64) {
        self.file.forget(offset, length);
    }
}
