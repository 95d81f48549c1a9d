#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::sys::disk::SimDisk;

const ROOT: &str = "/vol";

fn roster(revision: u64) -> Roster {
    let volume = |number: u8| VolumeId::from_bytes([number; 16]);
    let mut first = Member::new(volume(1), "/mnt/disk one".into(), 1 << 40, Timestamp::from_secs(7));
    first.metadata = true;
    let mut second = Member::new(volume(2), "/mnt/ü\"2".into(), 1 << 41, Timestamp::from_secs(8));
    (second.state, second.place) = (VolumeState::Draining, volume(3));
    let mut third = Member::new(volume(3), "/mnt/3".into(), 1 << 39, Timestamp::from_secs(9));
    third.state = VolumeState::Removed;
    let members = vec![first, second, third];
    Roster { revision, ..Roster::forming(DeploymentId::from_bytes([9; 16]), members) }
}

#[test]
fn what_is_written_is_read() {
    let disk = SimDisk::default();
    disk.create_dirs(Path::new(ROOT)).unwrap();
    assert_eq!(Roster::read(&disk, Path::new(ROOT)).unwrap(), None);
    for revision in [0, 1, u64::MAX] {
        roster(revision).write(&disk, Path::new(ROOT)).unwrap();
        assert_eq!(Roster::read(&disk, Path::new(ROOT)).unwrap(), Some(roster(revision)));
    }
    let roster = roster(3);
    assert_eq!((roster.belonging().count(), roster.voters().count(), roster.majority()), (2, 1, 2));
}

/// Stops the write at every operation, by a fault and then a crash: the old roster is there or the new one.
#[test]
fn a_write_that_is_cut_off_leaves_the_old_one_or_the_new_one() {
    for number in 1.. {
        let disk = SimDisk::default();
        disk.create_dirs(Path::new(ROOT)).unwrap();
        roster(1).write(&disk, Path::new(ROOT)).unwrap();
        disk.fail_at(number, 5);
        let written = roster(2).write(&disk, Path::new(ROOT));
        let happened = disk.take_fault();
        let running = Roster::read(&disk, Path::new(ROOT)).unwrap().unwrap();
        disk.crash();
        let found = Roster::read(&disk, Path::new(ROOT)).unwrap().unwrap();
        assert!([1, 2].contains(&running.revision) && running == roster(running.revision));
        assert_eq!(found, roster(found.revision), "operation {number}");
        match written {
            Ok(()) => assert_eq!(found.revision, 2),
            Err(_) => assert!([1, 2].contains(&found.revision)),
        }
        // And it can be written over what the cut left.
        roster(3).write(&disk, Path::new(ROOT)).unwrap();
        assert_eq!(Roster::read(&disk, Path::new(ROOT)).unwrap(), Some(roster(3)));
        if !happened {
            return;
        }
    }
}

#[test]
fn a_changed_byte_is_noticed_and_a_newer_format_refused() {
    let disk = SimDisk::default();
    disk.create_dirs(Path::new(ROOT)).unwrap();
    roster(5).write(&disk, Path::new(ROOT)).unwrap();
    let path = Path::new(ROOT).join(NAME);
    let text = String::from_utf8(read_file(&disk, &path).unwrap()).unwrap();
    for at in (0..text.len()).step_by(7) {
        disk.corrupt(&path, |bytes| bytes[at] ^= 4);
        // Spaces do not count; everything else must be refused.
        match Roster::read(&disk, Path::new(ROOT)) {
            Ok(read) => assert_eq!(read, Some(roster(5)), "byte {at}"),
            Err(error) => assert!(matches!(error.kind(), Kind::Corrupt(_) | Kind::Newer(_)), "{error}"),
        }
        disk.corrupt(&path, |bytes| bytes[at] ^= 4);
    }
    disk.corrupt(&path, |bytes| *bytes = b"{\"format\": 2, \"other\": []}".to_vec());
    let newer = Roster::read(&disk, Path::new(ROOT)).unwrap_err();
    assert!(matches!(newer.kind(), Kind::Newer(2)), "{newer}");
}
