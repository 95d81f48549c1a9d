//! How fast a rebuild and a check are: `HOLDALL_SCALE=1000000 cargo test --test it scale -- --ignored --nocapture`.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use holdall::base::BlobId;
use holdall::base::BucketId;
use holdall::base::DeploymentId;
use holdall::base::Timestamp;
use holdall::base::VolumeId;
use holdall::config::Config;
use holdall::meta::records::BlobOwner;
use holdall::meta::records::ContentHeaders;
use holdall::server::check;
use holdall::server::check::Options;
use holdall::server::check::rebuild;
use holdall::server::check::rebuild::RebuildOptions;
use holdall::sys::disk::Disk;
use holdall::sys::disk::DiskFile;
use holdall::sys::disk::FileLock;
use holdall::sys::disk::FileStat;
use holdall::sys::disk::NewFile;
use holdall::sys::disk::RealDisk;
use holdall::sys::disk::Space;
use holdall::sys::machine::Machine;
use holdall::volume::BlockSums;
use holdall::volume::Identity;
use holdall::volume::Tail;
use holdall::volume::Volume;

use super::scene::Blind;
use crate::rig::Dice;

/// The machine's disk, without waiting for it: what is made here is thrown away.
struct Hasty;

struct HastyFile(Box<dyn DiskFile>);

impl Disk for Hasty {
    fn create(&self, path: &Path, _: NewFile) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(HastyFile(RealDisk.create(path, NewFile::default())?)))
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.open(path)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn create_dirs(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_dirs(path)
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
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
        RealDisk.lock(path)
    }
}

impl DiskFile for HastyFile {
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_at(out, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(bytes, offset)
    }
    fn set_length(&self, length: u64) -> io::Result<()> {
        self.0.set_length(length)
    }
    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
    fn forget(&self, offset: u64, length: u64) {
        self.0.forget(offset, length);
    }
    fn is_direct(&self) -> bool {
        false
    }
}

fn owner(number: u64, written: Timestamp) -> BlobOwner {
    BlobOwner {
        bucket: BucketId(7),
        bucket_name: "bucket".to_owned(),
        key: format!("some/folder/{:03}/object-{number:09}", number % 977),
        part: None,
        begun: written,
        owner: "0123456789abcdef0123456789abcdef".to_owned(),
        headers: ContentHeaders { content_type: Some("image/jpeg".to_owned()), ..ContentHeaders::default() },
        user_metadata: vec![("mtime".to_owned(), "1795617000.123".to_owned())],
        storage_class: String::new(),
        checksum: None,
    }
}

#[test]
#[ignore = "measures; takes minutes and gigabytes"]
fn a_rebuild_and_a_check_of_many_objects() {
    let count: u64 = std::env::var("HOLDALL_SCALE").map_or(100_000, |count| count.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let identity = Identity {
        volume_id: VolumeId::from_bytes([1; 16]),
        deployment_id: DeploymentId::from_bytes([9; 16]),
        created: Timestamp::from_secs(1),
    };
    let volume = Volume::format(Arc::new(Hasty), directory.path(), identity).unwrap();
    let mut dice = Dice(42);
    let timed = |what: &str, begun: Instant| {
        let seconds = begun.elapsed().as_secs_f64();
        eprintln!("{what}: {seconds:.1} s, {:.0} a second", count as f64 / seconds);
    };
    let begun = Instant::now();
    for number in 0..count {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&dice.next().to_be_bytes());
        id[8..].copy_from_slice(&dice.next().to_be_bytes());
        let (blob, written) = (BlobId::from_bytes(id), Timestamp::from_millis(1_795_617_000_000 + number));
        let payload = number.to_be_bytes();
        let mut sums = BlockSums::new();
        sums.update(&payload);
        let owner = owner(number, written).encode();
        let tail = Tail::new((blob, written), 8, &payload, sums, [number as u8; 16], &owner);
        volume.create(blob, Some(8)).unwrap().finish(&tail).unwrap();
    }
    timed("written", begun);
    let mut config = Config::defaults(&Machine::observe());
    config.storage.volumes = vec![directory.path().to_owned()];
    let begun = Instant::now();
    let rebuilt = rebuild::run(&config, RebuildOptions::default(), &Blind).unwrap_or_else(|e| panic!("{e}"));
    timed("rebuilt", begun);
    assert_eq!(rebuilt.objects, count);
    for deep in [false, true] {
        let begun = Instant::now();
        let report = check::run(&config, Options { deep, examples_max: 3 }, &Blind).unwrap();
        timed(if deep { "checked, every block" } else { "checked" }, begun);
        assert!(report.is_clean(), "{report:#?}");
    }
}
