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
