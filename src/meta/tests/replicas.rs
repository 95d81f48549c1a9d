use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;

use super::*;
use crate::base::BlobId;

/// Three places in a directory.
pub(super) struct Places {
    _directory: TempDir,
    pub(super) places: Vec<ReplicaPlace>,
}

impl Places {
    pub(super) fn new(prefix: &str, count: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = |number| {
            let path = directory.path().join(format!("disk{number}/meta"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            ReplicaPlace::new(format!("{prefix}{number}"), path)
        };
        let places = (0..count).map(place).collect();
        Self { _directory: directory, places }
    }

    pub(super) fn path(&self, which: usize) -> &Path {
        &self.places[which].path
    }

    /// Opens those of these numbers, of all.
    pub(super) fn open_some(&self, which: &[usize]) -> Result<Meta, Error> {
        let places: Vec<_> = which.iter().map(|which| self.places[*which].clone()).collect();
        let options = Options { durability: Durability::Strict, voters: self.places.len(), ..options() };
        Meta::open(&places, &options, Arc::new(Metrics::new().unwrap()), &SystemClock)
    }

    pub(super) fn open(&self) -> Meta {
        let all: Vec<_> = (0..self.places.len()).collect();
        self.open_some(&all).unwrap()
    }

    pub(super) fn role(&self, meta: &Meta, which: usize) -> Role {
        let name = &self.places[which].name;
        meta.replicas().into_iter().find(|status| status.name == *name).unwrap().role
    }
}

pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until every replica is up with the leader, and all hold the same.
pub(super) fn wait_for_all(meta: &Meta, count: usize) {
    let up = |status: &ReplicaStatus| matches!(status.role, Role::Leader | Role::Follower);
    wait_for("all follow", || {
        let replicas = meta.replicas();
        replicas.len() == count
            && replicas.iter().all(|status| up(status) && status.commit == meta.newest_commit())
            && replicas.iter().filter(|status| status.role == Role::Leader).count() == 1
    });
    let standings: Vec<_> =
        meta.set.replicas().iter().map(|replica| replica.database().unwrap().standing().unwrap()).collect();
    assert!(standings.iter().all(|one| one.commit == standings[0].commit && one.epoch == standings[0].epoch));
}

/// A row, and a body in a blob file.
pub(super) fn write(meta: &Meta, numbers: std::ops::Range<u16>) -> Result<u64, CommitError> {
    let mut last = 0;
    for number in numbers {
        let mut transaction = put(&format!("k{number}"), u64::from(number));
        transaction.put_inline(blob(number), &body(number));
        transaction.count(BUCKET, UsageDelta::new(1, i64::from(number)));
        last = meta.commit(transaction)?;
    }
    Ok(last)
}

fn blob(number: u16) -> BlobId {
    let mut id = [7; 16];
    id[..2].copy_from_slice(&number.to_be_bytes());
    BlobId::from_bytes(id)
}

fn body(number: u16) -> Bytes {
    Bytes::from(vec![number as u8; 3000])
}

pub(super) fn check(meta: &Meta, numbers: std::ops::Range<u16>) {
    for number in numbers.clone() {
        let row = meta.get::<Object>(&keys::current(BUCKET, &format!("k{number}")), Tier::Any).unwrap();
        assert_eq!(row.into_option().map(|row| row.record.head.size), Some(u64::from(number)), "{number}");
        assert_eq!(meta.get_inline(blob(number), Tier::Any).unwrap(), Lookup::Found(body(number)));
    }
    let count = numbers.len() as i64;
    assert_eq!(meta.usage(BUCKET).unwrap().objects, count);
}

pub(super) fn flush(meta: &Meta) {
    for replica in meta.set.replicas() {
        let database = replica.database().unwrap();
        for family in Family::ALL {
            database.db.flush_cf(database.family(*family).unwrap()).unwrap();
        }
    }
}

fn list(directory: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn all_replicas_get_the_same_commits() {
    let places = Places::new("same", 3);
    for round in 0..3_u16 {
        let meta = places.open();
        assert!(!meta.has_stopped());
        write(&meta, 20 * round..20 * (round + 1)).unwrap();
        wait_for_all(&meta, 3);
        check(&meta, 0..20 * (round + 1));
    }
}

/// Any replica may be lost between two starts: it is built from the others, and files are where they belong.
#[test]
fn a_lost_replica_is_rebuilt_while_serving() {
    for lost in 0..3 {
        let places = Places::new("lost", 3);
        let meta = places.open();
        write(&meta, 0..50).unwrap();
        wait_for_all(&meta, 3);
        flush(&meta);
        drop(meta);
        std::fs::remove_dir_all(places.path(lost)).unwrap();
        let meta = places.open();
        write(&meta, 50..60).unwrap();
        check(&meta, 0..60);
        wait_for_all(&meta, 3);
        drop(meta);
        assert_eq!(list(places.path(lost).parent().unwrap()), [places.path(lost)]);
        // It stands for itself: with it, another one may be missing.
        let meta = places.open_some(&[lost, (lost + 1) % 3]).unwrap();
        check(&meta, 0..60);
        write(&meta, 60..61).unwrap();
    }
}

#[test]
fn quorums_are_kept() {
    let places = Places::new("quorum", 3);
    assert!(places.open_some(&[0, 1]).is_err(), "one that is not there may have been in use");
    drop(places.open());
    write(&places.open(), 0..5).unwrap();
    let refused = places.open_some(&[2]).err().unwrap().to_string();
    assert!(refused.contains("1 of 3 metadata replicas are sound, a start needs 2"), "{refused}");
    std::fs::remove_dir_all(places.path(1)).unwrap();
    let refused = places.open_some(&[1, 2]).err().unwrap().to_string();
    assert!(refused.contains("disk1/meta is empty"), "{refused}");
    let meta = places.open_some(&[0, 2]).unwrap();
    write(&meta, 5..6).unwrap();
    check(&meta, 0..6);
}

/// Of two voters one is enough to read, and both are needed to commit.
#[test]
fn one_of_two_serves_reads_and_refuses_commits() {
    let places = Places::new("pair", 2);
    write(&places.open(), 0..5).unwrap();
    let meta = places.open_some(&[1]).unwrap();
    check(&meta, 0..5);
    assert!(meta.has_stopped());
    let refused = write(&meta, 5..6).unwrap_err().to_string();
    assert!(refused.contains("1 of 2 metadata replicas are there, a commit needs 2"), "{refused}");
    meta.attach(places.places[0].clone(), true).unwrap();
    wait_for("both are there", || !meta.has_stopped());
    write(&meta, 5..6).unwrap();
    wait_for_all(&meta, 2);
}

/// One that missed commits gets them from the leader's log, even behind a flush.
#[test]
fn a_short_replica_catches_up_from_the_log() {
    let places = Places::new("short", 3);
    write(&places.open(), 0..10).unwrap();
    let meta = places.open_some(&[0, 1]).unwrap();
    write(&meta, 10..40).unwrap();
    flush(&meta);
    write(&meta, 40..50).unwrap();
    drop(meta);
    let kept = list(places.path(2));
    let meta = places.open();
    wait_for_all(&meta, 3);
    check(&meta, 0..50);
    // Caught up, not copied: the first table file is the one it had.
    let table = kept.iter().find(|path| path.extension().is_some_and(|extension| extension == "log"));
    assert!(table.is_some());
    drop(meta);
    let meta = places.open_some(&[1, 2]).unwrap();
    check(&meta, 0..50);
}

/// A commit that only a minority had, and that was never acknowledged, loses against what came after it.
#[test]
fn a_minority_commit_loses() {
    let places = Places::new("minority", 3);
    write(&places.open(), 0..10).unwrap();
    // As a crash leaves it: disk 0 alone got more commits, under the same epoch.
    {
        let setup =
            Setup::new(&Options { durability: Durability::Strict, ..options() }, 3, Timestamp::from_secs(1));
        let database = Database::open(places.path(0), 0, &setup).unwrap();
        let mut last = database.last_commit().unwrap();
        for _ in 0..20 {
            last.number += 1;
            let row = codec::encode(&last);
            let key = keys::system("commit");
            database.db.put_cf(database.family(key.family()).unwrap(), key.bytes(), row).unwrap();
        }
    }
    let meta = places.open_some(&[1, 2]).unwrap();
    write(&meta, 10..12).unwrap();
    let newest = meta.newest_commit();
    drop(meta);
    let meta = places.open();
    assert_eq!(meta.newest_commit(), newest + 1);
    check(&meta, 0..12);
    wait_for_all(&meta, 3);
}

#[test]
fn learners_become_voters_and_leave() {
    let places = Places::new("learner", 3);
    let options = |voters| Options { durability: Durability::Strict, voters, ..options() };
    let metrics = || Arc::new(Metrics::new().unwrap());
    let meta = Meta::open(&places.places[..1], &options(1), metrics(), &SystemClock).unwrap();
    write(&meta, 0..30).unwrap();
    meta.attach(places.places[1].clone(), false).unwrap();
    wait_for_all(&meta, 2);
    write(&meta, 30..35).unwrap();
    meta.attach(places.places[1].clone(), false).unwrap();
    assert!(meta.attach(ReplicaPlace::new("learner1", places.path(2)), false).is_err());
    assert!(!meta.replicas().into_iter().find(|one| one.name == "learner1").unwrap().voter);
    meta.promote("learner1").unwrap();
    meta.attach(places.places[2].clone(), false).unwrap();
    wait_for_all(&meta, 3);
    meta.promote("learner2").unwrap();
    write(&meta, 35..40).unwrap();
    assert!(meta.replicas().iter().all(|one| one.voter));
    meta.detach("learner0").unwrap();
    write(&meta, 40..45).unwrap();
    check(&meta, 0..45);
    wait_for_all(&meta, 2);
    drop(meta);
    let meta = Meta::open(&places.places[1..], &options(2), metrics(), &SystemClock).unwrap();
    check(&meta, 0..45);
    meta.detach("learner2").unwrap();
    write(&meta, 45..50).unwrap();
    assert!(meta.detach("learner1").is_err(), "the last one stays");
    drop(meta);
    let meta = Meta::open(&places.places[1..2], &options(1), metrics(), &SystemClock).unwrap();
    check(&meta, 0..50);
}
