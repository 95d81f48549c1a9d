//! A disk in memory that forgets, at a power cut, what was not synced, and fails on command.
//!
//! Bytes and directory entries are durable apart: a synced file whose directory was not synced is gone after a
//! crash, as POSIX allows. Directories themselves are durable at once. Faults are counted over all operations, so a
//! test can fail the first, the second, the third, … until the workload ends clean; several volumes share one disk
//! under roots of their own, which can be broken, hung or lost one by one.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Condvar;
use parking_lot::Mutex;

use super::Disk;
use super::DiskFile;
use super::FileLock;
use super::FileStat;
use super::NewFile;
use super::Space;
use super::content::Content;
use crate::base::Timestamp;

const ENOENT: i32 = 2;
const EIO: i32 = 5;
const EEXIST: i32 = 17;
const ENOSPC: i32 = 28;

/// How long a fault lasts that [`SimDisk::inject`] has set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    /// One operation.
    Once,
    /// That operation and every one after it under the same root, until [`SimDisk::mend`].
    There,
    /// That operation and every one after it anywhere, until [`SimDisk::mend`]: a power cut about to happen.
    Everywhere,
}

/// A simulated disk; clones share it.
#[derive(Clone, Default)]
pub struct SimDisk {
    shared: Arc<Shared>,
    /// Which boot this handle belongs to; those of earlier ones are refused.
    boot: u64,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Rung when a hung root may go on.
    released: Condvar,
}

type File = Arc<Mutex<Content>>;

#[derive(Default)]
struct Directory {
    /// Names as the running system sees them.
    entries: BTreeMap<OsString, File>,
    /// Names that survive a crash.
    durable: BTreeMap<OsString, File>,
    directories: BTreeSet<OsString>,
}

#[derive(Default)]
struct State {
    boot: u64,
    directories: HashMap<PathBuf, Directory>,
    operations: usize,
    fault: Option<Fault>,
    /// Roots under which everything fails, and how.
    broken: BTreeMap<PathBuf, i32>,
    /// Roots under which nothing ends.
    hung: BTreeSet<PathBuf>,
    available_bytes: Option<u64>,
}

struct Fault {
    at: usize,
    /// Operations counted so far of those that can fail this way.
    seen: usize,
    errno: i32,
    lasts: Lasts,
    /// The root that the operation went to, once it has happened.
    root: Option<PathBuf>,
}

/// Whether an operation takes room, so that a full disk can refuse it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    Room,
}

struct SimFile {
    disk: SimDisk,
    path: PathBuf,
    content: File,
}

impl SimDisk {
    /// The power goes: only what was synced is left.
    pub fn crash(&self) {
        self.shared.state.lock().forget(&mut |_| 0);
    }

    /// The power goes and comes back. Of everything that was not synced, each change by itself reached the disk whole, in
    /// part or not at all: `choose` is asked for a number below a bound, and 0 means not at all. Returns the disk as the
    /// next boot sees it; handles and files from before are refused from now on.
    pub fn reboot(&self, choose: &mut dyn FnMut(usize) -> usize) -> Self {
        let mut state = self.shared.state.lock();
        state.forget(choose);
        state.hung.clear();
        state.boot += 1;
        self.shared.released.notify_all();
        Self { shared: Arc::clone(&self.shared), boot: state.boot }
    }

    /// The `number`th operation from now (1 is the next) fails with this `errno`.
    pub fn fail_at(&self, number: usize, errno: i32) {
        self.inject(number, errno, Lasts::Once);
    }

    /// The `number`th operation from now (1 is the next) fails with this `errno`, and so do others behind it. `ENOSPC`
    /// counts and meets only operations that take room.
    pub fn inject(&self, number: usize, errno: i32, lasts: Lasts) {
        let fault = Fault { at: number, seen: 0, errno, lasts, root: None };
        self.shared.state.lock().fault = Some(fault);
    }

    /// Whether a fault was set and has happened.
    pub fn has_failed(&self) -> bool {
        self.shared.state.lock().fault.as_ref().is_some_and(|fault| fault.root.is_some())
    }

    /// The same; clears it.
    pub fn take_fault(&self) -> bool {
        let fault = self.shared.state.lock().fault.take();
        fault.is_some_and(|fault| fault.root.is_some())
    }

    /// Everything under `root` fails with this `errno` from now on.
    pub fn break_root(&self, root: &Path, errno: i32) {
        self.shared.state.lock().broken.insert(root.to_owned(), errno);
    }

    /// Nothing under `root` ends any more.
    pub fn hang_root(&self, root: &Path) {
        self.shared.state.lock().hung.insert(root.to_owned());
    }

    /// Ends every fault; what hung goes on.
    pub fn mend(&self) {
        let mut state = self.shared.state.lock();
        state.fault = None;
        state.broken.clear();
        state.hung.clear();
        self.shared.released.notify_all();
    }

    /// Everything under `root` is gone: an empty directory is left, as when a mount is missing.
    pub fn lose_root(&self, root: &Path) {
        let mut state = self.shared.state.lock();
        state.directories.retain(|path, _| path == root || !path.starts_with(root));
        if let Some(directory) = state.directories.get_mut(root) {
            *directory = Directory::default();
        }
    }

    /// Operations so far.
    pub fn operations(&self) -> usize {
        self.shared.state.lock().operations
    }

    /// Reports this much room from now on.
    pub fn set_available(&self, bytes: u64) {
        self.shared.state.lock().available_bytes = Some(bytes);
    }

    /// Changes bytes below the file system, without an error: rot.
    pub fn corrupt(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let state = self.shared.state.lock();
        if let Ok(file) = state.file(path) {
            file.lock().rot(change);
        }
    }

    /// The files there are, in order.
    pub fn paths(&self) -> Vec<PathBuf> {
        let state = self.shared.state.lock();
        let inside = |(path, directory): (&PathBuf, &Directory)| {
            directory.entries.keys().map(|name| path.join(name)).collect::<Vec<_>>()
        };
        let mut paths: Vec<PathBuf> = state.directories.iter().flat_map(inside).collect();
        paths.sort();
        paths
    }

    /// The bytes of a file, past every fault.
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.shared.state.lock();
        state.file(path).map(|file| file.lock().bytes().to_vec()).ok()
    }

    fn operate<T>(
        &self,
        path: &Path,
        needs: Needs,
        work: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.shared.state.lock();
        while state.boot == self.boot && state.hung.iter().any(|root| path.starts_with(root)) {
            self.shared.released.wait(&mut state);
        }
        if state.boot != self.boot {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        match state.refuses(path, needs) {
            Some(errno) => Err(io::Error::from_raw_os_error(errno)),
            None => work(&mut state),
        }
    }

    fn file(&self, path: &Path, content: File) -> Box<dyn DiskFile> {
        Box::new(SimFile { disk: self.clone(), path: path.to_owned(), content })
    }
}

impl State {
    /// Counts an operation; whether and how it fails.
    fn refuses(&mut self, path: &Path, needs: Needs) -> Option<i32> {
        self.operations += 1;
        let fits = |errno: i32| errno != ENOSPC || needs == Needs::Room;
        let broken = self.broken.iter().find(|(root, errno)| path.starts_with(root) && fits(**errno));
        if let Some((_, errno)) = broken {
            return Some(*errno);
        }
        let fault = self.fault.as_mut().filter(|fault| fits(fault.errno))?;
        fault.seen += 1;
        let fails = match (&fault.root, fault.lasts) {
            (None, _) => fault.seen == fault.at,
            (Some(_), Lasts::Once) => false,
            (Some(root), Lasts::There) => path.starts_with(root),
            (Some(_), Lasts::Everywhere) => true,
        };
        if fails && fault.root.is_none() {
            fault.root = Some(root_of(path));
        }
        fails.then_some(fault.errno)
    }

    /// What was not synced is gone, but for what `choose` lets through.
    fn forget(&mut self, choose: &mut dyn FnMut(usize) -> usize) {
        let used = |directory: &Directory| !(directory.entries.is_empty() && directory.durable.is_empty());
        let used = self.directories.iter().filter(|(_, directory)| used(directory));
        let mut paths: Vec<PathBuf> = used.map(|(path, _)| path.clone()).collect();
        // Chosen in the same order every time.
        paths.sort();
        for path in paths {
            if let Some(directory) = self.directories.get_mut(&path) {
                directory.forget(choose);
            }
        }
        self.fault = None;
    }

    fn directory(&mut self, path: &Path) -> io::Result<&mut Directory> {
        self.directories.get_mut(path).ok_or_else(not_found)
    }

    /// The directory that a file is in, and its name there.
    fn place(&mut self, path: &Path) -> io::Result<(&mut Directory, OsString)> {
        let (parent, name) = path.parent().zip(path.file_name()).ok_or_else(not_found)?;
        Ok((self.directory(parent)?, name.to_owned()))
    }

    fn file(&self, path: &Path) -> io::Result<&File> {
        let (parent, name) = path.parent().zip(path.file_name()).ok_or_else(not_found)?;
        let directory = self.directories.get(parent).ok_or_else(not_found)?;
        directory.entries.get(name).ok_or_else(not_found)
    }
}

impl Directory {
    fn forget(&mut self, choose: &mut dyn FnMut(usize) -> usize) {
        let names: BTreeSet<OsString> = self.entries.keys().chain(self.durable.keys()).cloned().collect();
        for name in names {
            let (seen, durable) = (self.entries.get(&name), self.durable.get(&name));
            let same = matches!((seen, durable), (Some(seen), Some(durable)) if Arc::ptr_eq(seen, durable));
            if !same && choose(2) == 1 {
                match seen.cloned() {
                    Some(file) => self.durable.insert(name, file),
                    None => self.durable.remove(&name),
                };
            }
        }
        self.entries = self.durable.clone();
        self.entries.values().for_each(|file| file.lock().forget(choose));
    }
}

/// The first directory of a path.
fn root_of(path: &Path) -> PathBuf {
    let is_name = |component: &Component<'_>| matches!(component, Component::Normal(_));
    let names = path.components().filter(is_name).count();
    path.components().take(path.components().count() - names.saturating_sub(1)).collect()
}

fn not_found() -> io::Error {
    io::Error::from_raw_os_error(ENOENT)
}

impl Disk for SimDisk {
    fn create(&self, path: &Path, _new: NewFile) -> io::Result<Box<dyn DiskFile>> {
        let content = self.operate(path, Needs::Room, |state| {
            let (directory, name) = state.place(path)?;
            if directory.entries.contains_key(&name) {
                return Err(io::Error::from_raw_os_error(EEXIST));
            }
            let content = File::default();
            directory.entries.insert(name, Arc::clone(&content));
            Ok(content)
        })?;
        Ok(self.file(path, content))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let content = self.operate(path, Needs::Nothing, |state| state.file(path).cloned())?;
        Ok(self.file(path, content))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.operate(path, Needs::Nothing, |state| {
            let (directory, name) = state.place(path)?;
            directory.entries.remove(&name).map(drop).ok_or_else(not_found)
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operate(to, Needs::Room, |state| {
            state.place(to)?;
            let (directory, name) = state.place(from)?;
            let file = directory.entries.remove(&name).ok_or_else(not_found)?;
            let (directory, name) = state.place(to)?;
            directory.entries.insert(name, file);
            Ok(())
        })
    }

    fn create_dirs(&self, path: &Path) -> io::Result<()> {
        self.operate(path, Needs::Room, |state| {
            for path in path.ancestors() {
                state.directories.entry(path.to_owned()).or_default();
                if let Some((parent, name)) = path.parent().zip(path.file_name()) {
                    let above = state.directories.entry(parent.to_owned()).or_default();
                    above.directories.insert(name.to_owned());
                }
            }
            Ok(())
        })
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.operate(path, Needs::Room, |state| {
            let directory = state.directory(path)?;
            directory.durable.clone_from(&directory.entries);
            Ok(())
        })
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.operate(path, Needs::Nothing, |state| {
            let directory = state.directory(path)?;
            let names = directory.entries.keys().chain(&directory.directories);
            Ok(names.filter_map(|name| Some(name.to_str()?.to_owned())).collect())
        })
    }

    fn stat(&self, path: &Path) -> io::Result<FileStat> {
        self.operate(path, Needs::Nothing, |state| {
            let length = state.file(path)?.lock().bytes().len() as u64;
            Ok(FileStat { length, modified: Timestamp::default() })
        })
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        self.operate(path, Needs::Nothing, |state| {
            let total_bytes = 1 << 40;
            Ok(Space { total_bytes, available_bytes: state.available_bytes.unwrap_or(total_bytes) })
        })
    }

    fn lock(&self, path: &Path) -> io::Result<Option<FileLock>> {
        self.operate(path, Needs::Room, |_| Ok(Some(FileLock::private())))
    }
}

impl SimFile {
    fn operate<T>(&self, needs: Needs, work: impl FnOnce(&mut Content) -> io::Result<T>) -> io::Result<T> {
        self.disk.operate(&self.path, needs, |_| work(&mut self.content.lock()))
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<()> {
        self.operate(Needs::Nothing, |content| content.read_at(out, offset))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.operate(Needs::Room, |content| {
            content.write_at(bytes, offset);
            Ok(())
        })
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.operate(Needs::Room, |content| {
            content.set_length(length);
            Ok(())
        })
    }

    fn length(&self) -> io::Result<u64> {
        self.operate(Needs::Nothing, |content| Ok(content.bytes().len() as u64))
    }

    fn sync(&self) -> io::Result<()> {
        self.operate(Needs::Room, |content| {
            content.sync();
            Ok(())
        })
    }

    fn is_direct(&self) -> bool {
        false
    }

    fn forget(&self, _offset: u64, _length: u64) {}
}
