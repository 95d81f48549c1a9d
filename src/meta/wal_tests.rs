#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempDir;

use super::*;
use crate::base::BlobId;
use crate::meta::CommitError;
use crate::meta::Durability;
use crate::meta::Lookup;
use crate::meta::Meta;
use crate::meta::Options;
use crate::meta::ReplicaPlace;
use crate::meta::Tier;
use crate::meta::Transaction;
use crate::sys::clock::SystemClock;
use crate::sys::disk::RealDisk;
use crate::sys::metrics::Metrics;

const COMMITS: u8 = 12;

fn open(path: &Path) -> Result<Meta, Error> {
    let options = Options {
        durability: Durability::Strict,
        cache_bytes: 1 << 20,
        write_buffer_bytes: 8 << 20,
        voters: 1,
    };
    Meta::open(&[ReplicaPlace::new("one", path)], &options, Arc::new(Metrics::new().unwrap()), &SystemClock)
}

/// Sizes of a few bytes, and of several blocks.
fn commit(meta: &Meta, number: u8) -> Result<u64, CommitError> {
    let mut transaction = Transaction::new();
    let length = if number.is_multiple_of(3) { 100_000 } else { 500 };
    transaction.put_inline(BlobId::from_bytes([number; 16]), &Bytes::from(vec![number; length]));
    meta.commit(transaction)
}

/// A database as a kill leaves it: copied while it is open.
fn killed() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let (live, left) = (directory.path().join("live"), directory.path().join("left"));
    let meta = open(&live).unwrap();
    for number in 1..=COMMITS {
        commit(&meta, number).unwrap();
    }
    std::fs::create_dir(&left).unwrap();
    for entry in std::fs::read_dir(&live).unwrap() {
        let entry = entry.unwrap();
        // Where logs go that are done with.
        if entry.file_type().unwrap().is_dir() {
            continue;
        }
        std::fs::copy(entry.path(), left.join(entry.file_name())).unwrap();
    }
    (directory, left)
}

fn log(database: &Path) -> PathBuf {
    let mut logs: Vec<_> = std::fs::read_dir(database)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    logs.sort();
    logs.pop().unwrap()
}

/// Copies `database` to a place of its own, with the newest log changed.
fn with_log(database: &Path, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let copy = database.with_file_name(name);
    std::fs::create_dir(&copy).unwrap();
    for entry in std::fs::read_dir(database).unwrap() {
        let entry = entry.unwrap();
        // Where logs go that are done with.
        if entry.file_type().unwrap().is_dir() {
            continue;
        }
        std::fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    let path = log(&copy);
    let mut bytes = std::fs::read(&path).unwrap();
    change(&mut bytes);
    #[expect(clippy::disallowed_methods, reason = "damage from outside")]
    std::fs::write(path, bytes).unwrap();
    copy
}

/// The commits that are there: always the first so many, never with a gap.
fn found(meta: &Meta) -> u8 {
    let is_there = |number: u8| {
        let body = meta.get_inline(BlobId::from_bytes([number; 16]), Tier::Any).unwrap();
        matches!(body, Lookup::Found(_))
    };
    let count = (1..=COMMITS).take_while(|number| is_there(*number)).count() as u8;
    assert!((count + 1..=COMMITS).all(|number| !is_there(number)), "a gap behind commit {count}");
    count
}

/// Wherever the file ends, the database opens with the writes before that, and takes new ones.
#[test]
fn a_log_cut_anywhere_opens_with_what_is_whole() {
    let (_directory, left) = killed();
    let length = std::fs::metadata(log(&left)).unwrap().len() as usize;
    let mut last = 0;
    for (number, end) in (0..=length).step_by(length / 40).chain([length - 1, length]).enumerate() {
        let copy = with_log(&left, &format!("cut{number}"), |bytes| bytes.truncate(end));
        let meta = open(&copy).unwrap_or_else(|error| panic!("cut at {end} of {length}: {error}"));
        let count = found(&meta);
        assert!(count >= last || end == length - 1);
        last = count;
        let newest = meta.newest_commit();
        assert_eq!(commit(&meta, COMMITS + 1).unwrap(), newest + 1);
        drop(meta);
        assert_eq!(found(&open(&copy).unwrap()), count);
        std::fs::remove_dir_all(copy).unwrap();
    }
    assert_eq!(last, COMMITS);
}

/// The last write is torn as a power cut tears it: some of its pages are there and some are zeros or old bytes.
#[test]
fn a_last_write_with_holes_is_dropped_and_the_start_goes_on() {
    let (_directory, left) = killed();
    let length = std::fs::metadata(log(&left)).unwrap().len() as usize;
    for (number, (from, to)) in
        [(90_000, 100), (90_000, 60_000), (50_000, 40_000), (2_000, 0)].into_iter().enumerate()
    {
        for fill in [0, 0x5a] {
            let copy = with_log(&left, &format!("hole{number}-{fill}"), |bytes| {
                bytes[length - from..length - to].fill(fill);
            });
            let meta = open(&copy).unwrap_or_else(|error| panic!("{from} to {to}: {error}"));
            assert_eq!(found(&meta), COMMITS - 1);
        }
    }
}

/// Damage before the last write has taken acknowledged rows with it: the start stops and says where.
#[test]
fn damage_before_the_last_write_stops_the_start() {
    let (_directory, left) = killed();
    let length = std::fs::metadata(log(&left)).unwrap().len() as usize;
    let last_write = length - 101_000;
    for (number, at) in (0..last_write).step_by(last_write / 25).enumerate() {
        for (kind, damage) in [("bit", 1), ("zeros", 600)] {
            let copy = with_log(&left, &format!("{kind}{number}"), |bytes| match damage {
                1 => bytes[at] ^= 0x10,
                size => bytes[at..at + size].fill(0),
            });
            let error =
                open(&copy).err().unwrap_or_else(|| panic!("{kind} at {at} of {length} went unnoticed"));
            assert!(error.to_string().contains("acknowledged"), "{error}");
            std::fs::remove_dir_all(copy).unwrap();
        }
    }
}

#[test]
fn a_database_that_was_closed_ends_clean() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("meta");
    commit(&open(&path).unwrap(), 3).unwrap();
    assert_eq!(scan(&RealDisk, &log(&path)).unwrap().ending(), Ending::Clean);
}

/// A write of `count` rows, in one fragment.
fn write(first: u64, count: u32) -> Vec<u8> {
    let payload = [&first.to_le_bytes()[..], &count.to_le_bytes(), &[7; 50]].concat();
    let covered = [&[FULL], &payload[..]].concat();
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &covered) as u32;
    let masked = crc.rotate_right(15).wrapping_add(0xa282_ead8);
    [&masked.to_le_bytes()[..], &(payload.len() as u16).to_le_bytes(), &covered].concat()
}

/// Whether logs of these bytes, the ninth and the tenth, may be replayed.
#[expect(clippy::disallowed_methods, reason = "damage from outside")]
fn may_start(ninth: &[u8], tenth: &[u8]) -> bool {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("000009.log"), ninth).unwrap();
    // By its number it comes last, by its name first.
    std::fs::write(directory.path().join("10.log"), tenth).unwrap();
    check(&RealDisk, directory.path()).is_ok()
}

#[test]
fn the_end_of_an_older_log_is_not_dropped_in_silence() {
    let older = [write(1, 2), write(3, 1)].concat();
    let torn = &older[..older.len() - 5];
    assert!(may_start(&older, &write(4, 1)));
    assert!(!may_start(torn, &write(4, 1)), "what was torn was acknowledged before the later log began");
    assert!(may_start(torn, &write(3, 1)), "it was torn by an earlier crash, and dropped then");
    assert!(may_start(torn, &[]));
    let torn_twice = [write(3, 1), write(4, 1)].concat();
    assert!(may_start(torn, &torn_twice[..torn_twice.len() - 5]));
}

/// RocksDB may read a damaged list of files for ever.
#[test]
fn a_list_of_files_that_is_damaged_before_its_end_is_refused() {
    let (_directory, left) = killed();
    let named = std::fs::read_to_string(left.join("CURRENT")).unwrap();
    let manifest = left.join(named.trim_end());
    let whole = std::fs::read(&manifest).unwrap();
    #[expect(clippy::disallowed_methods, reason = "damage from outside")]
    let judge = |bytes: &[u8]| {
        std::fs::write(&manifest, bytes).unwrap();
        check_manifest(&RealDisk, &left)
    };
    judge(&whole).unwrap();
    // As a crash cuts the last write off.
    judge(&whole[..whole.len() - 1]).unwrap();
    for at in (0..whole.len() / 2).step_by(31) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(judge(&damaged).is_err(), "byte {at} of {}", whole.len());
    }
}
