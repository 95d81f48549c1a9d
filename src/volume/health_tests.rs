use super::*;

/// Every state with every event, as it is drawn.
#[test]
fn the_table_of_transitions() {
    use Event::*;
    let now = Instant::now();
    let (due, early) = (State::Failed { until: now }, State::Failed { until: now + PROBE_AFTER / 2 });
    let failed = State::Failed { until: now + PROBE_AFTER };
    let (healthy, probing) = (State::Healthy, State::Probing);
    let (once, twice) = (State::Suspect(1), State::Suspect(2));
    let events = [Success, Failure, Refused, ProbeBegins, ProbePassed, ProbeFailed, Attached];
    let rows = [
        (healthy, [healthy, once, failed, healthy, healthy, healthy, healthy]),
        (once, [healthy, twice, failed, once, once, once, healthy]),
        (twice, [healthy, failed, failed, twice, twice, twice, healthy]),
        (early, [early, early, early, early, early, early, healthy]),
        (due, [due, due, due, probing, due, due, healthy]),
        (probing, [probing, probing, probing, probing, twice, failed, healthy]),
    ];
    for (state, after) in rows {
        for (event, expected) in events.into_iter().zip(after) {
            assert_eq!(next(state, event, now), expected, "{event:?} in {state:?}");
        }
    }
}

fn fail(health: &Health, used: Use) {
    while health.may(used) {
        health.failed(used, Instant::now());
    }
}

#[test]
fn three_failures_in_a_row_open_the_circuit_and_two_do_not() {
    let health = Health::default();
    for _ in 0..2 {
        assert!(!health.failed(Use::Read, Instant::now()));
        assert!(!health.failed(Use::Look, Instant::now()));
        assert!(health.may_read());
        health.succeeded(Use::Read);
    }
    assert!(!health.failed(Use::Read, Instant::now()));
    assert!(!health.failed(Use::Read, Instant::now()));
    assert!(health.failed(Use::Read, Instant::now()), "the one that opens it says so");
    assert!(!health.failed(Use::Read, Instant::now()));
    assert!(!health.may_read());
    assert!(!health.may_write(), "what cannot be read is not written to");
}

/// A frozen file system reads, and even opens files; neither hides that nothing can be written.
#[test]
fn reads_do_not_count_in_favour_of_writes() {
    let health = Health::default();
    for _ in 0..3 {
        health.failed(Use::Sync, Instant::now());
        health.succeeded(Use::Read);
        health.succeeded(Use::Write);
    }
    assert!(!health.may_write());
    assert!(health.may_read());
}

#[test]
fn a_read_only_file_system_is_not_written_to_again_and_read_still() {
    let health = Health::default();
    assert!(health.refused(Use::Sync));
    assert!(!health.may_write());
    assert!(health.may_read());
}

#[test]
fn a_probe_decides_and_nobody_else() {
    let (health, now) = (Health::default(), Instant::now());
    fail(&health, Use::Sync);
    assert!(!health.begin_probe(now), "it is left alone at first");
    let due = now + PROBE_AFTER * 2;
    assert!(health.begin_probe(due));
    assert!(!health.begin_probe(due + PROBE_AFTER * 100), "one that hangs is not followed by another");
    health.succeeded(Use::Sync);
    assert!(!health.may_write(), "a late answer");
    health.probed(true, false, due);
    assert!(!health.may_write());
    assert!(!health.begin_probe(due));
    assert!(health.begin_probe(due + PROBE_AFTER));
    health.probed(true, true, due);
    assert!(health.may_write());
    health.failed(Use::Sync, Instant::now());
    assert!(!health.may_write(), "it was on probation");
    assert!(health.begin_probe(due + PROBE_AFTER * 9));
    health.probed(true, true, due);
    health.succeeded(Use::Sync);
    health.failed(Use::Sync, Instant::now());
    assert!(health.may_write(), "it has proved itself");
}

#[test]
fn a_healthy_volume_is_not_probed() {
    let health = Health::default();
    assert!(!health.begin_probe(Instant::now() + PROBE_AFTER * 9));
    fail(&health, Use::Read);
    health.attached();
    assert!(health.may_write());
}

#[test]
fn one_hiccup_that_meets_many_requests_is_one_failure() {
    let (health, since) = (Health::default(), Instant::now());
    for _ in 0..100 {
        assert!(!health.failed(Use::Sync, since));
    }
    assert_eq!(health.writes(), State::Suspect(1));
    health.failed(Use::Read, since);
    assert_eq!(health.reads(), State::Suspect(1), "each circuit counts by itself");
    health.failed(Use::Sync, Instant::now());
    assert!(health.failed(Use::Sync, Instant::now()));
}
