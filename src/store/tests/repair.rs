use std::path::Path;

use futures_util::future::join;

use super::*;
use crate::meta::Transaction;
use crate::meta::keys;
use crate::volume::BLOCK_BYTES;
use crate::volume::FOOTER_BYTES;

#[expect(clippy::disallowed_methods, reason = "damage from outside")]
fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "damage from outside")]
fn unlink(path: &Path) {
    std::fs::remove_file(path).unwrap();
}

fn blob_of(path: &Path) -> BlobId {
    path.file_name().unwrap().to_str().unwrap().parse().unwrap()
}

/// What is known to be missing, written down.
fn queue(fixture: &Fixture, blob: BlobId, missing: u8) {
    let mut transaction = Transaction::new();
    transaction.put(keys::repair(blob), &records::Repair { blob, missing, at: Timestamp::from_secs(1) });
    fixture.meta.commit(transaction).unwrap();
}

/// Waits until so many files are there. The other name of a copy that was written while a bad one had its own is removed
/// in the background.
async fn settle(fixture: &Fixture, files: usize) {
    for _ in 0..200 {
        if fixture.files().len() == files {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{files} files are expected: {:?}", fixture.files());
}

/// A byte somewhere in each region of the file, by its distance from the end.
const REGIONS: [(&str, usize); 4] =
    [("footer", 30), ("owner", FOOTER_BYTES + 3), ("table", FOOTER_BYTES + 60), ("payload", LARGE / 2)];

#[tokio::test]
async fn whatever_is_wrong_with_a_copy_it_becomes_the_same_file_again() {
    let fixture = Fixture::new(3, 3);
    let bucket = fixture.bucket("bucket").await;
    fixture.put(&bucket, "other", &body(8, LARGE)).await;
    let other = fixture.files()[0].1.clone();
    fixture.put(&bucket, "key", &body(1, LARGE)).await;
    let files: Vec<_> =
        fixture.files().into_iter().filter(|(_, path)| blob_of(path) != blob_of(&other)).collect();
    let original = std::fs::read(&files[0].1).unwrap();
    for (number, path) in &files {
        let mut quarantined = 0;
        let mut damages: Vec<(&str, Box<dyn FnOnce(&mut Vec<u8>)>)> = vec![
            ("truncated", Box::new(|bytes| bytes.truncate(1000))),
            ("longer", Box::new(|bytes| bytes.push(0))),
            ("empty", Box::new(|bytes| bytes.clear())),
            ("swapped", Box::new(|bytes| *bytes = std::fs::read(&other).unwrap())),
        ];
        for (region, from_end) in REGIONS {
            damages.push((
                region,
                Box::new(move |bytes| {
                    let at = bytes.len() - from_end;
                    bytes[at] ^= 0x10;
                }),
            ));
        }
        for (damage, apply) in damages {
            change(path, apply);
            let blob = blob_of(path);
            queue(&fixture, blob, 1);
            let restored = fixture.store.restore(blob, &Unpaced).await.unwrap();
            assert_eq!(restored.outcome, Outcome::Whole, "{damage}");
            assert_eq!((restored.copies, restored.quarantined), (1, 1), "{damage} of {number}");
            assert!(std::fs::read(path).unwrap() == original, "{damage}");
            assert!(fixture.repairs().is_empty());
            quarantined += 1;
        }
        unlink(path);
        let restored = fixture.store.restore(blob_of(path), &Unpaced).await.unwrap();
        assert_eq!((restored.outcome, restored.copies, restored.quarantined), (Outcome::Whole, 1, 0));
        assert!(std::fs::read(path).unwrap() == original);
        assert_eq!(fixture.volumes[*number].quarantined().unwrap(), quarantined);
    }
    settle(&fixture, 6).await;
    assert_eq!(fixture.sweep_all().await, 0);
}

#[tokio::test]
async fn a_blob_of_which_every_copy_is_damaged_is_made_whole_of_their_good_blocks() {
    let fixture = Fixture::new(3, 3);
    let bucket = fixture.bucket("bucket").await;
    fixture.put(&bucket, "key", &body(1, LARGE)).await;
    let files = fixture.files();
    let original = std::fs::read(&files[0].1).unwrap();
    for (number, path) in &files {
        change(path, |bytes| bytes[number * 5 * BLOCK_BYTES] ^= 1);
    }
    let blob = blob_of(&files[0].1);
    queue(&fixture, blob, 1);
    let restored = fixture.store.restore(blob, &Unpaced).await.unwrap();
    assert_eq!((restored.outcome, restored.copies), (Outcome::Whole, 3));
    files.iter().for_each(|(_, path)| assert!(std::fs::read(path).unwrap() == original));
    assert!(fixture.get(&bucket, "key").await.unwrap() == body(1, LARGE));
}

#[tokio::test]
async fn what_is_lost_stays_on_the_queue_and_its_copies_where_they_are() {
    let fixture = Fixture::new(2, 2);
    let bucket = fixture.bucket("bucket").await;
    fixture.put(&bucket, "key", &body(1, LARGE)).await;
    let files = fixture.files();
    files.iter().for_each(|(_, path)| change(path, |bytes| bytes[LARGE / 2] ^= 1));
    let blob = blob_of(&files[0].1);
    queue(&fixture, blob, 1);
    for _ in 0..2 {
        let restored = fixture.store.restore(blob, &Unpaced).await.unwrap();
        assert_eq!((restored.outcome, restored.quarantined), (Outcome::Lost, 0));
        assert_eq!(fixture.repairs()[0].missing, 2);
        settle(&fixture, 2).await;
    }
}

#[tokio::test]
async fn copies_go_home_and_nothing_is_left_behind() {
    let fixture = Fixture::new(4, 2);
    let bucket = fixture.bucket("bucket").await;
    fixture.put(&bucket, "key", &body(1, LARGE)).await;
    let files = fixture.files();
    let blob = blob_of(&files[0].1);
    let elsewhere: Vec<_> = (0..4).filter(|number| files.iter().all(|(home, _)| home != number)).collect();
    let place = |number: usize| {
        let name = files[0].1.strip_prefix(fixture.volumes[files[0].0].root()).unwrap();
        fixture.volumes[number].root().join(name)
    };
    let original = std::fs::read(&files[0].1).unwrap();
    for number in &elsewhere {
        std::fs::copy(&files[0].1, place(*number)).unwrap();
    }
    // A home without, and a bad one on a volume where none belongs.
    unlink(&files[0].1);
    change(&place(elsewhere[1]), |bytes| bytes.truncate(99));
    let restored = fixture.store.restore(blob, &Unpaced).await.unwrap();
    assert_eq!(restored.outcome, Outcome::Whole);
    assert_eq!((restored.copies, restored.removed, restored.quarantined), (1, 1, 1));
    assert_eq!(fixture.files(), files);
    assert!(std::fs::read(&files[0].1).unwrap() == original);
}

/// Makes a volume refuse new parts.
#[expect(clippy::disallowed_methods, reason = "damage from outside")]
fn hide(volume: &Volume, hidden: bool) {
    let (blobs, away) = (volume.root().join("blobs"), volume.root().join("away"));
    match hidden {
        true => std::fs::rename(blobs, away).unwrap(),
        false => std::fs::rename(away, blobs).unwrap(),
    }
}

#[tokio::test]
async fn a_volume_that_fails_leaves_a_row_until_it_is_back() {
    let fixture = Fixture::new(3, 3);
    let bucket = fixture.bucket("bucket").await;
    hide(&fixture.volumes[1], true);
    fixture.put(&bucket, "key", &body(1, LARGE)).await;
    let blob = fixture.repairs()[0].blob;
    let restored = fixture.store.restore(blob, &Unpaced).await.unwrap();
    assert_eq!(restored.outcome, Outcome::Short(1));
    assert_eq!(fixture.repairs()[0].missing, 1);
    hide(&fixture.volumes[1], false);
    let restored = fixture.store.restore(blob, &Unpaced).await.unwrap();
    assert_eq!((restored.outcome, restored.copies), (Outcome::Whole, 1));
    assert!(fixture.repairs().is_empty());
    assert_eq!(fixture.files().len(), 3);
}

#[tokio::test]
async fn a_blob_that_is_deleted_while_it_is_restored_leaves_nothing() {
    for round in 0..20 {
        let fixture = Fixture::new(3, 3);
        let bucket = fixture.bucket("bucket").await;
        fixture.put(&bucket, "key", &body(round, LARGE)).await;
        let files = fixture.files();
        let blob = blob_of(&files[0].1);
        match round % 2 {
            0 => unlink(&files[1].1),
            _ => change(&files[1].1, |bytes| bytes[7] ^= 1),
        }
        queue(&fixture, blob, 1);
        let delete = async {
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            assert!(fixture.delete(&bucket, "key").await);
            while fixture.reclaim_all().await == 0 {
                tokio::task::yield_now().await;
            }
        };
        let (restored, ()) = join(fixture.store.restore(blob, &Unpaced), delete).await;
        assert!(matches!(restored.unwrap().outcome, Outcome::Whole | Outcome::Unnamed | Outcome::InHand));
        fixture.reclaim_all().await;
        settle(&fixture, 0).await;
        assert!(fixture.repairs().is_empty());
    }
}

#[tokio::test]
async fn reads_go_on_while_a_copy_is_replaced() {
    let fixture = Fixture::new(2, 2);
    let bucket = fixture.bucket("bucket").await;
    fixture.put(&bucket, "key", &body(1, LARGE)).await;
    let files = fixture.files();
    let blob = blob_of(&files[0].1);
    for round in 0..6 {
        change(&files[round % 2].1, |bytes| bytes[LARGE / 3] ^= 1);
        queue(&fixture, blob, 1);
        let reads = async {
            for _ in 0..4 {
                assert!(fixture.get(&bucket, "key").await.unwrap() == body(1, LARGE));
            }
        };
        let (restored, ()) = join(fixture.store.restore(blob, &Unpaced), reads).await;
        assert_eq!(restored.unwrap().outcome, Outcome::Whole);
    }
}
