#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::base::DeploymentId;
use crate::base::VolumeId;
use crate::sys::disk::Disk as _;
use crate::sys::disk::NewFile;
use crate::sys::disk::SimDisk;
use crate::volume::Identity;

fn volume_on(disk: &SimDisk) -> Volume {
    let identity = Identity {
        volume_id: VolumeId::from_bytes([1; 16]),
        deployment_id: DeploymentId::from_bytes([2; 16]),
        created: Timestamp::from_secs(3),
    };
    Volume::format(Arc::new(disk.clone()), Path::new("/vol"), identity).unwrap()
}

fn bad_copy(disk: &SimDisk, volume: &Volume, id: BlobId, bytes: &[u8]) {
    disk.create(&volume.path(id), NewFile::default()).unwrap().write_at(bytes, 0).unwrap();
}

#[test]
fn bad_copies_of_one_blob_do_not_replace_each_other_and_say_what_they_are() {
    let disk = SimDisk::default();
    let volume = volume_on(&disk);
    let id = BlobId::from_bytes([5; 16]);
    for bytes in [&b"one"[..], b"another", b"a third"] {
        bad_copy(&disk, &volume, id, bytes);
        assert!(volume.quarantine(id).unwrap());
        assert!(volume.open_part(id).err().unwrap().is_not_found());
    }
    assert!(!volume.quarantine(id).unwrap());
    let listed = volume.list_quarantine().unwrap();
    assert_eq!(listed.len(), 3);
    let mut lengths: Vec<_> = listed.iter().map(|file| file.length).collect();
    lengths.sort_unstable();
    assert_eq!(lengths, [3, 7, 7]);
    assert!(listed.iter().all(|file| file.blob == Some(id) && file.why.starts_with("corrupt")));
    let now = SystemClock.now();
    assert!(listed.iter().all(|file| now.since(file.at).as_secs() < 60));
}

#[test]
fn what_was_taken_out_of_the_way_stays_there_over_a_crash() {
    let disk = SimDisk::default();
    let volume = volume_on(&disk);
    let id = BlobId::from_bytes([5; 16]);
    bad_copy(&disk, &volume, id, b"bad");
    disk.sync_dir(volume.path(id).parent().unwrap()).unwrap();
    assert!(volume.quarantine(id).unwrap());
    disk.crash();
    assert!(volume.stat(id).unwrap().is_none());
    assert_eq!(volume.quarantined().unwrap(), 1);
}
