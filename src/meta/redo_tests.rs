#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::Path;
use std::path::PathBuf;

use super::*;
use crate::base::Timestamp;
use crate::meta::Durability;
use crate::meta::Options;
use crate::meta::db::Setup;

fn open(path: &Path, replicas: usize) -> Database {
    let options = Options {
        durability: Durability::Relaxed,
        cache_bytes: 4 << 20,
        write_buffer_bytes: 4 << 20,
        voters: replicas,
    };
    Database::open(path, 0, &Setup::new(&options, replicas, Timestamp::from_secs(1))).unwrap()
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

/// The log that was written first.
fn log(path: &Path) -> PathBuf {
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|end| end == "log")).min().unwrap()
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

#[test]
fn half_a_write_is_completed() {
    for replicas in [1, 3] {
        let directory = tempfile::tempdir().unwrap();
        let path = torn(directory.path(), replicas);
        for start in 0..2 {
            let database = open(&path, replicas);
            assert_eq!(read(&database, Family::Outbox, "remove").as_deref(), Some(&b"1"[..]));
            assert_eq!(read(&database, Family::BlobRef, "reference"), None);
            assert_eq!(read(&database, Family::Current, "row"), None, "{replicas} replicas, start {start}");
        }
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
