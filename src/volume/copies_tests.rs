#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::base::DeploymentId;
use crate::base::Timestamp;
use crate::base::VolumeId;
use crate::sys::disk::SimDisk;
use crate::volume::BlockSums;
use crate::volume::Identity;
use crate::volume::Tail;

fn volume_on(disk: &SimDisk) -> Volume {
    let identity = Identity {
        volume_id: VolumeId::from_bytes([1; 16]),
        deployment_id: DeploymentId::from_bytes([2; 16]),
        created: Timestamp::from_secs(3),
    };
    Volume::format(Arc::new(disk.clone()), Path::new("/vol"), identity).unwrap()
}

fn id(shard: u8, number: u8) -> BlobId {
    let mut bytes = [number; 16];
    bytes[0] = shard;
    BlobId::from_bytes(bytes)
}

fn write(volume: &Volume, name: BlobId, id: BlobId) {
    let writer = volume.create(name, Some(3)).unwrap();
    let mut sums = BlockSums::new();
    sums.update(b"abc");
    let tail = Tail::new((id, Timestamp::from_secs(9)), 3, b"abc", sums, [7; 16], b"owner");
    writer.finish(&tail).unwrap();
}

#[test]
fn a_directory_is_listed_in_order_and_without_what_does_not_belong() {
    let disk = SimDisk::default();
    let volume = volume_on(&disk);
    for number in [9, 3, 200] {
        write(&volume, id(5, number), id(5, number));
    }
    write(&volume, id(6, 1), id(6, 1));
    assert_eq!(volume.list_shard(5).unwrap(), [id(5, 3), id(5, 9), id(5, 200)]);
    assert!(volume.list_shard(7).unwrap().is_empty());
}

#[test]
fn a_bad_copy_is_kept_out_of_the_way_and_the_new_one_takes_its_name_whatever_crashes() {
    for (operations, found) in [(1, true), (2, true), (100, true)] {
        let disk = SimDisk::default();
        let volume = volume_on(&disk);
        let (bad, twin) = (id(5, 1), id(5, 254));
        write(&volume, bad, bad);
        write(&volume, twin, bad);
        disk.fail_at(operations, 5);
        let replaced = volume.quarantine(bad).and_then(|_| volume.adopt(twin, bad));
        disk.crash();
        let copies = volume.list_shard(5).unwrap();
        match replaced {
            Ok(()) => {
                assert_eq!((copies, volume.quarantined().unwrap()), (vec![bad], 1));
                volume.open_part(bad).unwrap();
            }
            Err(_) => assert_eq!(copies.contains(&twin), found, "the good bytes are there"),
        }
    }
}

#[test]
fn the_quarantine_keeps_the_newest_within_its_bounds() {
    let disk = SimDisk::default();
    let volume = volume_on(&disk);
    assert_eq!(volume.quarantined().unwrap(), 0);
    for number in 0..crate::volume::quarantine::QUARANTINED_MAX + 5 {
        let id = id((number % 256) as u8, (number / 256) as u8);
        write(&volume, id, id);
        assert!(volume.quarantine(id).unwrap());
        assert!(!volume.quarantine(id).unwrap(), "it is gone from its place");
    }
    assert_eq!(volume.quarantined().unwrap(), crate::volume::quarantine::QUARANTINED_MAX);
}

/// Whoever wrote a copy may hold on to it long after: it is a copy from the moment at which it was made durable.
#[test]
fn a_finished_copy_is_not_being_written_and_a_claim_is_left_to_its_owner() {
    let disk = SimDisk::default();
    let volume = volume_on(&disk);
    let name = id(5, 1);
    let writer = volume.create(name, Some(3)).unwrap();
    assert!(volume.create(name, Some(3)).is_err());
    assert!(volume.is_writing(name), "the refused one has taken the claim along");
    let mut sums = BlockSums::new();
    sums.update(b"abc");
    let tail = Tail::new((name, Timestamp::from_secs(9)), 3, b"abc", sums, [7; 16], b"owner");
    writer.finish(&tail).unwrap();
    assert!(!volume.is_writing(name));
    volume.remove(name).unwrap();
    let again = volume.create(name, Some(3)).unwrap();
    drop(writer);
    assert!(volume.is_writing(name), "the claim of another was given back");
    drop(again);
    assert!(!volume.is_writing(name));
}
