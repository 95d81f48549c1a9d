#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
//! Random steps on a store over simulated disks, and the same on the model: after every one the two agree.
//!
//! A life is a few thousand steps on an empty store: requests of a client, jobs, and faults (volumes that break, hang
//! or lose everything, rot, restarts, power cuts between and within requests). Its seed is all there is to know about it.
//! When one fails, the trace is cut down to what is needed for that, and printed with the seed.
//!
//! `cargo test --test model` lives a few lives. The long form is `make model`, or
//! `HOLDALL_MODEL_OPERATIONS=1000000 [HOLDALL_MODEL_SEED=7] cargo test --release --test model -- --nocapture`;
//! with a seed of its own and few operations it lives one life again.

#[path = "../rig/mod.rs"]
mod rig;
mod shrink;
mod trace;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use rig::world::Shape;
use rig::world::Step;
use rig::world::World;

/// Steps in one life: enough for faults to meet what earlier ones left, few enough to be cut down.
const STEPS: usize = 4000;

/// What the short form takes at the most, on a slow machine with one core to itself.
const SHORT: Duration = Duration::from_secs(12);

/// Lives that go on at once: most steps wait for threads of the store.
const AT_ONCE: usize = 4;

const SHAPES: [Shape; 6] = [
    Shape { volumes: 3, replicas: 3, metas: 1 },
    Shape { volumes: 1, replicas: 1, metas: 1 },
    Shape { volumes: 3, replicas: 2, metas: 1 },
    Shape { volumes: 5, replicas: 3, metas: 1 },
    Shape { volumes: 2, replicas: 2, metas: 1 },
    Shape { volumes: 3, replicas: 3, metas: 3 },
];

/// One run of a trace.
struct Life {
    seed: u64,
    shape: Shape,
}

/// Where and why a run ended before its end.
#[derive(Debug)]
struct Death {
    at: usize,
    why: String,
}

/// How often what happened.
type Tally = BTreeMap<&'static str, usize>;

impl Life {
    fn of(seed: u64) -> Self {
        Self { seed, shape: SHAPES[seed as usize % SHAPES.len()] }
    }

    /// Walks through `steps` from the beginning.
    fn run(&self, steps: &[Step]) -> Result<Tally, Death> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new(self.shape, self.seed).await;
            for (at, step) in steps.iter().enumerate() {
                let walked = AssertUnwindSafe(world.walk(step)).catch_unwind().await;
                let verdict = walked.unwrap_or_else(|_| Err("it panicked".to_owned()));
                verdict.map_err(|why| Death { at, why })?;
            }
            Ok(world.tally)
        })
    }
}

/// Lives one life of so many steps, or fails with everything that is needed to see it fail again.
fn live(seed: u64, steps: usize) -> Tally {
    let life = Life::of(seed);
    let steps = trace::steps(seed, steps, life.shape);
    life.run(&steps).unwrap_or_else(|death| {
        let (trace, why) = shrink::shrink(&life, &steps, &death);
        let lines: String = trace.iter().map(|step| format!("  {step:?}\n")).collect();
        panic!(
            "seed {seed}, {:?}, step {} of {}: {}\ncut down to {} steps:\n{lines}which end: {why}",
            life.shape,
            death.at,
            steps.len(),
            death.why,
            trace.len()
        );
    })
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Lives from `seed` on until so many operations are done or the time is up.
fn lives(seed: u64, operations: usize, time: Duration) {
    let tally = Mutex::new(Tally::new());
    let (next, done, begun) = (AtomicU64::new(seed), AtomicU64::new(0), Instant::now());
    let worker = || {
        while (done.load(Ordering::Relaxed) as usize) < operations && begun.elapsed() < time {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let left = operations - done.load(Ordering::Relaxed) as usize;
            let steps = STEPS.min(left) as u64;
            for (what, count) in live(seed, steps as usize) {
                *tally.lock().entry(what).or_default() += count;
            }
            let so_far = done.fetch_add(steps, Ordering::Relaxed) + steps;
            if so_far / 100_000 != (so_far - steps) / 100_000 {
                println!("{so_far} operations in {:.0?}", begun.elapsed());
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
    let (done, span) = (done.into_inner(), begun.elapsed());
    println!(
        "{done} operations in {} lives from seed {seed}, 0 differences, {span:.0?}, {:.0} operations a second",
        next.into_inner() - seed,
        done as f64 / span.as_secs_f64()
    );
    println!("among them: {:?}", tally.into_inner());
}

#[test]
fn a_store_answers_as_the_model_does() {
    let seed = setting("HOLDALL_MODEL_SEED").unwrap_or(1);
    match setting("HOLDALL_MODEL_OPERATIONS") {
        Some(operations) => lives(seed, operations as usize, Duration::MAX),
        None => lives(seed, 100_000, SHORT),
    }
}
