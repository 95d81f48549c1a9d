//! Bits flipped in every kind of file.

use std::path::Path;
use std::path::PathBuf;

use super::replicas::Places;
use super::replicas::check;
use super::replicas::flush;
use super::replicas::wait_for;
use super::replicas::wait_for_all;
use super::replicas::write;
use super::*;

/// Files of a replica whose names are of this kind, largest first.
fn files(replica: &Path, kind: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(replica)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().contains(kind))
        .collect();
    files.sort_by_key(|path| std::cmp::Reverse(path.metadata().unwrap().len()));
    files
}

/// Flips bits in the largest file of a kind, without giving it another inode: RocksDB has it open.
#[expect(clippy::disallowed_methods, reason = "damage from outside")]
fn flip(replica: &Path, kind: &str) {
    let path = files(replica, kind).first().unwrap_or_else(|| panic!("no {kind}")).clone();
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    let span = middle.min(40);
    bytes[middle..middle + span].iter_mut().for_each(|byte| *byte ^= 0x21);
    std::fs::write(path, bytes).unwrap();
}

const KINDS: [&str; 6] = [".sst", ".blob", ".log", "MANIFEST", "CURRENT", "OPTIONS"];

/// Whatever is damaged in one replica while the server is down: the next start serves all rows, and heals.
#[test]
fn one_damaged_replica_is_healed_after_the_start() {
    for kind in KINDS {
        let places = Places::new("down", 3);
        let meta = places.open();
        write(&meta, 0..40).unwrap();
        wait_for_all(&meta, 3);
        flush(&meta);
        write(&meta, 40..60).unwrap();
        drop(meta);
        flip(places.path(0), kind);
        let meta = places.open();
        check(&meta, 0..60);
        write(&meta, 60..65).unwrap();
        wait_for_all(&meta, 3);
        meta.verify("down0", &|_| {}).unwrap();
        wait_for_all(&meta, 3);
        let verified = meta.verify("down0", &|_| {}).unwrap();
        assert_eq!((verified.damage, verified.log_damage), (vec![], vec![]), "{kind}");
        check(&meta, 0..65);
    }
}

/// The scrub finds damage under a running server, on the leader and on a follower.
#[test]
fn the_scrub_finds_damage_in_every_kind_of_file() {
    for (which, kinds) in [(0, &KINDS[..5]), (1, &KINDS[..1])] {
        for kind in kinds {
            let places = Places::new("scrub", 3);
            let meta = places.open();
            write(&meta, 0..40).unwrap();
            wait_for_all(&meta, 3);
            flush(&meta);
            write(&meta, 40..60).unwrap();
            wait_for_all(&meta, 3);
            let name = format!("scrub{which}");
            let paced = std::cell::Cell::new(0);
            let clean = meta.verify(&name, &|bytes| paced.set(paced.get() + bytes)).unwrap();
            assert_eq!((clean.damage, clean.log_damage), (vec![], vec![]), "{kind}");
            // Bodies alone have 180,000 bytes.
            assert!(clean.bytes > 150_000, "{}", clean.bytes);
            // The first scrub has flushed the log.
            write(&meta, 60..80).unwrap();
            flip(places.path(which), kind);
            let found = meta.verify(&name, &|_| {}).unwrap();
            match *kind {
                ".log" => assert!(found.log_damage.len() == 1 && found.damage.is_empty(), "{found:?}"),
                _ => assert!(!found.damage.is_empty() && found.log_damage.is_empty(), "{kind} {found:?}"),
            }
            let verify = || meta.verify(&name, &|_| {}).is_ok_and(|found| found.damage.is_empty());
            wait_for("it is sound again", verify);
            wait_for_all(&meta, 3);
            write(&meta, 80..82).unwrap();
            check(&meta, 0..82);
            drop(meta);
            let meta = places.open();
            check(&meta, 0..82);
        }
    }
}

/// A read that meets damage is answered by another replica, which leads from then on.
#[test]
fn a_damaged_leader_is_replaced_by_the_first_read() {
    let places = Places::new("read", 3);
    let meta = places.open();
    write(&meta, 0..60).unwrap();
    wait_for_all(&meta, 3);
    flush(&meta);
    drop(meta);
    flip(places.path(0), ".blob");
    let meta = places.open();
    check(&meta, 0..60);
    wait_for("another leads", || places.role(&meta, 0) != Role::Leader);
    wait_for_all(&meta, 3);
    assert!(meta.verify("read0", &|_| {}).unwrap().damage.is_empty());
}

/// Nobody can heal the only replica, but nobody hides it either.
#[test]
fn damage_in_the_only_replica_is_reported() {
    let places = Places::new("alone", 1);
    let meta = places.open();
    write(&meta, 0..60).unwrap();
    flush(&meta);
    flip(places.path(0), ".blob");
    assert!(!meta.verify("alone0", &|_| {}).unwrap().damage.is_empty());
    write(&meta, 60..61).unwrap();
    assert!(!meta.verify("alone0", &|_| {}).unwrap().damage.is_empty());
    assert_eq!(places.role(&meta, 0), Role::Leader);
}

/// What is written into files that were removed is lost: that is noticed, and the replica made anew.
#[test]
fn a_directory_removed_under_a_running_server_is_rebuilt() {
    for lost in [0, 2] {
        let places = Places::new("gone", 3);
        let meta = places.open();
        write(&meta, 0..20).unwrap();
        wait_for_all(&meta, 3);
        std::fs::remove_dir_all(places.path(lost)).unwrap();
        let mut number = 20;
        wait_for("it is there again", || {
            write(&meta, number..number + 1).unwrap();
            number += 1;
            places.path(lost).join("holdall-promise").exists()
        });
        wait_for_all(&meta, 3);
        check(&meta, 0..number);
        drop(meta);
        let meta = places.open_some(&[lost, 1]).unwrap();
        check(&meta, 0..number);
    }
}

/// An empty database must never take the place of the only one.
#[test]
fn the_only_directory_removed_ends_service() {
    let places = Places::new("last", 1);
    let meta = places.open();
    write(&meta, 0..20).unwrap();
    std::fs::remove_dir_all(places.path(0)).unwrap();
    wait_for("it is noticed", || meta.has_stopped());
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(meta.has_stopped());
    let refused = write(&meta, 20..21).unwrap_err().to_string();
    assert!(refused.contains("its files are gone"), "{refused}");
    assert!(!places.path(0).exists());
}

/// Nothing is written where the volume was, until it is there again.
#[test]
#[expect(clippy::disallowed_methods, reason = "a disk that comes and goes")]
fn nothing_is_written_to_a_volume_that_is_gone() {
    let places = Places::new("mount", 3);
    let (mount, away) =
        (places.path(2).parent().unwrap(), places.path(2).parent().unwrap().with_extension("away"));
    std::fs::write(mount.join("holdall-volume.json"), "it is me").unwrap();
    let meta = places.open();
    write(&meta, 0..20).unwrap();
    wait_for_all(&meta, 3);
    std::fs::rename(mount, &away).unwrap();
    std::fs::create_dir(mount).unwrap();
    let failed = |role| matches!(role, Role::Failed { reason } if reason.contains("its volume is not there"));
    wait_for("it is noticed", || failed(places.role(&meta, 2)));
    write(&meta, 20..30).unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(std::fs::read_dir(mount).unwrap().count(), 0);
    std::fs::remove_dir(mount).unwrap();
    std::fs::rename(&away, mount).unwrap();
    wait_for_all(&meta, 3);
    check(&meta, 0..30);
}
