#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use super::Control;
use super::Reclaimer;
use super::Sweep;
use super::SweepSettings;
use super::worker::Job;
use super::worker::Jobs;
use super::worker::Step;
use crate::store::tests::Fixture;
use crate::store::tests::LARGE;
use crate::store::tests::body;
use crate::sys::clock::SystemClock;

const NOW: SweepSettings = SweepSettings { pause: Duration::from_millis(5), age: Duration::ZERO };

async fn until_idle(job: &mut dyn Job) -> usize {
    let control = Control::new(job.name(), 0, Arc::default(), Arc::new(SystemClock));
    for steps in 1..1000 {
        if job.step(&control).await.unwrap() == Step::Idle {
            return steps;
        }
    }
    panic!("{} never rests", job.name());
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
