#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
//! The first start, cut off at every operation on a disk.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use super::super::volumes;
use super::super::volumes::Opened;
use crate::config::Config;
use crate::store::Machine;
use crate::sys::clock::SystemClock;
use crate::sys::disk::Disk;
use crate::sys::disk::DiskFile;
use crate::sys::disk::FileLock;
use crate::sys::disk::FileStat;
use crate::sys::disk::NewFile;
use crate::sys::disk::RealDisk;
use crate::sys::disk::Space;
use crate::sys::entropy::SystemEntropy;
use crate::sys::machine;
use crate::sys::metrics::Metrics;

/// The machine's disk, which answers so many operations that change something and then none.
#[derive(Clone)]
struct Dying(Arc<AtomicUsize>);

struct DyingFile(Dying, Box<dyn DiskFile>);

impl Dying {
    fn pass(&self) -> io::Result<()> {
        let left = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        left.map(|_| ()).map_err(|_| io::Error::from_raw_os_error(5))
    }
}

impl Disk for Dying {
    fn create(&self, path: &Path, new: NewFile) -> io::Result<Box<dyn DiskFile>> {
        self.pass()?;
        Ok(Box::new(DyingFile(self.clone(), RealDisk.create(path, new)?)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.open(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass()?;
        RealDisk.rename(from, to)
    }

    fn create_dirs(&self, path: &Path) -> io::Result<()> {
        // Of the 256 directories for parts only some are worth a cut.
        if !path.parent().is_some_and(|above| above.ends_with("blobs")) || path.ends_with("7f") {
            self.pass()?;
        }
        RealDisk.create_dirs(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.pass()?;
        RealDisk.sync_dir(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(path)
    }

    fn stat(&self, path: &Path) -> io::Result<FileStat> {
        RealDisk.stat(path)
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        RealDisk.space(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<FileLock>> {
        self.pass()?;
        RealDisk.lock(path)
    }
}

impl DiskFile for DyingFile {
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<()> {
        self.1.read_at(out, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.pass()?;
        self.1.write_at(bytes, offset)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.1.set_length(length)
    }

    fn length(&self) -> io::Result<u64> {
        self.1.length()
    }

    fn sync(&self) -> io::Result<()> {
        self.0.pass()?;
        self.1.sync()
    }

    fn is_direct(&self) -> bool {
        self.1.is_direct()
    }

    fn forget(&self, offset: u64, length: u64) {
        self.1.forget(offset, length);
    }
}

fn open(directory: &Path, names: &[&str], operations: usize) -> Result<Opened, super::super::Error> {
    let hardware = machine::Machine { cores: 1, memory_bytes: 512 << 20 };
    let mut config = Config::defaults(&hardware);
    config.storage.volumes = names.iter().map(|name| directory.join(name)).collect();
    config.storage.strict = false;
    let machine = Machine {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        metrics: Arc::new(Metrics::new().unwrap()),
    };
    loop {
        match volumes::open(&config, Arc::new(Dying(Arc::new(AtomicUsize::new(operations)))), &machine) {
            // A process that another test starts has our locks too, until it has become what it will be.
            Err(super::super::Error::Locked(_)) => std::thread::sleep(std::time::Duration::from_millis(20)),
            opened => return opened,
        }
    }
}

const ALL: usize = usize::MAX;

/// Where files cost nothing, when the machine has such a place: hundreds of directories are made in each round.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Wherever it is cut off, the next start, in another order too, makes one deployment of all volumes; and so does the
/// one after two cuts.
#[test]
fn a_first_start_is_finished_wherever_it_was_cut_off() {
    let mut cuts = 0;
    loop {
        let directory = scratch();
        let path = directory.path();
        let cut = open(path, &["1", "2", "3"], cuts);
        let ended = cut.is_ok();
        if let Ok(opened) = cut {
            opened.hand_over().close();
        } else if cuts % 3 == 1 {
            drop(open(path, &["2", "1", "3"], cuts / 2));
        }
        let order: &[&str] = if cuts % 2 == 0 { &["1", "2", "3"] } else { &["3", "1", "2"] };
        let opened = open(path, order, ALL).unwrap_or_else(|error| panic!("cut at {cuts}: {error}"));
        assert_eq!(opened.volumes.len(), 3);
        assert!(opened.absent.is_empty());
        let revision = opened.roster.revision;
        assert!(revision >= 1, "cut at {cuts}");
        assert!(opened.volumes.iter().all(|volume| volume.deployment() == opened.roster.deployment));
        let ids: Vec<_> = opened.volumes.iter().map(|volume| volume.id()).collect();
        opened.hand_over().close();
        if ended || cuts % 8 != 0 {
            cuts += 1;
            match ended {
                true => break,
                false => continue,
            }
        }
        // From here on it is a deployment like any other.
        let opened = open(path, &["1"], ALL).unwrap_or_else(|error| panic!("cut at {cuts}: {error}"));
        assert!(!opened.is_new);
        assert!(ids.iter().all(|id| opened.volumes.iter().any(|volume| volume.id() == *id)));
        opened.hand_over().close();
        cuts += 1;
    }
    assert!(cuts > 50, "{cuts}");
}

#[test]
fn a_refused_start_writes_nothing_to_an_absent_volume() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    open(path, &["1", "2"], ALL).unwrap().hand_over().close();
    #[expect(clippy::disallowed_methods, reason = "the disk is unmounted")]
    std::fs::rename(path.join("1"), path.join("away")).unwrap();
    let names = |path: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    std::fs::create_dir(path.join("1")).unwrap();
    match open(path, &["1", "2"], ALL) {
        Ok(opened) => opened.hand_over().close(),
        Err(error) => assert!(error.to_string().contains("/1 ("), "{error}"),
    }
    assert_eq!(names(&path.join("1")), Vec::<PathBuf>::new());
}
