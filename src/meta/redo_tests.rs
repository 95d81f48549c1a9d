#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::Path;
use std::path::PathBuf;

use super::*;
use crate::base::Timestamp;
use crate::meta::Durability;
use crate::meta::Options;
use crate::meta::db::Setup;

const fn options(replicas: usize) -> Options {
    Options {
        durability: Durability::Relaxed,
        cache_bytes: 4 << 20,
        write_buffer_bytes: 4 << 20,
        voters: replicas,
    }
}

fn open(path: &Path, replicas: usize) -> Database {
    Database::open(path, 0, &Setup::new(&options(replicas), replicas, Timestamp::from_secs(1))).unwrap()
}

fn write(database: &Database, rows: &[(Family, &str, Option<&str>)]) {
    let mut batch = WriteBatch::new();
    for (family, key, value) in rows {
        let family = database.family(*family).unwrap();
        match value {
            Some(value) => batch.put_cf(family, key, value),
            None => batch.delete_cf(family, key),
        }
    }
    database.db.write(batch).unwrap();
}

fn read(database: &Database, family: Family, key: &str) -> Option<Vec<u8>> {
    database.db.get_cf(database.family(family).unwrap(), key).unwrap()
}

/// The logs in a directory, oldest first.
fn logs(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut logs: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
    logs.sort_unstable();
    logs
}

fn log(path: &Path) -> PathBuf {
    logs(path).remove(0)
}

fn begin(path: &Path, replicas: usize) -> Database {
    let database = open(path, replicas);
    write(&database, &[(Family::Current, "row", Some("1")), (Family::BlobRef, "reference", Some("1"))]);
    database
}

/// A log that ends with a write which one family counts as done and does not have.
fn torn(directory: &Path, replicas: usize) -> PathBuf {
    let (whole, torn) = (directory.join("whole"), directory.join("torn"));
    let database = begin(&whole, replicas);
    write(
        &database,
        &[
            (Family::Current, "row", None),
            (Family::BlobRef, "reference", None),
            (Family::Outbox, "remove", Some("1")),
        ],
    );
    drop(database);
    let database = begin(&torn, replicas);
    database.db.flush_cf(database.family(Family::Current).unwrap()).unwrap();
    drop(database);
    assert_eq!(log(&whole).file_name(), log(&torn).file_name());
    std::fs::copy(log(&whole), log(&torn)).unwrap();
    torn
}

/// Failpoints are of the whole process.
static ONE_AT_A_TIME: parking_lot::Mutex<()> = parking_lot::Mutex::new(());

fn is_whole(path: &Path, replicas: usize) {
    let database = open(path, replicas);
    assert_eq!(read(&database, Family::Outbox, "remove").as_deref(), Some(&b"1"[..]));
    assert_eq!(read(&database, Family::BlobRef, "reference"), None);
    assert_eq!(read(&database, Family::Current, "row"), None, "{replicas} replicas");
}

#[test]
fn half_a_write_is_completed() {
    let _alone = ONE_AT_A_TIME.lock();
    for replicas in [1, 3] {
        let directory = tempfile::tempdir().unwrap();
        let path = torn(directory.path(), replicas);
        for _ in 0..2 {
            is_whole(&path, replicas);
        }
    }
}

/// The log was replayed, and counts as done: the next start replays it no more. What completes the write may be torn too.
#[cfg(feature = "failpoints")]
#[test]
fn a_crash_while_a_write_is_completed_leaves_it_to_the_next_start() {
    use crate::sys::failpoint::Action;
    use crate::sys::failpoint::set;
    let _alone = ONE_AT_A_TIME.lock();
    for (replicas, step, cut) in
        [1, 3].into_iter().flat_map(|count| [(count, "before", 0), (count, "after", 0), (count, "after", 5)])
    {
        let directory = tempfile::tempdir().unwrap();
        let path = torn(directory.path(), replicas);
        let point = format!("meta::redo::{step}_write");
        set(&point, Some(Action::Error));
        for _ in 0..if step == "before" { 3 } else { 1 } {
            let options = options(replicas);
            let setup = Setup::new(&options, replicas, Timestamp::from_secs(1));
            assert!(Database::open(&path, 0, &setup).is_err(), "{step}");
        }
        set(&point, None);
        if cut > 0 {
            let newest = logs(&path).pop().unwrap();
            let log = std::fs::OpenOptions::new().write(true).open(newest).unwrap();
            log.set_len(log.metadata().unwrap().len() - cut).unwrap();
        }
        for _ in 0..2 {
            is_whole(&path, replicas);
        }
    }
}

/// What can be read of it ends with a write whose rows have changed since: nothing is done again.
#[test]
#[expect(clippy::disallowed_methods, reason = "damage from outside")]
fn a_log_that_cannot_be_read_to_its_end_or_is_gone_brings_nothing_back() {
    let _alone = ONE_AT_A_TIME.lock();
    for replicas in [1, 3] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("meta");
        let database = begin(&path, replicas);
        write(&database, &[(Family::Current, "row", Some("2"))]);
        write(&database, &[(Family::Current, "row", Some("3")), (Family::BlobRef, "reference", None)]);
        let newest = database.db.latest_sequence_number();
        drop(database);
        drop(open(&path, replicas));
        let holds = || {
            let database = open(&path, replicas);
            assert_eq!(read(&database, Family::Current, "row").as_deref(), Some(&b"3"[..]));
            assert_eq!(read(&database, Family::BlobRef, "reference"), None);
            assert_eq!(database.db.latest_sequence_number(), newest);
        };
        let archived = logs(&path.join("archive")).pop().unwrap();
        let mut bytes = std::fs::read(&archived).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&archived, bytes).unwrap();
        holds();
        std::fs::remove_dir_all(path.join("archive")).unwrap();
        holds();
    }
}

#[test]
fn a_whole_write_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("meta");
    let database = begin(&path, 3);
    let newest = database.db.latest_sequence_number();
    drop(database);
    for _ in 0..2 {
        assert_eq!(open(&path, 3).db.latest_sequence_number(), newest);
    }
}
