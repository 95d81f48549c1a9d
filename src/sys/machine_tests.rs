#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

#[test]
fn the_machine_has_something() {
    let machine = Machine::observe();
    assert!(machine.cores >= 1);
    assert!(machine.memory_bytes >= 64 << 20);
}

#[test]
fn this_process_uses_something() {
    let usage = Usage::observe();
    assert!(usage.resident_bytes > 1 << 20);
    assert!(usage.open_files >= 3 && usage.open_files <= usage.open_files_max);
    assert!(usage.threads >= 1);
}

#[test]
fn processor_time_is_found_behind_any_name() {
    let ticks = rustix::param::clock_ticks_per_second();
    let stat = "7 (a ) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 1 0 100 1 1 1";
    assert_eq!(cpu_time(stat), Some(Duration::from_millis(300 * 1000 / ticks)));
    assert_eq!(cpu_time(""), None);
}

#[test]
fn open_files_are_raised_to_what_is_allowed() {
    assert_eq!(raise_open_files(), Usage::observe().open_files_max);
}
