#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::admin::tests::fake::job;
use crate::admin::tests::fake::redundancy;
use crate::admin::tests::fake::replica;
use crate::admin::tests::fake::volume;

fn reasons_of(bend: impl FnOnce(&mut Redundancy, &mut Volume, &mut Job)) -> Vec<String> {
    let (mut redundancy, mut volume, mut job) = (redundancy(), volume(1, "/mnt/a"), job("repair"));
    bend(&mut redundancy, &mut volume, &mut job);
    reasons(&redundancy, &[volume], &[job])
}

#[test]
fn nothing_is_amiss_while_nothing_is() {
    assert_eq!(reasons_of(|_, _, _| {}), Vec::<String>::new());
    assert_eq!(reasons_of(|_, volume, _| "suspect".clone_into(&mut volume.health)), Vec::<String>::new());
    assert_eq!(reasons_of(|_, volume, _| "draining".clone_into(&mut volume.state)), Vec::<String>::new());
    assert_eq!(reasons_of(|_, volume, _| volume.metadata = None), Vec::<String>::new());
    assert_eq!(reasons_of(|_, _, job| "paused".clone_into(&mut job.state)), Vec::<String>::new());
    // Not counted yet is not short.
    assert_eq!(reasons_of(|redundancy, _, _| redundancy.blobs_by_copies = None), Vec::<String>::new());
}

#[test]
fn what_is_amiss_is_said() {
    let one = |reasons: Vec<String>| {
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        reasons[0].clone()
    };
    assert_eq!(one(reasons_of(|it, _, _| it.queued = 1)), "1 blob waits for another copy");
    assert_eq!(
        one(reasons_of(|it, _, _| (it.queued, it.lost) = (4, 4))),
        "4 blobs have no good copy on any volume that answers"
    );
    assert_eq!(reasons_of(|it, _, _| (it.queued, it.lost) = (5, 4)).len(), 2);
    assert_eq!(
        one(reasons_of(|it, _, _| it.blobs_by_copies = Some(vec![0, 1, 2, 9, 9]))),
        "3 blobs have fewer than 3 copies on volumes that answer"
    );
    let bad = one(reasons_of(|it, _, _| it.last_scrub.as_mut().unwrap().bad = 2));
    assert!(bad.contains("2 bad copies"), "{bad}");
    let unread = one(reasons_of(|it, _, _| it.last_scrub.as_mut().unwrap().unread = 1));
    assert!(unread.contains("could not read 1 file or volume"), "{unread}");
    let absent = one(reasons_of(|_, volume, _| {
        "absent".clone_into(&mut volume.health);
        volume.reason = Some("no such directory".to_owned());
    }));
    assert_eq!(absent, "the volume /mnt/a is absent: no such directory");
    let rebuilt = one(reasons_of(|_, volume, _| volume.metadata = Some(replica("rebuilding"))));
    assert_eq!(rebuilt, "the metadata on /mnt/a is rebuilding");
    let failed = one(reasons_of(|_, _, job| {
        "failed".clone_into(&mut job.state);
        job.last_error = Some("no room".to_owned());
    }));
    assert_eq!(failed, "the job repair failed and tries again: no room");
}

#[test]
fn the_metadata_is_on_as_many_volumes_as_it_should_be() {
    let with = |role: Option<&str>, state: &str| {
        let mut volume = volume(1, "/mnt/a");
        state.clone_into(&mut volume.state);
        volume.metadata = role.map(replica);
        volume
    };
    let (leads, follows) = (with(Some("leader"), "active"), with(Some("follower"), "active"));
    let none = with(None, "active");
    assert_eq!(short_of_metadata(&[leads.clone(), follows.clone(), none.clone()], 2), None);
    assert_eq!(short_of_metadata(&[leads.clone(), with(None, "draining")], 3), None);
    let short = short_of_metadata(&[leads, follows, none.clone(), none], 3);
    assert_eq!(short.as_deref(), Some("the metadata is on 2 of the 3 volumes that it should be on"));
}

fn ran(name: &str, state: &str, started: &str, finished: &str) -> Job {
    let mut job = job(name);
    state.clone_into(&mut job.state);
    (job.started, job.last_finished) = (Some(started.to_owned()), Some(finished.to_owned()));
    job
}

#[test]
fn a_pass_that_began_before_the_change_does_not_settle_it() {
    let asked = Asked { cause: Cause::Moved, at: "2026-01-02".to_owned() };
    let done = |job: Job| progress(&volume(1, "/a"), Some(&asked), &[job], &redundancy()).unwrap().done;
    assert!(!done(ran("rebalance", "idle", "2026-01-01", "2026-01-01")));
    assert!(!done(ran("rebalance", "idle", "2026-01-01", "2026-01-03")));
    assert!(!done(ran("rebalance", "running", "2026-01-03", "2026-01-01")));
    assert!(!done(ran("rebalance", "paused", "2026-01-03", "2026-01-04")));
    assert!(!done(ran("rebalance", "failed", "2026-01-03", "2026-01-04")));
    let settled = ran("rebalance", "idle", "2026-01-03", "2026-01-04");
    assert!(done(settled.clone()));
    let left = Redundancy { misplaced_copies: 1, ..redundancy() };
    assert!(!progress(&volume(1, "/a"), Some(&asked), &[settled], &left).unwrap().done);
}

#[test]
fn a_new_disk_is_full_when_nothing_waits_for_repair() {
    let asked = Asked { cause: Cause::Replaced, at: "2026-01-02".to_owned() };
    let jobs = |repair: &str| {
        [
            ran("rebalance", "idle", "2026-01-03", "2026-01-04"),
            ran("repair", repair, "2026-01-04", "2026-01-05"),
        ]
    };
    let of = |repair, queued| {
        let redundancy = Redundancy { queued, ..redundancy() };
        progress(&volume(1, "/a"), Some(&asked), &jobs(repair), &redundancy).unwrap()
    };
    assert_eq!((of("running", 0).done, of("running", 0).job.as_str()), (false, "repair"));
    assert!(!of("idle", 3).done);
    assert!(of("idle", 0).done);
}

#[test]
fn only_what_changes_has_progress() {
    let jobs = [ran("rebalance", "idle", "2026-01-01", "2026-01-02")];
    assert_eq!(progress(&volume(1, "/a"), None, &jobs, &redundancy()), None);
    let mut draining = volume(1, "/a");
    "draining".clone_into(&mut draining.state);
    draining.metadata = None;
    assert!(progress(&draining, None, &jobs, &redundancy()).unwrap().done);
    // What an absent one had is copied anew.
    let mut absent = draining.clone();
    "absent".clone_into(&mut absent.health);
    let both = [jobs[0].clone(), job("repair")];
    let waiting = Redundancy { queued: 2, ..redundancy() };
    let waiting = progress(&absent, None, &both, &waiting).unwrap();
    assert_eq!((waiting.done, waiting.job.as_str()), (false, "repair"));
    // A volume whose metadata is needed cannot be removed.
    draining.metadata = Some(replica("follower"));
    let jobs = [jobs[0].clone(), job("metadata")];
    let waiting = progress(&draining, None, &jobs, &redundancy()).unwrap();
    assert_eq!((waiting.done, waiting.job.as_str()), (false, "metadata"));
}
