//! Each kind of damage, and exactly that is found.
#![allow(clippy::disallowed_methods, reason = "they play the disk, which loses things")]

use std::os::unix::fs::FileExt as _;
use std::path::Path;

use holdall::base::BlobId;
use holdall::base::BucketId;
use holdall::base::Timestamp;
use holdall::base::UploadId;
use holdall::meta::UsageDelta;
use holdall::meta::keys;
use holdall::meta::records::Object;
use holdall::meta::records::Repair;
use holdall::meta::records::Usage;
use holdall::s3::etag::ETag;
use holdall::server::check::Kind;
use holdall::server::check::Severity;
use holdall::sys::disk::RealDisk;
use holdall::volume::BlockSums;
use holdall::volume::Tail;
use holdall::volume::Volume;

use super::scene::Scene;
use super::scene::blob;
use super::scene::block_on;
use super::scene::object;
use super::scene::row;
use crate::harness::server::Server;

fn flip(path: &Path, at: u64) {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 4], at).unwrap();
}

fn stranger() -> BlobId {
    BlobId::from_bytes([0xab; 16])
}

#[test]
fn a_sound_store_is_clean() {
    let scene = Scene::new();
    let report = scene.try_check(true).unwrap();
    assert!(report.is_clean(), "{report:#?}");
    let counts = &report.counts;
    assert_eq!((counts.buckets, counts.objects, counts.uploads, counts.parts), (1, 9, 1, 2));
    // large, other, few 1, many 18, rewritten, open 3; deleted and aborted wait for the reclaimer.
    assert_eq!((counts.blobs, counts.awaiting_reclaim), (6, 2));
    // small, tiny, few 2, many 1 to 17 and their list, open 7.
    assert_eq!(counts.inline, 22);
    assert_eq!(counts.blobs_by_copies.iter().collect::<Vec<_>>(), [(&2, &6)]);
    assert_eq!(counts.verified_bytes, 2 * (200_000 + 70_000 + 5_000 + 6_000 + 9_000 * 4));
    assert_eq!(report.metadata.len(), 3);
    scene.expect(&[]);
}

#[test]
fn a_check_changes_nothing() {
    let scene = Scene::new();
    let state = |path: &Path| {
        let mut names = Vec::new();
        for entry in walk(path) {
            let metadata = std::fs::metadata(&entry).unwrap();
            names.push((entry, metadata.len(), metadata.modified().unwrap()));
        }
        names.sort();
        names
    };
    // The lock is made by whoever comes first.
    scene.found(false);
    let before = state(scene.directory.path());
    scene.found(true);
    assert_eq!(state(scene.directory.path()), before);
}

fn walk(path: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        }
        found.push(path);
    }
    found
}

#[test]
fn a_flipped_bit_is_found_when_every_block_is_read() {
    let scene = Scene::new();
    let copies = scene.copies(scene.blob("large"));
    flip(&copies[0], 100_000);
    assert_eq!(scene.found(false), []);
    assert_eq!(scene.found(true), [(Kind::BlobShortUnknown, 1), (Kind::CopyBad, 1)]);
    // In the footer it is found at once.
    flip(&copies[0], 100_000);
    flip(&copies[0], std::fs::metadata(&copies[0]).unwrap().len() - 30);
    scene.expect(&[(Kind::BlobShortUnknown, 1), (Kind::CopyBad, 1)]);
}

#[test]
fn a_copy_that_is_cut_short_or_gone_is_missed() {
    let scene = Scene::new();
    let large = scene.blob("large");
    let copies = scene.copies(large);
    let file = std::fs::OpenOptions::new().write(true).open(&copies[1]).unwrap();
    file.set_len(150_000).unwrap();
    scene.expect(&[(Kind::BlobShortUnknown, 1), (Kind::CopyBad, 1)]);
    std::fs::remove_file(&copies[1]).unwrap();
    scene.expect(&[(Kind::BlobShortUnknown, 1)]);
    scene.write(|_, transaction| {
        let repair = Repair { blob: large, missing: 1, at: Timestamp::from_secs(1) };
        transaction.put(keys::repair(large), &repair);
    });
    scene.expect(&[(Kind::BlobShort, 1)]);
    std::fs::remove_file(&copies[0]).unwrap();
    scene.expect(&[(Kind::BlobLost, 1)]);
    let report = scene.try_check(false).unwrap();
    assert_eq!(report.findings[0].severity, Severity::Loss);
    assert!(report.findings[0].examples[0].ends_with("of bucket/large"), "{report:#?}");
}

#[test]
fn repairs_that_are_not_needed_are_told() {
    let scene = Scene::new();
    let large = scene.blob("large");
    scene.write(|_, transaction| {
        for blob in [large, stranger()] {
            transaction.put(keys::repair(blob), &Repair { blob, missing: 1, at: Timestamp::from_secs(1) });
        }
    });
    scene.expect(&[(Kind::RepairStale, 2)]);
}

#[test]
fn files_that_nobody_names_are_told_apart() {
    let scene = Scene::new();
    let copies = scene.copies(scene.blob("large"));
    let shard = scene.volume(1).join("blobs/ab");
    std::fs::copy(&copies[0], shard.join(stranger().to_string())).unwrap();
    scene.expect(&[(Kind::Orphan, 1)]);
    std::fs::copy(&copies[0], shard.join("notes.txt")).unwrap();
    std::fs::copy(&copies[0], scene.volume(0).join("blobs/aa").join(stranger().to_string())).unwrap();
    scene.expect(&[(Kind::Orphan, 1), (Kind::Stranger, 2)]);
}

#[test]
fn a_copy_too_many_is_told() {
    let scene = Scene::new();
    let large = scene.blob("large");
    std::fs::copy(&scene.copies(large)[0], scene.elsewhere(large)).unwrap();
    scene.expect(&[(Kind::CopySurplus, 1)]);
}

#[test]
fn copies_that_differ_are_told() {
    let scene = Scene::new();
    let other = scene.blob("other");
    let copy = scene.copies(other).pop().unwrap();
    std::fs::remove_file(&copy).unwrap();
    let root = copy.ancestors().nth(3).unwrap();
    let volume = Volume::open(std::sync::Arc::new(RealDisk), root).unwrap();
    let (bytes, owner) = (crate::rig::body(99, 1_000), b"nobody");
    let mut sums = BlockSums::new();
    sums.update(&bytes);
    let tail = Tail::new((other, Timestamp::from_secs(1)), 1_000, &bytes, sums, [7; 16], owner);
    volume.create(other, Some(1_000)).unwrap().finish(&tail).unwrap();
    let found = scene.found(false);
    assert!(found.contains(&(Kind::CopiesDiffer, 1)), "{found:?}");
}

#[test]
fn references_are_compared_both_ways() {
    let scene = Scene::new();
    let other = scene.blob("other");
    scene.write(|rig, transaction| transaction.delete(keys::blobref(other, &row(rig, "copy"))));
    scene.expect(&[(Kind::ReferenceMissing, 1)]);
    scene.write(|rig, transaction| {
        transaction.put_empty(keys::blobref(other, &row(rig, "copy")));
        transaction.put_empty(keys::blobref(other, &row(rig, "nobody")));
        transaction.put_empty(keys::blobref(other, &row(rig, "small")));
    });
    scene.expect(&[(Kind::ReferenceStray, 2)]);
}

/// Without its only reference a file looks like an orphan: both are told.
#[test]
fn a_blob_without_any_reference_is_in_danger() {
    let scene = Scene::new();
    let large = scene.blob("large");
    scene.write(|rig, transaction| transaction.delete(keys::blobref(large, &row(rig, "large"))));
    scene.expect(&[(Kind::ReferenceMissing, 1), (Kind::Orphan, 2)]);
}

#[test]
fn inline_bodies_are_compared_both_ways() {
    let scene = Scene::new();
    let small = scene.blob("small");
    scene.write(|_, transaction| transaction.put_inline(stranger(), &b"x".to_vec().into()));
    scene.expect(&[(Kind::InlineStray, 1)]);
    scene.write(|_, transaction| transaction.delete(keys::inline(small)));
    scene.expect(&[(Kind::InlineLost, 1), (Kind::InlineStray, 1)]);
    scene.write(|_, transaction| {
        transaction.delete(keys::inline(stranger()));
        transaction.put_inline(small, &vec![7; 1_999].into());
    });
    scene.expect(&[(Kind::InlineOther, 1)]);
    // Of the right length and with a sound checksum, and still another body: only its MD5 tells.
    scene.write(|_, transaction| transaction.put_inline(small, &vec![7; 2_000].into()));
    assert_eq!(scene.found(false), []);
    assert_eq!(scene.found(true), [(Kind::InlineOther, 1)]);
}

#[test]
fn a_list_of_parts_is_missed() {
    let scene = Scene::new();
    scene.write(|rig, transaction| transaction.delete(keys::inline(blob(rig, "many"))));
    let found = scene.found(false);
    assert!(found.contains(&(Kind::InlineLost, 1)), "{found:?}");
    let scene = Scene::new();
    scene.write(|rig, transaction| transaction.put_inline(blob(rig, "many"), &b"no list".to_vec().into()));
    let found = scene.found(false);
    assert!(found.contains(&(Kind::ObjectWrong, 1)), "{found:?}");
}

#[test]
fn counters_are_counted_again() {
    let scene = Scene::new();
    scene.write(|rig, transaction| transaction.count(rig.bucket.record.id, UsageDelta::new(1, -5)));
    scene.expect(&[(Kind::UsageWrong, 1)]);
    scene.write(|rig, transaction| {
        transaction.delete(keys::usage(rig.bucket.record.id));
        transaction.put(keys::usage(BucketId(5)), &Usage::default());
    });
    scene.expect(&[(Kind::BucketUncounted, 1), (Kind::UsageStray, 1)]);
}

#[test]
fn rows_that_cannot_be_read_or_contradict_themselves_are_told() {
    let scene = Scene::new();
    scene.write(|rig, transaction| {
        transaction.put_empty(row(rig, "broken"));
        transaction.put_empty(keys::part(&UploadId::from_bytes([1; 16]), 1));
    });
    scene.expect(&[(Kind::RowDamaged, 2)]);

    let scene = Scene::new();
    scene.write(|rig, transaction| {
        let mut few = object(rig, "few");
        few.head.etag = ETag::plain(few.head.etag.md5());
        transaction.put(row(rig, "few"), &few);
        let mut many = object(rig, "many");
        many.head.checksum = Some((
            holdall::s3::checksum::ChecksumAlgorithm::Crc32,
            holdall::s3::checksum::ChecksumType::FullObject,
        ));
        transaction.put(row(rig, "many"), &many);
    });
    scene.expect(&[(Kind::ObjectWrong, 2)]);
}

#[test]
fn a_blob_that_is_not_what_its_row_says_is_told() {
    let scene = Scene::new();
    scene.write(|rig, transaction| {
        let mut other = object(rig, "other");
        other.head.etag = ETag::plain([1; 16]);
        transaction.put(row(rig, "other"), &other);
    });
    scene.expect(&[(Kind::BlobOther, 1)]);
}

#[test]
fn what_nobody_can_reach_is_told() {
    let scene = Scene::new();
    scene.write(|rig, transaction| {
        let (key, id) = block_on(rig.uploads()).unwrap().remove(0);
        transaction.delete(keys::open_upload(rig.bucket.record.id, &key, &id));
        let empty: Object = object(rig, "empty");
        transaction.put(keys::current(BucketId(1), "lost"), &empty);
        transaction.put(keys::current(rig.bucket.record.id, ""), &empty);
    });
    scene.expect(&[(Kind::PartStray, 2), (Kind::ObjectStray, 1), (Kind::RowUnknown, 1)]);
}

#[test]
fn a_volume_that_is_not_there_is_missed_and_left_alone() {
    let scene = Scene::new();
    let away = scene.directory.path().join("away");
    std::fs::rename(scene.volume(2), &away).unwrap();
    let found = scene.found(false);
    assert!(found.contains(&(Kind::VolumeAbsent, 1)), "{found:?}");
    assert!(found.iter().any(|(kind, _)| *kind == Kind::BlobShortUnknown), "{found:?}");
    assert!(!found.iter().any(|(kind, _)| *kind == Kind::BlobLost), "{found:?}");
    std::fs::create_dir(scene.volume(2)).unwrap();
    assert_eq!(scene.found(false), found);
    assert_eq!(std::fs::read_dir(scene.volume(2)).unwrap().count(), 0);
}

#[test]
fn metadata_that_cannot_be_read_is_no_clean_store() {
    let scene = Scene::new();
    // Opening them moves rows from the log into files.
    drop(scene.rig());
    drop(scene.rig());
    let replicas = || (0..super::scene::VOLUMES).map(|number| scene.volume(number).join("meta"));
    for (number, replica) in replicas().enumerate() {
        let tables = std::fs::read_dir(&replica).unwrap().map(|entry| entry.unwrap().path());
        for table in tables.filter(|path| path.extension().is_some_and(|extension| extension == "sst")) {
            flip(&table, 20);
        }
        if number < 2 {
            // Another one is checked instead.
            assert_eq!(scene.found(false), [(Kind::ReplicaDamaged, number as u64 + 1)]);
        }
    }
    let refused = scene.try_check(false).unwrap_err();
    assert!(
        refused.contains("no metadata replica can be read") && refused.contains("--rebuild-metadata"),
        "{refused}"
    );
    replicas().for_each(|replica| std::fs::rename(&replica, replica.with_file_name("meta.away")).unwrap());
    let refused = scene.try_check(false).unwrap_err();
    assert!(refused.contains("none of the volumes holds metadata"), "{refused}");
}

#[test]
fn a_running_server_is_left_alone() {
    let server = Server::start();
    let options = holdall::server::check::Options { deep: false, examples_max: 1 };
    let refused = holdall::server::check::run(server.config(), options, &super::scene::Blind);
    let refused = refused.err().unwrap().to_string();
    assert!(refused.contains("in use by another process"), "{refused}");
}
