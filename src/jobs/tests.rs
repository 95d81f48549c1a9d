#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Command;
use super::Control;
use super::Rebalance;
use super::Reclaimer;
use super::Repair;
use super::Scrub;
use super::Sweep;
use super::SweepSettings;
use super::worker::Job;
use super::worker::Jobs;
use super::worker::Step;
use crate::base::VolumeId;
use crate::store::tests::Fixture;
use crate::store::tests::LARGE;
use crate::store::tests::body;
use crate::sys::clock::SystemClock;

const NOW: SweepSettings = SweepSettings { pause: Duration::from_millis(5), age: Duration::ZERO };

async fn until_idle(job: &mut dyn Job) -> usize {
    let control = Control::new(job.name(), 0, Arc::default(), Arc::new(SystemClock));
    steps_until_idle(job, &control).await
}

async fn steps_until_idle(job: &mut dyn Job, control: &Control) -> usize {
    for steps in 1..10_000 {
        let step = job.step(control).await;
        let is_idle = step.as_ref().is_ok_and(|step| *step == Step::Idle);
        control.settle(step, Duration::ZERO);
        assert_eq!(control.status().last_error, None);
        if is_idle {
            return steps;
        }
    }
    panic!("{} never rests", job.name());
}

#[expect(clippy::disallowed_methods, reason = "damage from outside")]
fn unlink(path: &Path) {
    std::fs::remove_file(path).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "damage from outside")]
fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = at % bytes.len();
    bytes[at] ^= 1 << (at % 8);
    std::fs::write(path, bytes).unwrap();
}

/// Every part file with its bytes.
fn census(fixture: &Fixture) -> BTreeMap<PathBuf, Vec<u8>> {
    fixture.files().into_iter().map(|(_, path)| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// Counts and moves, then repairs, until there is nothing to do.
async fn heal(fixture: &Fixture) {
    let mut rebalance = Rebalance::new(Arc::clone(&fixture.store), Arc::new(SystemClock));
    until_idle(&mut rebalance).await;
    until_idle(&mut Repair::new(Arc::clone(&fixture.store))).await;
}

#[tokio::test]
async fn a_volume_that_lost_everything_is_filled_again_byte_for_byte() {
    let fixture = Fixture::new(3, 3);
    let bucket = fixture.bucket("bucket").await;
    for number in 0..40 {
        fixture.put(&bucket, &format!("k{number}"), &body(number, 40_000 + number as usize * 20_000)).await;
    }
    let before = census(&fixture);
    assert_eq!(before.len(), 120);
    let lost: Vec<_> = fixture.files().into_iter().filter(|(volume, _)| *volume == 1).collect();
    lost.iter().for_each(|(_, path)| unlink(path));
    let mut rebalance = Rebalance::new(Arc::clone(&fixture.store), Arc::new(SystemClock));
    until_idle(&mut rebalance).await;
    assert_eq!(fixture.repairs().len(), 40);
    let redundancy = fixture.store.redundancy().await.unwrap();
    assert_eq!(redundancy.blobs_by_copies, Some(vec![0, 0, 40, 0]));
    assert_eq!((redundancy.queue_by_missing.clone(), redundancy.lost), (vec![0, 40], 0));
    assert!(!redundancy.is_healthy);
    until_idle(&mut Repair::new(Arc::clone(&fixture.store))).await;
    assert!(census(&fixture) == before);
    assert!(fixture.repairs().is_empty());
    let redundancy = fixture.store.redundancy().await.unwrap();
    assert_eq!(redundancy.blobs_by_copies, Some(vec![0, 0, 0, 40]));
    assert!(redundancy.is_healthy);
    // Those that come and go are counted too.
    fixture.put(&bucket, "one more", &body(77, LARGE)).await;
    fixture.delete(&bucket, "k1").await;
    fixture.delete(&bucket, "k2").await;
    fixture.reclaim_all().await;
    let redundancy = fixture.store.redundancy().await.unwrap();
    assert_eq!(redundancy.blobs_by_copies, Some(vec![0, 0, 0, 39]));
}

#[tokio::test]
async fn the_most_endangered_blobs_come_first_and_lost_ones_are_told_apart() {
    let fixture = Fixture::new(3, 3);
    let bucket = fixture.bucket("bucket").await;
    for number in 0..12 {
        fixture.put(&bucket, &format!("k{number}"), &body(number, 50_000)).await;
    }
    let mut files: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for (_, path) in fixture.files() {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        files.entry(name).or_default().push(path);
    }
    for (number, copies) in files.values().enumerate() {
        copies.iter().take(number % 4).for_each(|path| unlink(path));
    }
    until_idle(&mut Rebalance::new(Arc::clone(&fixture.store), Arc::new(SystemClock))).await;
    let queued = |missing: u8| fixture.repairs().iter().filter(|row| row.missing == missing).count();
    assert_eq!((queued(1), queued(2), queued(3)), (3, 3, 3));
    let mut repair = Repair::new(Arc::clone(&fixture.store));
    let control = Control::new("repair", 0, Arc::default(), Arc::new(SystemClock));
    repair.step(&control).await.unwrap();
    repair.step(&control).await.unwrap();
    assert_eq!((queued(1), queued(2), queued(3)), (3, 0, 3), "worse ones first");
    steps_until_idle(&mut repair, &control).await;
    assert_eq!((queued(1), queued(2), queued(3)), (0, 0, 3), "lost ones stay");
    let redundancy = fixture.store.redundancy().await.unwrap();
    assert_eq!((redundancy.lost, redundancy.is_healthy), (3, false));
    assert_eq!(redundancy.blobs_by_copies, Some(vec![3, 0, 0, 9]));
    assert_eq!(steps_until_idle(&mut repair, &control).await, 1, "they rest");
}

#[tokio::test]
async fn a_volume_that_is_added_gets_its_share_and_nothing_else_moves() {
    const BLOBS: u64 = 400;
    let fixture = Fixture::new(3, 2);
    let bucket = fixture.bucket("bucket").await;
    for number in 0..BLOBS {
        fixture.put(&bucket, &format!("k{number}"), &body(number, 33_000)).await;
    }
    until_idle(&mut Rebalance::new(Arc::clone(&fixture.store), Arc::new(SystemClock))).await;
    let before = census(&fixture);
    let fixture = fixture.reopen_with(4);
    let mut rebalance = Rebalance::new(Arc::clone(&fixture.store), Arc::new(SystemClock));
    let control = Control::new("rebalance", 0, Arc::default(), Arc::new(SystemClock));
    steps_until_idle(&mut rebalance, &control).await;
    let after = census(&fixture);
    assert_eq!(after.len(), 2 * BLOBS as usize);
    let moved = after.keys().filter(|path| !before.contains_key(*path)).count();
    let share = 2.0 * BLOBS as f64 / 4.0;
    assert!((moved as f64) < 1.2 * share, "{moved} moved, {share} are its share");
    assert!((moved as f64) > 0.8 * share, "{moved} moved, {share} are its share");
    assert!(fixture.repairs().is_empty());
    let metrics = fixture.store.metrics();
    assert_eq!(metrics.repaired_blobs.get(), moved as u64, "each was copied once");
    for number in 0..BLOBS {
        assert!(fixture.get(&bucket, &format!("k{number}")).await.unwrap() == body(number, 33_000));
    }
    assert_eq!(fixture.store.redundancy().await.unwrap().misplaced_copies, 0);
}

/// Random flips all over the parts, at most one copy of each blob left alone: each is found and repaired.
#[tokio::test]
async fn the_scrub_finds_every_flip_and_repair_mends_it() {
    const ROUNDS: usize = 4;
    let fixture = Fixture::new(3, 3);
    let bucket = fixture.bucket("bucket").await;
    for number in 0..30 {
        fixture.put(&bucket, &format!("k{number}"), &body(number, 34_000 + number as usize * 7_000)).await;
    }
    let before = census(&fixture);
    let mut scrub = Scrub::new(Arc::clone(&fixture.store), Arc::new(SystemClock), Duration::from_secs(3600));
    let control = Control::new("scrub", 0, Arc::default(), Arc::new(SystemClock));
    for round in 0..ROUNDS {
        let mut flipped = 0;
        for (number, path) in before.keys().enumerate() {
            // Of the files of one volume in each round, and of some of a second.
            let volume = number / 30;
            if volume == round % 3 || (volume == (round + 1) % 3 && number % 4 == 0) {
                flip(path, number * 7_919 + round * 104_729);
                flipped += 1;
            }
        }
        control.command(Command::Start);
        steps_until_idle(&mut scrub, &control).await;
        let found = fixture.store.redundancy().await.unwrap().last_scrub.unwrap();
        assert_eq!((found.bad, found.unread), (flipped, 0), "round {round}");
        assert_eq!(fixture.repairs().len(), 30);
        until_idle(&mut Repair::new(Arc::clone(&fixture.store))).await;
        assert!(fixture.repairs().is_empty());
        assert!(census(&fixture) == before, "round {round}");
    }
    control.command(Command::Start);
    steps_until_idle(&mut scrub, &control).await;
    let redundancy = fixture.store.redundancy().await.unwrap();
    let found = redundancy.last_scrub.unwrap();
    assert_eq!((found.files, found.bad, redundancy.is_healthy), (90, 0, true));
    let payload: u64 = before.values().map(|bytes| bytes.len() as u64).sum();
    assert!(found.bytes > payload, "the metadata was read as well");
}

/// A scrub that is stopped goes on where it was.
#[tokio::test]
async fn a_scrub_goes_on_after_a_restart() {
    let fixture = Fixture::new(2, 2);
    let bucket = fixture.bucket("bucket").await;
    for number in 0..60 {
        fixture.put(&bucket, &format!("k{number}"), &body(number, 34_000)).await;
    }
    let new = || Scrub::new(Arc::clone(&fixture.store), Arc::new(SystemClock), Duration::from_secs(3600));
    let control = Control::new("scrub", 0, Arc::default(), Arc::new(SystemClock));
    let mut scrub = new();
    for _ in 0..10 {
        assert_eq!(scrub.step(&control).await.unwrap(), Step::Busy);
    }
    let cursor = scrub.cursor();
    let mut scrub = new();
    scrub.resume(&cursor);
    assert_eq!(scrub.cursor(), cursor);
    steps_until_idle(&mut scrub, &control).await;
    assert_eq!(fixture.store.redundancy().await.unwrap().last_scrub.unwrap().files, 120);
    let mut scrub = new();
    scrub.resume(&cursor[..3]);
    assert_eq!(scrub.step(&control).await.unwrap(), Step::Busy, "an unknown cursor begins anew");
}

/// What a crash left under the other name of a copy is an orphan, and no copy that is under way.
#[tokio::test]
async fn nothing_is_done_about_what_no_row_names() {
    let fixture = Fixture::new(2, 2);
    let bucket = fixture.bucket("bucket").await;
    fixture.put(&bucket, "key", &body(1, LARGE)).await;
    let file = fixture.files()[0].1.clone();
    let orphan = file.with_file_name(format!(
        "{}{}",
        &file.file_name().unwrap().to_str().unwrap()[..2],
        "ab".repeat(15)
    ));
    std::fs::copy(&file, &orphan).unwrap();
    heal(&fixture).await;
    until_idle(&mut Scrub::new(Arc::clone(&fixture.store), Arc::new(SystemClock), Duration::from_secs(3600)))
        .await;
    assert!(fixture.repairs().is_empty());
    assert!(orphan.exists(), "it is left to the sweep");
    assert!(fixture.store.redundancy().await.unwrap().is_healthy);
}

#[tokio::test]
async fn the_reclaimer_gives_back_what_deletes_left() {
    let fixture = Fixture::new(1, 1);
    let bucket = fixture.bucket("bucket").await;
    for number in 0..10 {
        let key = format!("k{number}");
        fixture.put(&bucket, &key, &body(number, 50_000)).await;
        fixture.delete(&bucket, &key).await;
    }
    fixture.put(&bucket, "stays", &body(99, LARGE)).await;
    assert_eq!(fixture.files().len(), 11);
    let mut job = Reclaimer::new(Arc::clone(&fixture.store));
    until_idle(&mut job).await;
    assert_eq!(fixture.files().len(), 1);
    assert_eq!(until_idle(&mut job).await, 1, "nothing is left to do");
    assert!(fixture.get(&bucket, "stays").await.unwrap() == body(99, LARGE));
}

#[tokio::test]
async fn a_pass_of_the_sweep_comes_to_an_end_and_keeps_what_is_named() {
    let fixture = Fixture::new(3, 2);
    let bucket = fixture.bucket("bucket").await;
    for number in 0..20 {
        fixture.put(&bucket, &format!("k{number}"), &body(number, 50_000)).await;
    }
    let mut job = Sweep::new(Arc::clone(&fixture.store), Arc::new(SystemClock), NOW);
    for _ in 0..2 {
        until_idle(&mut job).await;
        assert_eq!(fixture.files().len(), 40);
    }
}

/// The thread of the jobs runs beside requests, and a stop waits for the step under way.
#[tokio::test]
async fn jobs_run_beside_requests_until_they_are_stopped() {
    let fixture = Fixture::new(1, 1);
    let bucket = fixture.bucket("bucket").await;
    let store = Arc::clone(&fixture.store);
    let jobs = Jobs::start(Arc::clone(&store), Arc::new(SystemClock), move || {
        let sweep = Sweep::new(Arc::clone(&store), Arc::new(SystemClock), NOW);
        vec![Box::new(sweep), Box::new(Reclaimer::new(store))]
    });
    let jobs = jobs.unwrap();
    for number in 0..30 {
        fixture.put(&bucket, "key", &body(number, 50_000)).await;
        assert!(fixture.get(&bucket, "key").await.unwrap() == body(number, 50_000));
    }
    for _ in 0..300 {
        if fixture.files().len() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    jobs.stop();
    assert_eq!(fixture.files().len(), 1);
    assert!(fixture.get(&bucket, "key").await.unwrap() == body(29, 50_000));
    assert_eq!(Arc::strong_count(&fixture.store), 1, "nobody holds the store any more");
}

/// Every part file by its name, with its bytes, wherever it is.
fn contents(fixture: &Fixture) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut found: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for root in fixture.store.volumes().into_iter().map(|volume| volume.path) {
        for shard in std::fs::read_dir(root.join("blobs")).unwrap() {
            for file in std::fs::read_dir(shard.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                found.entry(name).or_default().push(std::fs::read(path).unwrap());
            }
        }
    }
    found
}

/// So many blobs, each in so many copies that are alike.
fn check_contents(fixture: &Fixture, blobs: usize, copies: usize) {
    let found = contents(fixture);
    assert_eq!(found.len(), blobs);
    for (name, all) in found {
        assert_eq!(all.len(), copies, "{name}");
        assert!(all.iter().all(|bytes| *bytes == all[0]), "{name}");
    }
}

#[tokio::test]
async fn volumes_come_are_emptied_and_go_while_objects_stay() {
    let fixture = Fixture::new(3, 2);
    let bucket = fixture.bucket("bucket").await;
    for number in 0..60 {
        fixture.put(&bucket, &format!("k{number}"), &body(number, 40_000)).await;
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let mut rebalance = Rebalance::new(Arc::clone(&fixture.store), Arc::new(SystemClock));
    until_idle(&mut rebalance).await;
    let added = fixture.store.add_volume(&elsewhere.path().join("new")).await.unwrap();
    until_idle(&mut rebalance).await;
    let status = |id: VolumeId| fixture.store.volumes().into_iter().find(|volume| volume.id == id).unwrap();
    assert!(status(added).copies > Some(0));
    check_contents(&fixture, 60, 2);
    let drained = VolumeId::from_bytes([2; 16]);
    fixture.store.drain_volume(drained, false).await.unwrap();
    assert!(!status(drained).is_drained(), "what it holds is not known");
    until_idle(&mut rebalance).await;
    assert_eq!((status(drained).is_drained(), status(drained).copies), (true, Some(0)));
    check_contents(&fixture, 60, 2);
    fixture.store.remove_volume(drained, false).await.unwrap();
    assert_eq!(fixture.store.volumes().len(), 3);
    until_idle(&mut rebalance).await;
    check_contents(&fixture, 60, 2);
    assert!(fixture.repairs().is_empty());
    for number in 0..60 {
        assert!(fixture.get(&bucket, &format!("k{number}")).await.unwrap() == body(number, 40_000));
    }
}

#[tokio::test]
async fn a_volume_that_was_destroyed_is_replaced_and_filled_while_clients_read_and_write() {
    let fixture = Fixture::new(3, 3);
    let bucket = fixture.bucket("bucket").await;
    for number in 0..40 {
        fixture.put(&bucket, &format!("k{number}"), &body(number, 40_000)).await;
    }
    let gone = VolumeId::from_bytes([1; 16]);
    let status = fixture.store.volumes().into_iter().find(|volume| volume.id == gone).unwrap();
    std::fs::remove_dir_all(&status.path).unwrap();
    fixture.store.look_after_volumes().await.unwrap();
    for number in 40..45 {
        fixture.put(&bucket, &format!("k{number}"), &body(number, 40_000)).await;
    }
    fixture.store.replace_volume(gone, &status.path).await.unwrap();
    let clients = async {
        for number in 0..40 {
            assert!(fixture.get(&bucket, &format!("k{number}")).await.unwrap() == body(number, 40_000));
            fixture.put(&bucket, &format!("n{number}"), &body(100 + number, 40_000)).await;
            if number % 4 == 0 {
                fixture.delete(&bucket, &format!("k{number}")).await;
            }
        }
    };
    let jobs = async {
        for _ in 0..3 {
            heal(&fixture).await;
        }
    };
    tokio::join!(clients, jobs);
    // Before the census that is looked at: what is removed behind it, but was deleted before, is taken off twice.
    fixture.reclaim_all().await;
    heal(&fixture).await;
    assert!(fixture.repairs().is_empty());
    check_contents(&fixture, 75, 3);
    let redundancy = fixture.store.redundancy().await.unwrap();
    assert_eq!((redundancy.blobs_by_copies, redundancy.lost), (Some(vec![0, 0, 0, 75]), 0));
    assert!(redundancy.is_healthy);
}
