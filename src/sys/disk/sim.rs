//! A disk in memory that forgets, at a crash, what was not synced, and fails on command.
//!
//! Bytes and directory entries are durable apart: a synced file whose directory was not synced is gone after a
//! crash, as POSIX allows. Faults are counted over all operations, so a test can fail the first, the second, the
//! third, … until the workload ends clean.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Disk;
use super::DiskFile;
use super::FileStat;
use super::NewFile;
use super::Space;
use crate::base::Timestamp;

/// A simulated disk; clones share it.
#[derive(Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Names as the running system sees them.
    entries: BTreeMap<PathBuf, usize>,
    /// Names that survive a crash.
    durable_entries: BTreeMap<PathBuf, usize>,
    files: Vec<Content>,
    operations: usize,
    fail_at: Option<(usize, i32)>,
    available_bytes: Option<u64>,
}

#[derive(Default, Clone)]
struct Content {
    bytes: Vec<u8>,
    durable: Vec<u8>,
}

struct SimFile {
    disk: SimDisk,
    number: usize,
}

impl SimDisk {
    /// The power goes: only what was synced is left.
    pub fn crash(&self) {
        let mut state = self.state.lock();
        state.entries = state.durable_entries.clone();
        for content in &mut state.files {
            content.bytes = content.durable.clone();
        }
        state.fail_at = None;
    }

    /// The `number`th operation from now (1 is the next) fails with this `errno`.
    pub fn fail_at(&self, number: usize, errno: i32) {
        let mut state = self.state.lock();
        state.fail_at = Some((state.operations + number, errno));
    }

    /// Whether the fault that was set has happened; clears it.
    pub fn take_fault(&self) -> bool {
        let mut state = self.state.lock();
        let pending = state.fail_at.take();
        pending.is_none_or(|(at, _)| at <= state.operations)
    }

    /// Reports this much room from now on.
    pub fn set_available(&self, bytes: u64) {
        self.state.lock().available_bytes = Some(bytes);
    }

    /// Changes bytes below the file system, without an error: rot.
    pub fn corrupt(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state.lock();
        if let Some(number) = state.entries.get(path).copied() {
            change(&mut state.files[number].bytes);
            state.files[number].durable = state.files[number].bytes.clone();
        }
    }

    /// The files there are.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state.lock().entries.keys().cloned().collect()
    }

    fn operate<T>(&self, work: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state.lock();
        state.operations += 1;
        if let Some((at, errno)) = state.fail_at
            && at == state.operations
        {
            return Err(io::Error::from_raw_os_error(errno));
        }
        work(&mut state)
    }

    fn file(&self, number: usize) -> Box<dyn DiskFile> {
        Box::new(SimFile { disk: self.clone(), number })
    }
}

fn not_found() -> io::Error {
    io::Error::from_raw_os_error(2)
}

impl Disk for SimDisk {
    fn create(&self, path: &Path, _new: NewFile) -> io::Result<Box<dyn DiskFile>> {
        let number = self.operate(|state| {
            if state.entries.contains_key(path) {
                return Err(io::Error::from_raw_os_error(17));
            }
            state.files.push(Content::default());
            let number = state.files.len() - 1;
            state.entries.insert(path.to_owned(), number);
            Ok(number)
        })?;
        Ok(self.file(number))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let number = self.operate(|state| state.entries.get(path).copied().ok_or_else(not_found))?;
        Ok(self.file(number))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.operate(|state| state.entries.remove(path).map(|_| ()).ok_or_else(not_found))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operate(|state| {
            let number = state.entries.remove(from).ok_or_else(not_found)?;
            state.entries.insert(to.to_owned(), number);
            Ok(())
        })
    }

    fn create_dirs(&self, _path: &Path) -> io::Result<()> {
        self.operate(|_| Ok(()))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.operate(|state| {
            let inside = |entry: &Path| entry.parent() == Some(path);
            state.durable_entries.retain(|entry, _| !inside(entry));
            let synced: Vec<_> = state
                .entries
                .iter()
                .filter(|(entry, _)| inside(entry))
                .map(|(e, n)| (e.clone(), *n))
                .collect();
            state.durable_entries.extend(synced);
            Ok(())
        })
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.operate(|state| {
            let inside = state.entries.keys().filter(|entry| entry.parent() == Some(path));
            Ok(inside.filter_map(|entry| Some(entry.file_name()?.to_str()?.to_owned())).collect())
        })
    }

    fn stat(&self, path: &Path) -> io::Result<FileStat> {
        self.operate(|state| {
            let number = state.entries.get(path).copied().ok_or_else(not_found)?;
            Ok(FileStat { length: state.files[number].bytes.len() as u64, modified: Timestamp::default() })
        })
    }

    fn space(&self, _path: &Path) -> io::Result<Space> {
        self.operate(|state| {
            let total_bytes = 1 << 40;
            Ok(Space { total_bytes, available_bytes: state.available_bytes.unwrap_or(total_bytes) })
        })
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.operate(|state| {
            let bytes = &state.files[self.number].bytes;
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let found = bytes.get(start..).and_then(|rest| rest.get(..out.len()));
            out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.operate(|state| {
            let content = &mut state.files[self.number].bytes;
            let end = offset as usize + bytes.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            content[offset as usize..end].copy_from_slice(bytes);
            Ok(())
        })
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.disk.operate(|state| {
            state.files[self.number].bytes.resize(length as usize, 0);
            Ok(())
        })
    }

    fn length(&self) -> io::Result<u64> {
        self.disk.operate(|state| Ok(state.files[self.number].bytes.len() as u64))
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.operate(|state| {
            let content = &mut state.files[self.number];
            content.durable = content.bytes.clone();
            Ok(())
        })
    }

    fn is_direct(&self) -> bool {
        false
    }

    fn forget(&self, _offset: u64, _length: u64) {}
}
