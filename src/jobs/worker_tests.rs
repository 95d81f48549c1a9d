#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Job;
use super::Jobs;
use super::Running;
use super::Step;
use crate::base::Timestamp;
use crate::jobs::Command;
use crate::jobs::Control;
use crate::jobs::NoSuchJob;
use crate::jobs::Progress;
use crate::jobs::State;
use crate::store::Pace as _;
use crate::store::tests::Fixture;
use crate::sys::clock::SystemClock;

const STEP_BYTES: u64 = 1000;
const STEPS: usize = 5;

/// Passes of a few steps, begun on demand.
struct Walk {
    at: usize,
    running: bool,
    passes: Arc<AtomicUsize>,
}

impl Walk {
    fn new(passes: &Arc<AtomicUsize>) -> Self {
        Self { at: 0, running: false, passes: Arc::clone(passes) }
    }

    async fn walk(&mut self, control: &Control) -> Step {
        if control.take_request() {
            self.running = true;
            let total_bytes = STEPS as u64 * STEP_BYTES;
            control.begin(Progress {
                done_bytes: self.at as u64 * STEP_BYTES,
                total_bytes,
                ..Progress::default()
            });
        }
        if !self.running {
            return Step::Idle;
        }
        self.at += 1;
        control.advance(STEP_BYTES, 1);
        control.spent(STEP_BYTES, Duration::from_millis(1)).await;
        if self.at < STEPS {
            return Step::Busy;
        }
        (self.at, self.running) = (0, false);
        self.passes.fetch_add(1, Ordering::Relaxed);
        Step::Idle
    }
}

impl Job for Walk {
    fn name(&self) -> &'static str {
        "walk"
    }

    fn pause(&self) -> Duration {
        Duration::from_secs(3600)
    }

    fn cursor(&self) -> Vec<u8> {
        vec![self.at as u8]
    }

    fn resume(&mut self, cursor: &[u8]) {
        self.at = cursor.first().copied().unwrap_or(0).into();
    }

    fn step<'a>(&'a mut self, control: &'a Control) -> Running<'a> {
        Box::pin(async { Ok(self.walk(control).await) })
    }
}

fn start(fixture: &Fixture, passes: &Arc<AtomicUsize>) -> Jobs {
    let passes = Arc::clone(passes);
    let make = move || -> Vec<Box<dyn Job>> { vec![Box::new(Walk::new(&passes))] };
    Jobs::start(Arc::clone(&fixture.store), Arc::new(SystemClock), make).unwrap()
}

async fn until(condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it does not come to pass");
}

#[tokio::test]
async fn a_command_is_done_and_what_must_last_outlives_a_restart() {
    let fixture = Fixture::new(1, 1);
    let passes = Arc::new(AtomicUsize::new(0));
    let jobs = start(&fixture, &passes);
    let board = jobs.board();
    assert_eq!(board.command("wlak", Command::Start), Err(NoSuchJob("wlak".to_owned())));
    let status = || board.list()[0].clone();
    assert_eq!((status().state, status().last_finished), (State::Idle, None));
    board.command("walk", Command::Start).unwrap();
    until(|| status().last_finished.is_some()).await;
    assert_eq!((status().done_bytes, passes.load(Ordering::Relaxed)), (5000, 1));
    // A rate at which the next pass takes long, and it is changed while somebody waits for it.
    board.command("walk", Command::Rate(100)).unwrap();
    board.command("walk", Command::Start).unwrap();
    until(|| status().state == State::Running && status().done_bytes == 1000).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(status().done_bytes, 1000, "ten seconds for each step");
    board.command("walk", Command::Pause).unwrap();
    board.command("walk", Command::Rate(0)).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!((status().state, status().done_bytes), (State::Paused, 1000));
    board.command("walk", Command::Rate(1 << 40)).unwrap();
    jobs.stop();
    let jobs = start(&fixture, &passes);
    let board = jobs.board();
    let status = || board.list()[0].clone();
    until(|| status().state == State::Paused).await;
    assert_eq!(status().rate_bytes_per_second, 1 << 40);
    assert!(status().last_finished > Some(Timestamp::from_secs(1)));
    board.command("walk", Command::Start).unwrap();
    until(|| passes.load(Ordering::Relaxed) == 2).await;
    assert_eq!(status().done_bytes, 5000, "the pass went on where it was, to its end");
    jobs.stop();
}

#[tokio::test]
async fn a_job_rests_while_clients_are_there() {
    let traffic = Arc::default();
    let control = Control::new("job", 4, Arc::clone(&traffic), Arc::new(SystemClock));
    let begun = std::time::Instant::now();
    control.spent(1, Duration::from_millis(20)).await;
    assert!(begun.elapsed() < Duration::from_millis(20));
    let client = traffic.enter();
    control.spent(1, Duration::from_millis(20)).await;
    assert!(begun.elapsed() >= Duration::from_millis(80));
    drop(client);
    assert!(traffic.is_busy(), "for a moment still");
}

#[tokio::test]
async fn a_rate_is_kept_by_several_at_once() {
    let control = Control::new("job", 0, Arc::default(), Arc::new(SystemClock));
    control.set_own_rate(1_000_000);
    let begun = std::time::Instant::now();
    let work = || async {
        for _ in 0..10 {
            control.spent(10_000, Duration::ZERO).await;
        }
    };
    tokio::join!(work(), work(), work());
    // 300,000 bytes, of which a tenth of a second was saved up.
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(190), "{took:?}");
    assert!(took < Duration::from_millis(900), "{took:?}");
}
