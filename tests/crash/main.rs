#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
//! Dies at every failpoint on the ladder of a write and looks at what is left.
//!
//! `cargo test --features failpoints --test crash [-- FAILPOINT]`. The test starts itself as a child that runs seeded
//! operations in several tasks, says what it begins and what was acknowledged, and dies at a failpoint; then it opens
//! the same directory and checks that
//! - what was acknowledged is there, byte for byte, and nothing that was deleted has come back;
//! - what was under way is there whole or not at all;
//! - listing, counters and part files agree, and after a sweep no orphan is left.
//!
//! The directory lives on through several deaths, so each start also begins from what the last one left.

#[path = "../rig/mod.rs"]
mod rig;
mod workload;

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use holdall::meta::Durability;
use rig::Rig;
use workload::Value;

/// Every rung, and how many passes of it go by first at the most.
const FAILPOINTS: [(&str, u64); 22] = [
    ("volume::part::before_write", 20),
    ("volume::part::before_tail", 40),
    ("volume::part::before_sync", 40),
    ("volume::part::before_dir_sync", 40),
    ("volume::part::after_dir_sync", 40),
    ("store::stage::landed", 30),
    ("store::commit::before_submit", 80),
    ("meta::commit::before_write", 60),
    ("meta::commit::after_write", 60),
    ("meta::commit::before_ack", 60),
    ("meta::replica::before_write", 60),
    ("meta::replica::after_write", 60),
    ("store::commit::before_reply", 80),
    ("store::reclaim::before_unlink", 20),
    ("store::reclaim::after_unlink", 20),
    ("store::sweep::before_unlink", 0),
    ("store::repair::before_copy", 30),
    ("store::repair::before_finish", 30),
    ("store::repair::after_finish", 30),
    ("store::repair::before_quarantine", 30),
    ("store::repair::before_adopt", 30),
    ("store::repair::before_row", 30),
];

/// Those on the way of a metadata replica that is made anew; before each death one is lost.
const REBUILD: [&str; 4] = [
    "meta::replica::copying",
    "meta::replica::before_swap",
    "meta::replica::between_renames",
    "meta::replica::after_renames",
];

fn is_rebuild(failpoint: &str) -> bool {
    REBUILD.iter().any(|rebuild| failpoint.starts_with(rebuild))
}

/// Deaths at each, one after the other in the same directory.
const DEATHS: u64 = 3;

/// Longest time to be ready again: what hangs is found, what is slow because the machine is busy is not.
const READY_MAX: Duration = Duration::from_secs(30);

fn main() {
    if let Ok(child) = std::env::var("HOLDALL_CRASH_CHILD") {
        let words: Vec<&str> = child.split('|').collect();
        let [directory, failpoint, passes, seed, volumes] = words[..] else { panic!("{child}") };
        workload::run(
            Path::new(directory),
            failpoint,
            passes.parse().unwrap(),
            seed.parse().unwrap(),
            volumes.parse().unwrap(),
        );
        return;
    }
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let mut scenarios = 0;
    for (volumes, mode) in [(1, "kill"), (3, "kill"), (3, "error")] {
        for (failpoint, passes_max) in FAILPOINTS.iter().filter(|(failpoint, _)| failpoint.contains(&filter))
        {
            // Only these can fail; the others can only die.
            let fallible = [
                "volume::part::before_write",
                "volume::part::before_sync",
                "meta::commit::before_write",
                "meta::replica::before_write",
            ];
            // With one volume there is nothing to repair from.
            let is_met = volumes > 1 || !failpoint.starts_with("store::repair::");
            if is_met && (mode == "kill" || fallible.contains(failpoint)) {
                scenario(&format!("{failpoint}={mode}"), *passes_max, volumes);
                scenarios += 1;
            }
        }
    }
    for failpoint in REBUILD.iter().filter(|failpoint| failpoint.contains(&filter)) {
        scenario(&format!("{failpoint}=kill"), 0, 3);
        scenarios += 1;
    }
    // As the standard harness counts.
    println!("test result: ok. {scenarios} passed; 0 failed");
}

/// What each key may hold: after a death, what was acknowledged last or anything that was under way behind it.
type Known = BTreeMap<String, Vec<Option<Value>>>;

fn scenario(failpoint: &str, passes_max: u64, volumes: u8) {
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut known = Known::new();
    let (mut acknowledged, mut slowest) = (0, Duration::ZERO);
    if is_rebuild(failpoint) {
        // Of replicas that never held anything none is lost.
        let rig = Rig::open(directory.path(), volumes, usize::from(volumes), Durability::Strict);
        drop(runtime.block_on(rig).unwrap());
    }
    for death in 0..DEATHS {
        // The sweep has orphans to take only when a death has left some that nobody took since.
        let deaths = match failpoint.contains("sweep") {
            true => vec![("store::stage::landed=kill", false), (failpoint, true)],
            false => vec![(failpoint, true)],
        };
        for (failpoint, tidy) in deaths {
            let seed = death * 7919 + passes_max + u64::from(volumes);
            let passes = rig::Dice(seed << 3 | 1).below(passes_max + 1);
            let child = Child { directory: directory.path(), failpoint, passes, seed, volumes };
            acknowledged += child.live_and_die(&mut known);
            let examined = examine(directory.path(), volumes, &mut known, (failpoint, tidy));
            slowest = slowest.max(runtime.block_on(examined));
        }
    }
    println!("{failpoint:40} {volumes} volumes: {acknowledged} acknowledged, ready in {slowest:.0?}");
}

struct Child<'a> {
    directory: &'a Path,
    failpoint: &'a str,
    passes: u64,
    seed: u64,
    volumes: u8,
}

impl Child<'_> {
    /// Writes down what the child says until it dies; returns how much it acknowledged.
    fn live_and_die(&self, known: &mut Known) -> usize {
        let Self { directory, failpoint, passes, seed, volumes } = self;
        let rebuilds = is_rebuild(failpoint);
        if rebuilds {
            // What the last death left of it is still there, or has been put right.
            let _ = std::fs::remove_dir_all(directory.join("disk1/meta"));
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            // It is passed before the first operation.
            .env("HOLDALL_FAILPOINTS", if rebuilds { failpoint } else { "" })
            .env(
                "HOLDALL_CRASH_CHILD",
                format!("{}|{failpoint}|{passes}|{seed}|{volumes}", directory.display()),
            )
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut acknowledged, mut reached) = (0, false);
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let (word, rest) = line.split_at(1);
            match word {
                "B" => {
                    let (key, value) = rest.split_once(' ').unwrap();
                    known.entry(key.to_owned()).or_insert_with(|| vec![None]).push(Value::parse(value));
                }
                "A" => {
                    let possible = known.get_mut(rest).unwrap();
                    possible.drain(..possible.len() - 1);
                    acknowledged += 1;
                }
                // Failed: it may have happened or not, like one that death cut off.
                "E" => {}
                "R" => reached = true,
                _ => panic!("the child said {line:?}"),
            }
        }
        let status = child.wait().unwrap();
        // Without a code it died by its own hand, at the failpoint.
        reached |= status.code().is_none();
        assert!(reached, "{failpoint} was not reached behind {passes} operations: {status}");
        assert!(failpoint.ends_with("kill") || status.success(), "{failpoint}: {status}");
        acknowledged
    }
}

/// Opens what is left and checks it. Afterwards `known` holds exactly what was found.
async fn examine(
    directory: &Path,
    volumes: u8,
    known: &mut Known,
    (failpoint, tidy): (&str, bool),
) -> Duration {
    let begun = Instant::now();
    let replicas = usize::from(volumes);
    let rig = Rig::open(directory, volumes, replicas, Durability::Strict).await.unwrap();
    let ready = begun.elapsed();
    assert!(ready < READY_MAX, "ready again in {ready:?}");
    let context = |key: &str| format!("{key} after {failpoint} on {volumes} volumes");
    // Once as it was left, and again when the jobs have done their work.
    for _ in 0..1 + usize::from(tidy) {
        let listed = rig.all().await.unwrap();
        assert!(listed.keys().all(|key| known.contains_key(key)), "listed, never written: {listed:?}");
        for (key, possible) in known.iter_mut() {
            let bytes =
                rig.get(key, 0..u64::MAX).await.unwrap_or_else(|error| panic!("{}: {error}", context(key)));
            assert_eq!(
                listed.get(key).copied(),
                bytes.as_ref().map(|bytes| bytes.len() as u64),
                "{}",
                context(key)
            );
            let found = possible.iter().find(|value| value.map(|value| value.bytes()) == bytes);
            let found = *found.unwrap_or_else(|| panic!("{} is not as acknowledged", context(key)));
            *possible = vec![found];
        }
        if tidy {
            rig.tidy_up().await.unwrap();
            let copies = if failpoint.ends_with("error") { replicas / 2 + 1 } else { replicas };
            rig.check_books(copies).await.unwrap_or_else(|error| panic!("{}: {error}", context("the books")));
        }
    }
    ready
}
