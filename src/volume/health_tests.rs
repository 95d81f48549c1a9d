use super::*;

#[test]
fn three_failures_in_a_row_open_the_circuit_and_two_do_not() {
    let (health, now) = (Health::default(), Instant::now());
    for _ in 0..2 {
        health.failed(now);
        health.failed(now);
        assert!(health.may_ask(now));
        health.succeeded();
    }
    for _ in 0..3 {
        health.failed(now);
    }
    assert!(!health.may_ask(now));
    assert!(!health.may_ask(now + PROBE_AFTER / 2));
}

#[test]
fn of_a_failed_volume_one_caller_probes_and_decides() {
    let (health, now) = (Health::default(), Instant::now());
    (0..3).for_each(|_| health.failed(now));
    let later = now + PROBE_AFTER;
    assert!(health.may_ask(later), "the probe");
    assert!(!health.may_ask(later), "the others wait for it");
    health.failed(later);
    assert!(!health.may_ask(later + PROBE_AFTER / 2));
    let last = later + PROBE_AFTER;
    assert!(health.may_ask(last));
    health.succeeded();
    assert!(health.may_ask(last));
    assert_eq!(health.state(), State::Healthy);
}

#[test]
fn a_probe_that_never_comes_back_is_followed_by_another() {
    let (health, now) = (Health::default(), Instant::now());
    (0..3).for_each(|_| health.failed(now));
    assert!(health.may_ask(now + PROBE_AFTER));
    assert!(health.may_ask(now + PROBE_AFTER * 2));
}
