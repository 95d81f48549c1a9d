//! Several metadata replicas: compared, and what is left when most are lost.
#![allow(clippy::disallowed_methods, reason = "they play the disk, which loses things")]

use std::sync::Arc;

use holdall::base::Timestamp;
use holdall::meta::Durability;
use holdall::meta::Meta;
use holdall::meta::Options;
use holdall::meta::ReplicaPlace;
use holdall::meta::Transaction;
use holdall::meta::keys;
use holdall::server::check::Kind;
use holdall::server::check::vote;
use holdall::sys::clock::SystemClock;
use holdall::sys::disk::RealDisk;
use holdall::sys::metrics::Metrics;
use holdall::volume::Member;
use holdall::volume::Roster;
use holdall::volume::Volume;

use super::scene::Scene;
use super::scene::copy_tree;
use crate::harness::server::Server;
use crate::rig::body;

/// A commit into one replica alone.
fn commit(scene: &Scene, number: usize, name: &str) {
    let options = Options {
        durability: Durability::Strict,
        cache_bytes: 1 << 20,
        write_buffer_bytes: 1 << 20,
        voters: 1,
    };
    let place = ReplicaPlace::new("replica", scene.volume(number).join("meta"));
    let metrics = Arc::new(Metrics::new().unwrap());
    let meta = Meta::open(&[place], &options, metrics, &SystemClock).unwrap();
    let mut transaction = Transaction::new();
    transaction.put_empty(keys::system(name));
    meta.commit(transaction).unwrap();
}

#[test]
fn replicas_that_agree_are_clean_and_others_are_told_apart() {
    let scene = Scene::new();
    scene.expect(&[]);
    commit(&scene, 0, "one");
    scene.expect(&[(Kind::ReplicaBehind, 2)]);
    // The longest is what is checked.
    commit(&scene, 1, "two");
    scene.expect(&[(Kind::ReplicaDiverged, 1), (Kind::ReplicaBehind, 1)]);
    std::fs::write(scene.volume(1).join("meta/CURRENT"), "nothing").unwrap();
    scene.expect(&[(Kind::ReplicaDamaged, 1), (Kind::ReplicaBehind, 1)]);
    let report = scene.try_check(false).unwrap();
    assert_eq!(report.metadata.len(), 3);
    assert!(report.metadata[0].path.starts_with(scene.volume(0)), "{report:#?}");
}

/// A vote that moved leaves old rows on the volume that lost it: no replica that is behind, and none that is damaged.
#[test]
fn metadata_on_a_volume_without_a_vote_is_passed_over() {
    let scene = Scene::new();
    let volumes: Vec<Volume> =
        (0..3).map(|number| Volume::open(Arc::new(RealDisk), &scene.volume(number)).unwrap()).collect();
    let member = |volume: &Volume| Member {
        metadata: true,
        ..Member::new(volume.id(), volume.root().to_owned(), 1 << 30, Timestamp::default())
    };
    let mut roster = Roster::forming(volumes[0].deployment(), volumes.iter().map(member).collect());
    commit(&scene, 0, "one");
    commit(&scene, 1, "one");
    for (revision, votes) in [(1000, true), (1001, false)] {
        roster.members[2].metadata = votes;
        roster.revision = revision;
        volumes.iter().for_each(|volume| volume.write_roster(&roster).unwrap());
        let report = scene.try_check(false).unwrap();
        assert_eq!(report.count(Kind::ReplicaBehind), u64::from(votes), "{report:#?}");
        let unused = report.metadata.iter().filter(|replica| replica.unused).count();
        assert_eq!((report.metadata.len(), unused), (3, usize::from(!votes)));
    }
    assert!(scene.try_check(true).unwrap().is_clean());
}

/// Two of three voters are gone for ever.
#[test]
fn one_replica_that_is_left_goes_on_alone() {
    let mut server = Server::with(3, |_| {});
    let client = server.client_with_bucket("bucket");
    assert_eq!(client.put("/bucket/large", body(1, 50_000)).status, 200);
    assert_eq!(client.put("/bucket/small", "small").status, 200);
    server.stop();
    let roots: Vec<_> = (0..3).map(|number| server.volume(number)).collect();
    let mut roster = Roster::read(&RealDisk, &roots[0]).unwrap().unwrap();
    let holder = roots.iter().position(|root| root.join("meta").exists()).unwrap();
    let left = (holder + 1) % 3;
    if !roots[left].join("meta").exists() {
        copy_tree(&roots[holder].join("meta"), &roots[left].join("meta"));
    }
    for root in roots.iter().filter(|root| **root != roots[left]) {
        let _ = std::fs::remove_dir_all(root.join("meta"));
    }
    roster.members.iter_mut().for_each(|member| member.metadata = true);
    roster.revision += 1;
    for root in &roots {
        Volume::open(Arc::new(RealDisk), root).unwrap().write_roster(&roster).unwrap();
    }
    assert!(holdall::server::start(server.config()).is_err(), "a minority must not go on by itself");

    let gone = vote::plan(server.config(), &roots[holder].display().to_string());
    assert!(gone.unwrap_err().to_string().contains("no sound metadata replica"));
    let named = roots[left].display().to_string();
    let plan = vote::plan(server.config(), &named).unwrap();
    assert!(plan.better().is_none());
    vote::run(server.config(), &named).unwrap();
    server.resume();
    let client = server.client();
    assert!(client.get("/bucket/large").body == body(1, 50_000));
    assert_eq!(client.get("/bucket/small").body, b"small");
    assert_eq!(client.put("/bucket/new", "new").status, 200);
}
