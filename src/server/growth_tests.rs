#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "they play the operator, who moves disks about")]
//! Metadata follows the volumes: more replicas as volumes are added, and others when one is lost.

use std::time::Duration;
use std::time::Instant;

use super::tests::ask;
use super::tests::config;
use super::tests::stop;
use super::*;
use crate::meta::Role;
use crate::store::VolumeStatus;
use crate::volume::Roster;

/// How long the background may take for one thing, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits for a state of the volumes.
fn wait(running: &Running, what: &str, is_reached: impl Fn(&[VolumeStatus]) -> bool) {
    let begun = Instant::now();
    loop {
        let volumes = running.store.volumes();
        if is_reached(&volumes) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: {volumes:#?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Replicas that have everything.
fn current(volumes: &[VolumeStatus]) -> usize {
    let roles = volumes.iter().filter_map(|volume| volume.metadata.as_ref());
    roles.filter(|replica| replica.voter && matches!(replica.role, Role::Leader | Role::Follower)).count()
}

fn add(running: &Running, path: &std::path::Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(running.store.add_volume(path)).unwrap();
}

fn is_ready(running: &Running) -> bool {
    ask(running.admin_address, "/health/ready").starts_with("HTTP/1.1 200")
}

#[test]
fn one_volume_grows_to_three_and_then_any_may_be_lost() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let (running, _) = start(&config(path, &["1"])).unwrap_or_else(|error| panic!("{error}"));
    for (name, replicas) in [("2", 2), ("3", 3)] {
        add(&running, &path.join(name));
        wait(&running, "a replica more", |volumes| current(volumes) == replicas);
        assert!(is_ready(&running));
    }
    let formed = Roster::read(&RealDisk, &path.join("3")).unwrap().unwrap();
    assert_eq!(formed.voters().count(), 3);
    stop(running);
    for lost in ["1", "2", "3"] {
        std::fs::rename(path.join(lost), path.join("hidden")).unwrap();
        let given = if lost == "1" { "2" } else { "1" };
        let (running, greeting) = start(&config(path, &[given])).unwrap_or_else(|error| panic!("{error}"));
        assert!(greeting.warnings().join("").contains(&format!("/{lost}: ")), "{:?}", greeting.warnings());
        wait(&running, "two of three", |volumes| current(volumes) == 2);
        assert!(is_ready(&running));
        // It comes back while the server runs.
        std::fs::rename(path.join("hidden"), path.join(lost)).unwrap();
        wait(&running, "all three", |volumes| current(volumes) == 3);
        stop(running);
    }
    // Half of three are too few to tell what was acknowledged.
    for lost in ["1", "3"] {
        std::fs::rename(path.join(lost), path.join(format!("hidden{lost}"))).unwrap();
    }
    let refused = start(&config(path, &["2"])).err().unwrap().to_string();
    assert!(refused.contains("/1 (") && refused.contains("/3 ("), "{refused}");
}

/// The directory of a volume that is removed under the server, replica and all, and its vote moves to another.
#[test]
fn a_vote_moves_away_from_a_lost_volume() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let mut config = config(path, &["1", "2", "3", "4"]);
    config.storage.volume_out_after = Duration::from_secs(1);
    let (running, _) = start(&config).unwrap_or_else(|error| panic!("{error}"));
    wait(&running, "three replicas", |volumes| current(volumes) == 3);
    std::fs::remove_dir_all(path.join("2")).unwrap();
    wait(&running, "the vote moved", |volumes| {
        let votes = |number: usize| volumes[number].metadata.is_some();
        current(volumes) == 3 && votes(3) && !votes(1)
    });
    assert!(!path.join("2").exists(), "something was written to where the volume was");
    assert!(is_ready(&running));
    // A new disk takes its place, and needs no vote.
    let lost = running.store.volumes()[1].id;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(running.store.replace_volume(lost, &path.join("2"))).unwrap();
    stop(running);
    let (running, greeting) = start(&config).unwrap_or_else(|error| panic!("{error}"));
    assert!(!greeting.warnings().join("").contains("absent"));
    wait(&running, "three replicas again", |volumes| current(volumes) == 3);
    stop(running);
}
