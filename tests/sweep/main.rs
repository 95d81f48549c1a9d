#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
//! Every place where short work can stop, tried one after the other: the power goes at the first, the second, the third
//! operation of the disks ([`crash_states`]), or that operation fails ([`faults`]).
//!
//! RocksDB does its own file access and is not among these operations. Its system calls are failed one by one by the
//! drills under `conformance/`, which start a server as a child for that.
//!
//! `HOLDALL_SWEEP=long` tries everything; otherwise as much as a minute allows.

mod crash_states;
mod faults;
#[path = "../rig/mod.rs"]
mod rig;

/// Failpoints are those of the whole process: a test that sets one writes this, others read it.
static ALONE: parking_lot::RwLock<()> = parking_lot::RwLock::new(());

/// Whether to try everything.
fn is_long() -> bool {
    std::env::var("HOLDALL_SWEEP").is_ok_and(|form| form == "long")
}

/// Worlds at once: most of their time they wait for threads of the store.
const AT_ONCE: usize = 4;

/// Does every item, several at once; the sum of what they count.
fn for_each<T: Sync>(items: &[T], work: impl Fn(&T) -> usize + Sync) -> usize {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;
    let (next, sum) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let worker = || {
            while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                sum.fetch_add(work(item), Ordering::Relaxed);
            }
        };
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().for_each(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
    });
    sum.into_inner()
}

/// Runs work that awaits, on this thread.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}
