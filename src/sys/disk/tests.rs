#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

fn write(disk: &dyn Disk, path: &Path, bytes: &[u8], sync: bool) {
    let file = disk.create(path, NewFile::default()).unwrap();
    file.write_at(bytes, 0).unwrap();
    if sync {
        file.sync().unwrap();
    }
}

#[test]
fn a_crash_forgets_what_was_not_synced() {
    let disk = SimDisk::default();
    let (kept, unsynced, unlisted) =
        (Path::new("/d/kept"), Path::new("/d/unsynced"), Path::new("/e/unlisted"));
    write(&disk, kept, b"kept", true);
    write(&disk, unsynced, b"lost", false);
    disk.sync_dir(Path::new("/d")).unwrap();
    write(&disk, unlisted, b"lost", true);
    disk.crash();
    assert_eq!(read_file(&disk, kept).unwrap(), b"kept");
    assert_eq!(read_file(&disk, unsynced).unwrap(), b"");
    assert_eq!(disk.open(unlisted).err().unwrap().kind(), io::ErrorKind::NotFound);
}

#[test]
fn replacing_a_file_leaves_the_old_or_the_new_one_wherever_it_stops() {
    for number in 1.. {
        let disk = SimDisk::default();
        let path = Path::new("/d/file");
        replace_file(&disk, path, b"old").unwrap();
        disk.fail_at(number, 5);
        let result = replace_file(&disk, path, b"new");
        let failed = disk.take_fault();
        disk.crash();
        let now = read_file(&disk, path).unwrap();
        assert!(now == b"old" || now == b"new", "after a fault in operation {number}");
        if result.is_ok() {
            assert_eq!(now, b"new");
        }
        if !failed {
            return;
        }
    }
}

#[test]
fn the_real_disk_writes_with_and_without_the_page_cache() {
    let directory = tempfile::tempdir().unwrap();
    for (name, direct) in [("buffered", false), ("direct", true)] {
        let path = directory.path().join(name);
        let file = RealDisk.create(&path, NewFile { direct, reserve_bytes: 8192 }).unwrap();
        if !file.is_direct() {
            file.write_at(b"abc", 0).unwrap();
            file.set_length(3).unwrap();
            file.sync().unwrap();
            assert_eq!(read_file(&RealDisk, &path).unwrap(), b"abc");
        }
        let again = RealDisk.create(&path, NewFile::default());
        assert_eq!(again.err().unwrap().kind(), io::ErrorKind::AlreadyExists);
    }
}
