//! Disks that fail or hang under a running server.

use std::time::Duration;
use std::time::Instant;

use super::replicas::Places;
use super::replicas::check;
use super::replicas::wait_for;
use super::replicas::wait_for_all;
use super::replicas::write;
use super::*;
use crate::base::BlobId;
use crate::sys::failpoint::Action;
use crate::sys::failpoint::set;

/// What happens in one replica until it is dropped.
pub(super) struct Fault(String);

impl Fault {
    pub(super) fn new(step: &str, name: &str, action: Action) -> Self {
        let point = format!("meta::replica::{step}::{name}");
        set(&point, Some(action));
        Self(point)
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        set(&self.0, None);
    }
}

pub(super) const fn delay(millis: u64) -> Action {
    Action::Delay(Duration::from_millis(millis))
}

#[test]
fn a_slow_follower_holds_nobody_up() {
    let places = Places::new("slow", 3);
    let meta = places.open();
    wait_for_all(&meta, 3);
    let slow = Fault::new("before_write", "slow2", delay(200));
    let begun = Instant::now();
    write(&meta, 0..50).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop(slow);
    wait_for_all(&meta, 3);
    check(&meta, 0..50);
}

#[test]
fn a_leader_that_hangs_loses_the_lead() {
    let places = Places::new("hang", 3);
    let meta = places.open();
    wait_for_all(&meta, 3);
    assert_eq!(places.role(&meta, 0), Role::Leader);
    let hang = Fault::new("before_write", "hang0", delay(6000));
    let begun = Instant::now();
    write(&meta, 0..30).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_ne!(places.role(&meta, 0), Role::Leader);
    check(&meta, 0..30);
    drop(hang);
    wait_for_all(&meta, 3);
}

#[test]
fn a_leader_that_fails_is_replaced_and_comes_back() {
    let places = Places::new("fail", 3);
    let meta = places.open();
    wait_for_all(&meta, 3);
    for step in ["before_write", "after_write"] {
        let leader = meta.replicas().into_iter().find(|one| one.role == Role::Leader).unwrap().name;
        let fault = Fault::new(step, &leader, Action::Error);
        let newest = meta.usage(BUCKET).unwrap().objects as u16;
        write(&meta, newest..newest + 10).unwrap();
        assert!(!meta.has_stopped());
        drop(fault);
        wait_for_all(&meta, 3);
        check(&meta, 0..newest + 10);
    }
}

/// A group without a majority is in doubt and not acknowledged; service goes on by itself, whatever became of it.
#[test]
fn a_lost_majority_comes_back_by_itself() {
    let places = Places::new("lose", 3);
    let meta = places.open();
    wait_for_all(&meta, 3);
    write(&meta, 0..10).unwrap();
    for step in ["before_write", "after_write"] {
        let faults = [1, 2].map(|which| Fault::new(step, &format!("lose{which}"), Action::Error));
        let refused = meta.commit(put("doubt", 1)).unwrap_err().to_string();
        assert!(refused.contains("1 of 3 metadata replicas are there"), "{refused}");
        assert!(meta.has_stopped());
        drop(faults);
        wait_for("commits are taken", || !meta.has_stopped());
        write(&meta, 10..12).unwrap();
        let mut gone = Transaction::new();
        (10..12).for_each(|number| gone.delete(keys::current(BUCKET, &format!("k{number}"))));
        gone.count(BUCKET, UsageDelta::new(-2, -21));
        meta.commit(gone).unwrap();
        wait_for_all(&meta, 3);
        check(&meta, 0..10);
    }
}

/// One that falls too far behind gets no more into its queue, and catches up from the log.
#[test]
fn an_overflow_is_caught_up_from_the_log() {
    let places = Places::new("over", 3);
    let meta = places.open();
    wait_for_all(&meta, 3);
    let hang = Fault::new("before_write", "over2", delay(3000));
    let body = bytes::Bytes::from(vec![5; 3 << 20]);
    for number in 0..26 {
        let mut transaction = Transaction::new();
        transaction.put_inline(BlobId::from_bytes([number; 16]), &body);
        meta.commit(transaction).unwrap();
    }
    let reason = |role| matches!(role, Role::Failed { reason } if reason.contains("fell too far behind"));
    assert!(reason(places.role(&meta, 2)), "{:?}", places.role(&meta, 2));
    drop(hang);
    wait_for_all(&meta, 3);
    write(&meta, 0..5).unwrap();
    wait_for_all(&meta, 3);
}

/// The only replica fails: nothing is acknowledged meanwhile, and it comes back by itself.
#[test]
fn a_failed_write_of_the_only_replica_is_survived() {
    let places = Places::new("only", 1);
    let meta = places.open();
    write(&meta, 0..10).unwrap();
    let fault = Fault::new("before_write", "only0", Action::Error);
    assert!(matches!(meta.commit(put("lost", 1)), Err(CommitError::Unavailable(_))));
    assert!(meta.has_stopped());
    assert!(matches!(meta.commit(put("lost", 1)), Err(CommitError::Unavailable(_))));
    drop(fault);
    wait_for("it is open again", || !meta.has_stopped());
    check(&meta, 0..10);
    write(&meta, 10..20).unwrap();
    check(&meta, 0..20);
    let row = meta.get::<Object>(&keys::current(BUCKET, "lost"), Tier::Any).unwrap();
    assert_eq!(row, Lookup::Absent);
}

#[test]
fn a_dead_committer_is_known() {
    let places = Places::new("dead", 1);
    let meta = places.open();
    meta.submit(put("a", 1), |_| panic!("as a bug would"));
    wait_for("it has stopped", || meta.has_stopped());
    assert!(matches!(meta.commit(put("b", 1)), Err(CommitError::Unavailable(_))));
}

#[test]
fn what_may_pass_is_no_bug() {
    assert!(Error::stopped("no replica is open").may_pass());
    assert!(!Error::corrupt("row", "cut short").may_pass());
}
