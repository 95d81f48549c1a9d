//! A part file as a damaged disk may give it back: the bytes are arbitrary, the last four are made to fit, so that the
//! fuzzer gets past the footer's checksum.
#![no_main]

use std::path::Path;
use std::sync::Arc;

use holdall::base::BlobId;
use holdall::base::DeploymentId;
use holdall::base::Timestamp;
use holdall::base::VolumeId;
use holdall::sys::disk::Disk;
use holdall::sys::disk::NewFile;
use holdall::sys::disk::SimDisk;
use holdall::volume::FOOTER_BYTES;
use holdall::volume::Identity;
use holdall::volume::Volume;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: Vec<u8>| {
    let mut bytes = bytes;
    let Some(footer) = bytes.len().checked_sub(FOOTER_BYTES) else { return };
    let end = bytes.len() - 4;
    let crc = crc32fast::hash(&bytes[footer..end]);
    bytes[end..].copy_from_slice(&crc.to_le_bytes());

    let disk = Arc::new(SimDisk::default());
    let identity = Identity {
        volume_id: VolumeId::from_bytes([1; 16]),
        deployment_id: DeploymentId::from_bytes([2; 16]),
        created: Timestamp::default(),
    };
    let volume = Volume::format(disk.clone(), Path::new("/volume"), identity).expect("an empty disk");
    let id = BlobId::from_bytes([0; 16]);
    let path = Path::new("/volume/blobs/00").join(id.to_string());
    let file = disk.create(&path, NewFile::default()).expect("room");
    file.write_at(&bytes, 0).expect("room");

    let Ok(part) = volume.open_part(id) else { return };
    let length = part.footer().length;
    let mut out = Vec::new();
    if part.read_verified(0..length, &mut out).is_ok() {
        assert_eq!(out.len() as u64, length);
    }
    let _ = part.owner();
});
