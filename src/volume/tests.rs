#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::base::Timestamp;
use crate::sys::disk::SimDisk;

const ROOT: &str = "/vol";

fn id(number: u8) -> BlobId {
    BlobId::from_bytes([number; 16])
}

fn identity() -> Identity {
    Identity {
        volume_id: VolumeId::from_bytes([1; 16]),
        deployment_id: DeploymentId::from_bytes([2; 16]),
        created: Timestamp::from_secs(3),
    }
}

fn volume_on(disk: &SimDisk) -> Volume {
    Volume::format(Arc::new(disk.clone()), Path::new(ROOT), identity()).unwrap()
}

fn payload(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 31 + i / 251) as u8).collect()
}

/// Writes a part as the store does: full buffers, then the tail.
fn write(volume: &Volume, id: BlobId, payload: &[u8]) -> Result<(), Error> {
    let writer = volume.create(id, Some(payload.len() as u64))?;
    let pool = BufferPool::new(2);
    let mut sums = BlockSums::new();
    sums.update(payload);
    let full = payload.len() / BUFFER_BYTES * BUFFER_BYTES;
    for (number, chunk) in payload[..full].chunks(BUFFER_BYTES).enumerate() {
        let mut buffer = pool.take();
        assert_eq!(buffer.fill_from(chunk), BUFFER_BYTES);
        writer.write_at(&buffer, (number * BUFFER_BYTES) as u64)?;
    }
    let tail = Tail::new(
        (id, Timestamp::from_secs(9)),
        payload.len() as u64,
        &payload[full..],
        sums,
        [7; 16],
        b"owner",
    );
    writer.finish(&tail)
}

fn read(volume: &Volume, id: BlobId, range: Range<u64>) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    volume.open_part(id)?.read_verified(range, &mut out)?;
    Ok(out)
}

use std::ops::Range;

const LENGTHS: [usize; 9] = [
    0,
    1,
    BLOCK_BYTES - 1,
    BLOCK_BYTES,
    BLOCK_BYTES + 1,
    BUFFER_BYTES - 1,
    BUFFER_BYTES,
    BUFFER_BYTES + 1,
    2 * BUFFER_BYTES + 12_345,
];

#[test]
fn parts_of_every_odd_length_come_back_in_any_range() {
    let volume = volume_on(&SimDisk::default());
    for (number, length) in LENGTHS.into_iter().enumerate() {
        let (id, payload) = (id(number as u8), payload(length));
        write(&volume, id, &payload).unwrap();
        let reader = volume.open_part(id).unwrap();
        assert_eq!(reader.footer().length, length as u64);
        assert_eq!(reader.owner().unwrap(), b"owner");
        for (start, end) in [(0, length), (length / 2, length), (length / 3, length / 2), (length, length)] {
            assert_eq!(read(&volume, id, start as u64..end as u64).unwrap(), payload[start..end], "{length}");
        }
        assert!(read(&volume, id, 0..length as u64 + 1).is_err());
    }
}

#[test]
fn on_a_real_disk_too_with_direct_io_where_it_can() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Arc::new(crate::sys::disk::RealDisk);
    let volume = Volume::format(disk.clone(), &directory.path().join("v"), identity()).unwrap();
    for (number, length) in LENGTHS.into_iter().chain([3 << 20]).enumerate() {
        let (id, payload) = (id(number as u8), payload(length));
        write(&volume, id, &payload).unwrap();
        assert_eq!(read(&volume, id, 0..length as u64).unwrap(), payload);
    }
    let reopened = Volume::open(disk, volume.root()).unwrap();
    assert_eq!(reopened.id(), identity().volume_id);
    assert_eq!(reopened.list(None, 100).unwrap().len(), LENGTHS.len() + 1);
    assert_eq!(reopened.list(Some(id(3)), 2).unwrap(), [id(4), id(5)]);
}

/// Stops the write at every operation, by a fault and then a crash: the part is whole or it is not there.
#[test]
fn a_part_is_whole_or_not_there_wherever_the_write_stops() {
    let payload = payload(BUFFER_BYTES + 70_000);
    for errno in [5, 28] {
        for number in 1.. {
            let disk = SimDisk::default();
            let volume = volume_on(&disk);
            disk.fail_at(number, errno);
            let result = write(&volume, id(1), &payload);
            let failed = disk.take_fault();
            disk.crash();
            let found = read(&volume, id(1), 0..payload.len() as u64);
            match (&result, &found) {
                (Ok(()), found) => {
                    assert_eq!(found.as_deref().ok(), Some(&payload[..]), "acknowledged, operation {number}")
                }
                (Err(_), Ok(bytes)) => assert_eq!(*bytes, payload),
                (Err(_), Err(_)) => {}
            }
            assert!(volume.writing().is_empty());
            if !failed {
                assert!(result.is_ok());
                break;
            }
        }
    }
}

/// Every byte of a small part file, each with one bit changed: no wrong byte is ever served.
#[test]
fn no_flipped_bit_is_served() {
    let disk = SimDisk::default();
    let volume = volume_on(&disk);
    let payload = payload(700);
    write(&volume, id(1), &payload).unwrap();
    let path = volume.path(id(1));
    let length = volume.stat(id(1)).unwrap().unwrap().length as usize;
    for at in 0..length {
        disk.corrupt(&path, |bytes| bytes[at] ^= 1 << (at % 8));
        let result = volume.open_part(id(1)).and_then(|reader| {
            let mut out = Vec::new();
            reader.read_verified(0..700, &mut out)?;
            reader.owner()?;
            Ok(out)
        });
        assert!(result.is_err(), "a flip at byte {at} of {length} went unnoticed");
        disk.corrupt(&path, |bytes| bytes[at] ^= 1 << (at % 8));
    }
    assert_eq!(read(&volume, id(1), 0..700).unwrap(), payload);
}

#[test]
fn truncated_empty_and_swapped_files_are_recognised() {
    let disk = SimDisk::default();
    let volume = volume_on(&disk);
    write(&volume, id(1), &payload(5000)).unwrap();
    write(&volume, id(2), &payload(5000)).unwrap();
    for keep in [0, 1, 79, 80, 4999] {
        disk.corrupt(&volume.path(id(1)), |bytes| bytes.truncate(keep));
        assert!(
            matches!(volume.open_part(id(1)).err().unwrap().kind(), Kind::Corrupt(_)),
            "{keep} bytes left"
        );
    }
    disk.rename(&volume.path(id(2)), &volume.path(id(1))).unwrap();
    assert!(matches!(
        volume.open_part(id(1)).err().unwrap().kind(),
        Kind::Corrupt("the footer names another blob")
    ));
    assert!(volume.open_part(id(2)).err().unwrap().is_not_found());
}

#[test]
fn a_missing_mount_and_a_foreign_directory_are_never_written_to() {
    let disk = SimDisk::default();
    let missing = Volume::open(Arc::new(disk.clone()), Path::new("/nothing"));
    assert!(matches!(missing.err().unwrap().kind(), Kind::Missing));
    disk.create_dirs(Path::new("/home")).unwrap();
    disk.create(Path::new("/home/letter.txt"), NewFile::default()).unwrap();
    let foreign = Volume::format(Arc::new(disk.clone()), Path::new("/home"), identity());
    assert!(matches!(foreign.err().unwrap().kind(), Kind::Foreign));
    assert_eq!(disk.paths(), [Path::new("/home/letter.txt")]);
}

#[test]
fn below_the_reserve_new_parts_are_refused_and_old_ones_served_and_removed() {
    let disk = SimDisk::default();
    let volume = volume_on(&disk);
    write(&volume, id(1), &payload(100)).unwrap();
    disk.set_available(1 << 29);
    assert!(volume.create(id(2), Some(1)).err().unwrap().is_no_space());
    assert_eq!(read(&volume, id(1), 0..100).unwrap(), payload(100));
    assert!(volume.remove(id(1)).unwrap());
    assert!(!volume.remove(id(1)).unwrap());
    disk.set_available(1 << 40);
    write(&volume, id(2), &payload(100)).unwrap();
}

/// A body of unknown length must not eat the reserve while it grows.
#[test]
fn a_growing_part_stops_at_the_reserve() {
    let disk = SimDisk::default();
    let volume = volume_on(&disk);
    let writer = volume.create(id(1), None).unwrap();
    let mut buffer = AlignedBuffer::with_capacity(BUFFER_BYTES);
    buffer.fill_from(&payload(BUFFER_BYTES));
    writer.write_at(&buffer, 0).unwrap();
    disk.set_available(1 << 29);
    assert!(writer.write_at(&buffer, BUFFER_BYTES as u64).unwrap_err().is_no_space());
    drop(writer);
    assert!(volume.stat(id(1)).unwrap().is_none());
}

#[test]
fn running_out_of_files_is_no_fault_of_a_disk_or_a_copy() {
    for errno in [23, 24] {
        let error = Error::io("open", Path::new("part"), std::io::Error::from_raw_os_error(errno));
        assert!(matches!(error.kind(), Kind::TooManyFiles), "{error}");
    }
}
