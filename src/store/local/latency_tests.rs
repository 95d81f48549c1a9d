use super::*;

fn taking(millis: u64) -> Latencies {
    let latencies = Latencies::default();
    (0..100).for_each(|_| latencies.note(Use::Read, Duration::from_millis(millis)));
    latencies
}

#[test]
fn the_average_follows_the_last_answers() {
    let latencies = taking(2);
    assert!((1900..=2000).contains(&latencies.reads().as_micros()), "{:?}", latencies.reads());
    (0..100).for_each(|_| latencies.note(Use::Read, Duration::from_millis(40)));
    assert!(latencies.reads() > Duration::from_millis(38));
    latencies.note(Use::Look, Duration::from_secs(9));
    latencies.note(Use::Write, Duration::from_secs(9));
    assert!(latencies.reads() < Duration::from_millis(41));
    assert_eq!(latencies.syncs(), Duration::ZERO);
}

#[test]
fn disks_that_are_slow_together_are_given_time_and_one_alone_is_not() {
    let (unknown, fast, busy, hung) = (Latencies::default(), taking(2), taking(40), taking(9000));
    assert_eq!(unknown.hedge_after(&unknown), HEDGE_MIN);
    assert_eq!(fast.hedge_after(&hung), HEDGE_MIN);
    assert_eq!(hung.hedge_after(&fast), HEDGE_MIN);
    assert!(busy.hedge_after(&busy) > Duration::from_millis(150));
    assert!(busy.hedge_after(&unknown) > Duration::from_millis(150));
    assert_eq!(hung.hedge_after(&hung), LAG_MAX);
}
