#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

#[test]
fn a_name_with_blanks_and_brackets_does_not_shift_the_fields() {
    let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 300 41 0 0 20 0";
    assert_eq!(process_ticks(stat), Some(341));
    assert_eq!(process_ticks("7 (a) S 1"), None);
}

#[test]
fn waiting_for_disks_is_idleness_and_stolen_time_is_not() {
    let stat = "cpu  10 1 5 100 20 2 3 4 9 9\ncpu0 1 1 1 1";
    assert_eq!(machine_ticks(stat), (25, 145));
    assert_eq!(machine_ticks(""), (0, 0));
}

#[test]
fn memory_is_found_by_its_name() {
    let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
    assert_eq!(field_kib(status, "VmHWM:"), Some(2048));
    assert_eq!(field_kib(status, "VmRSS:"), Some(1024));
    assert_eq!(field_kib(status, "VmPeak:"), None);
}

#[test]
fn this_process_uses_time_and_memory() {
    let this = Processes::new(&[std::process::id()], true);
    let before = this.cpu();
    let begun = std::time::Instant::now();
    let mut sum = 0_u64;
    while begun.elapsed().as_millis() < 60 {
        sum = std::hint::black_box(sum.wrapping_add(1));
    }
    let spent = this.cpu().since(before);
    assert!(spent.server > 0.0 && spent.client > 0.0 && spent.total > 0.0, "{spent:?}");
    let (peak, now) = this.resident_kib();
    assert!(peak >= now && now > 0);
    assert!(this.missing().is_empty());
    assert_eq!(Processes::new(&[u32::MAX], false).missing(), [u32::MAX]);
}
