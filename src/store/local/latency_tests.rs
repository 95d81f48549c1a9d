use super::*;

#[test]
fn the_average_follows_the_last_answers() {
    let latencies = Latencies::default();
    assert_eq!(latencies.hedge_after(), HEDGE_MIN, "nothing is known yet");
    (0..100).for_each(|_| latencies.note(Use::Read, Duration::from_millis(2)));
    let reads = latencies.reads();
    assert!((1900..=2000).contains(&reads.as_micros()), "{reads:?}");
    assert_eq!(latencies.hedge_after(), HEDGE_MIN);
    (0..100).for_each(|_| latencies.note(Use::Read, Duration::from_millis(40)));
    assert!(latencies.hedge_after() > Duration::from_millis(150), "a disk that is slower is given more time");
    (0..100).for_each(|_| latencies.note(Use::Read, Duration::from_secs(9)));
    assert_eq!(latencies.hedge_after(), LAG_MAX);
    assert_eq!(latencies.syncs(), Duration::ZERO);
}
