//! Who leads and who counts, when replicas are slow to say where they stand or leave.

use std::time::Duration;
use std::time::Instant;

use super::faults::Fault;
use super::faults::delay;
use super::replicas::Places;
use super::replicas::check;
use super::replicas::flush;
use super::replicas::wait_for;
use super::replicas::wait_for_all;
use super::replicas::write;
use super::*;
use crate::sys::failpoint::Action;

/// Readers may have seen what only the silent one has: it is waited for longer than others.
#[test]
fn an_election_waits_for_a_replica_that_is_ahead() {
    let places = Places::new("ahead", 3);
    let meta = places.open();
    wait_for_all(&meta, 3);
    write(&meta, 0..10).unwrap();
    wait_for_all(&meta, 3);
    assert_eq!(places.role(&meta, 0), Role::Leader);
    let slow = Fault::new("before_report", "ahead0", delay(4000));
    let late = Action::LateError(Duration::from_millis(500));
    let faults = ["ahead1", "ahead2"].map(|name| Fault::new("before_write", name, late));
    let begun = Instant::now();
    assert!(meta.commit(put("seen", 1)).is_err());
    drop(faults);
    wait_for("commits are taken", || !meta.has_stopped());
    assert!(begun.elapsed() > Duration::from_secs(4), "{:?}", begun.elapsed());
    drop(slow);
    let row = meta.get::<Object>(&keys::current(BUCKET, "seen"), Tier::Any).unwrap();
    assert!(matches!(row, Lookup::Found(_)), "{row:?}");
    wait_for_all(&meta, 3);
}

/// One that is silent and not ahead is not.
#[test]
fn an_election_does_not_wait_for_long_for_a_replica_that_is_not_ahead() {
    let places = Places::new("even", 3);
    let meta = places.open();
    wait_for_all(&meta, 3);
    write(&meta, 0..10).unwrap();
    wait_for_all(&meta, 3);
    let slow = Fault::new("before_report", "even0", delay(8000));
    let faults = ["even0", "even1", "even2"].map(|name| Fault::new("before_write", name, Action::Error));
    let begun = Instant::now();
    assert!(meta.commit(put("gone", 1)).is_err());
    drop(faults);
    wait_for("commits are taken", || !meta.has_stopped());
    assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", begun.elapsed());
    drop(slow);
    check(&meta, 0..10);
    wait_for_all(&meta, 3);
}

fn open_two(places: &[ReplicaPlace]) -> Meta {
    let options = Options { durability: Durability::Strict, voters: 2, ..options() };
    Meta::open(places, &options, Arc::new(Metrics::new().unwrap()), &SystemClock).unwrap()
}

/// Of two, one is enough for a start. So the third goes when both of the others have what was acknowledged.
#[test]
fn one_of_three_leaves_when_both_others_have_everything() {
    let places = Places::new("fewer", 3);
    let meta = places.open();
    wait_for_all(&meta, 3);
    let slow = Fault::new("before_write", "fewer1", delay(1500));
    let begun = Instant::now();
    write(&meta, 0..1).unwrap();
    assert!(begun.elapsed() < Duration::from_millis(1200), "two of three have it");
    meta.detach("fewer2").unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(1400), "{:?}", begun.elapsed());
    let last = meta.set.replica("fewer1").unwrap().database().unwrap().last_commit().unwrap();
    assert_eq!(last.number, meta.newest_commit());
    drop((slow, meta));
    let meta = open_two(&places.places[1..2]);
    check(&meta, 0..1);
    assert!(meta.has_stopped(), "it takes both to commit");
}

#[test]
fn one_of_three_stays_while_another_has_failed() {
    let places = Places::new("stays", 3);
    let meta = places.open();
    wait_for_all(&meta, 3);
    let fault = Fault::new("before_write", "stays1", Action::Error);
    write(&meta, 0..5).unwrap();
    assert!(meta.detach("stays2").is_err());
    let left = meta.replicas().into_iter().find(|status| status.name == "stays2").unwrap();
    assert!(left.voter);
    write(&meta, 5..10).unwrap();
    drop(fault);
    wait_for_all(&meta, 3);
    meta.detach("stays2").unwrap();
    write(&meta, 10..11).unwrap();
    drop(meta);
    check(&open_two(&places.places[1..2]), 0..11);
}

/// A replica that is being copied must not be kept open by that: having failed, it has to be closed and opened anew.
#[test]
fn a_copy_is_given_up_when_its_source_does_not_lead_any_more() {
    let places = Places::new("source", 3);
    let meta = places.open();
    write(&meta, 0..50).unwrap();
    wait_for_all(&meta, 3);
    flush(&meta);
    drop(meta);
    std::fs::remove_dir_all(places.path(2)).unwrap();
    let slow = Fault::new("copying", "source2", delay(3000));
    let meta = places.open();
    wait_for("it is copied", || matches!(places.role(&meta, 2), Role::Rebuilding { .. }));
    wait_for("both follow", || matches!(places.role(&meta, 1), Role::Follower));
    let source = (0..2).find(|which| places.role(&meta, *which) == Role::Leader).unwrap();
    let fault = Fault::new("before_write", &format!("source{source}"), Action::Error);
    assert!(meta.commit(put("doubt", 1)).is_err(), "two are needed");
    drop(fault);
    let begun = Instant::now();
    // Which needs the source: opened anew, although pieces of it are copied slowly.
    wait_for("commits are taken", || !meta.has_stopped());
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    drop(slow);
    write(&meta, 50..51).unwrap();
    wait_for_all(&meta, 3);
    check(&meta, 0..51);
}
