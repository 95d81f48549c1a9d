#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

fn write(disk: &dyn Disk, path: &Path, bytes: &[u8], sync: bool) {
    let file = disk.create(path, NewFile::default()).unwrap();
    file.write_at(bytes, 0).unwrap();
    if sync {
        file.sync().unwrap();
    }
}

fn with_directories() -> SimDisk {
    let disk = SimDisk::default();
    disk.create_dirs(Path::new("/d")).unwrap();
    disk.create_dirs(Path::new("/e")).unwrap();
    disk
}

#[test]
fn a_crash_forgets_what_was_not_synced() {
    let disk = with_directories();
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
        let disk = with_directories();
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

/// Of what was not synced anything may have reached the disk: each outcome is seen, and no other.
#[test]
fn a_reboot_keeps_any_part_of_what_was_not_synced() {
    let path = Path::new("/d/file");
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..64usize {
        let disk = with_directories();
        write(&disk, path, &[7; 1024], false);
        let mut asked = 0;
        let after = disk.reboot(&mut |bound| {
            asked += 1;
            (number >> (2 * (asked - 1))) % bound
        });
        assert_eq!(read_file(&disk, path).unwrap_err().raw_os_error(), Some(5), "a handle from before");
        seen.insert(read_file(&after, path).ok());
    }
    let torn = [vec![7; 512], vec![]].concat();
    let expected = [None, Some(vec![]), Some(torn), Some(vec![0; 1024]), Some(vec![7; 1024])];
    assert_eq!(seen, expected.into_iter().collect());
}

#[test]
fn faults_last_as_long_and_reach_as_far_as_they_were_told() {
    let disk = with_directories();
    let (here, there) = (Path::new("/d/file"), Path::new("/e/file"));
    let failures = |lasts| {
        disk.inject(2, 5, lasts);
        let paths = [here, here, here, there, here];
        let failed = paths.map(|path| disk.stat(path).unwrap_err().raw_os_error() == Some(5));
        disk.mend();
        failed
    };
    assert_eq!(failures(Lasts::Once), [false, true, false, false, false]);
    assert_eq!(failures(Lasts::There), [false, true, true, false, true]);
    assert_eq!(failures(Lasts::Everywhere), [false, true, true, true, true]);
    disk.inject(1, 28, Lasts::Everywhere);
    assert_eq!(disk.stat(here).unwrap_err().raw_os_error(), Some(2), "a full disk still answers");
    assert_eq!(disk.create(here, NewFile::default()).err().unwrap().raw_os_error(), Some(28));
    disk.mend();
    write(&disk, here, b"x", true);
    disk.lose_root(Path::new("/d"));
    assert!(disk.paths().is_empty() && disk.list(Path::new("/d")).unwrap().is_empty());
}

#[test]
fn what_hangs_ends_when_it_is_mended() {
    let disk = with_directories();
    disk.hang_root(Path::new("/d"));
    let waiting = std::thread::spawn({
        let disk = disk.clone();
        move || disk.stat(Path::new("/d/file")).unwrap_err().raw_os_error()
    });
    assert_eq!(disk.stat(Path::new("/e/file")).unwrap_err().raw_os_error(), Some(2));
    assert!(!waiting.is_finished());
    disk.mend();
    assert_eq!(waiting.join().unwrap(), Some(2));
}

/// A secret is not left beside the file that has its name already.
#[test]
fn a_private_file_that_exists_stays_and_leaves_nothing_beside() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret.toml");
    create_private_file(&path, b"first").unwrap();
    let refused = create_private_file(&path, b"second").unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(read_private_file(&path).unwrap().as_deref(), Some("first"));
    assert_eq!(RealDisk.list(directory.path()).unwrap().len(), 1);
}
