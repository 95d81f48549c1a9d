#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

const MS: Duration = Duration::from_millis(1);

/// Three volumes on a clock of our own, and one write after the other.
struct Bench {
    now: Instant,
    volumes: [Patience; 3],
    dropped: usize,
    left_out: usize,
    waited: Vec<Duration>,
}

impl Bench {
    fn new() -> Self {
        let volumes = [Patience::default(), Patience::default(), Patience::default()];
        Self { now: Instant::now(), volumes, dropped: 0, left_out: 0, waited: Vec::new() }
    }

    /// A write that the volumes would answer after so long, the way `sink` has it.
    fn write(&mut self, takes: [Duration; 3]) {
        let begun = self.now;
        let asked: Vec<usize> = (0..3).filter(|number| self.volumes[*number].may_join(begun)).collect();
        self.left_out += 3 - asked.len();
        let mut order = asked.clone();
        order.sort_by_key(|number| takes[*number]);
        let mut pace = Pace::new(begun);
        for (place, number) in order.iter().enumerate() {
            let until = pace.until(std::iter::once(&self.volumes[*number]));
            let answered = begun + takes[*number];
            let is_dropped = until.is_some_and(|until| answered > until);
            self.now = if is_dropped { until.unwrap() } else { answered };
            self.dropped += usize::from(is_dropped);
            let is_late = is_dropped || pace.is_late(self.now);
            if asked.len() > 2 {
                let _ = self.volumes[*number].note(is_late, begun, self.now);
            }
            if place == 1 {
                pace.reach(self.now);
            }
        }
        self.waited.push(self.now - begun);
        self.now += MS;
    }

    fn percentile_99(&self) -> Duration {
        let mut waited = self.waited.clone();
        waited.sort_unstable();
        waited[waited.len() * 99 / 100]
    }
}

/// Reproducible draws.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// A sync on a noisy disk: some milliseconds, sometimes tens, rarely most of a second.
    fn sync(&mut self) -> Duration {
        let spread = match self.below(1000) {
            0..=9 => 900,
            10..=99 => 120,
            _ => 15,
        };
        MS * (2 + self.below(spread)) as u32
    }
}

#[test]
fn the_jitter_of_a_noisy_disk_drops_next_to_nothing_and_lets_nobody_rest() {
    for seed in 0..20 {
        let (mut bench, mut draws) = (Bench::new(), Draws(seed));
        for _ in 0..20_000 {
            bench.write([draws.sync(), draws.sync(), draws.sync()]);
        }
        assert!(bench.dropped < 3, "{} of 60,000 copies, seed {seed}", bench.dropped);
        assert_eq!(bench.left_out, 0, "seed {seed}");
    }
}

#[test]
fn a_disk_of_another_kind_is_waited_for() {
    let mut bench = Bench::new();
    for number in 0..2000 {
        bench.write([MS, MS * 2, MS * (20 + number % 60)]);
    }
    assert_eq!((bench.dropped, bench.left_out), (0, 0));
}

#[test]
fn a_machine_that_is_slow_as_a_whole_is_waited_for() {
    let mut bench = Bench::new();
    for _ in 0..200 {
        bench.write([MS * 150, MS * 200, MS * 900]);
    }
    assert_eq!((bench.dropped, bench.left_out), (0, 0));
}

#[test]
fn a_volume_that_is_always_far_behind_costs_little_and_returns_when_it_is_well() {
    for slow in [MS * 400, MS * 950, MS * 5000] {
        let mut bench = Bench::new();
        for _ in 0..20 {
            bench.write([MS * 5, MS * 8, slow]);
        }
        assert!(bench.volumes[2].rests());
        let sum: Duration = bench.waited.iter().sum();
        assert!(sum < MS * 5500, "until it rests: {sum:?}");
        bench.waited.clear();
        for _ in 0..20_000 {
            bench.write([MS * 5, MS * 8, slow]);
        }
        assert!(bench.percentile_99() < MS * 125, "{:?}", bench.percentile_99());
        let tried = bench.waited.iter().filter(|waited| **waited > MS * 8).count();
        assert!(tried > 10 && tried < 1000, "{tried} tries, each as long as what is late");
        let begun = bench.now;
        while bench.volumes[2].rests() {
            bench.write([MS * 5, MS * 8, MS * 9]);
        }
        assert!(bench.now - begun < REST_MAX * 2, "{:?}", bench.now - begun);
        let (dropped, left_out) = (bench.dropped, bench.left_out);
        for _ in 0..1000 {
            bench.write([MS * 5, MS * 8, MS * 9]);
        }
        assert_eq!((bench.dropped, bench.left_out), (dropped, left_out), "it gets every copy again");
    }
}

#[test]
fn a_relapse_rests_soon_and_for_longer() {
    let (patience, mut now) = (Patience::default(), Instant::now());
    let mut note = |is_late, times: u8| {
        (0..times).fold(None, |_, _| {
            now += MS;
            patience.note(is_late, now, now + MS)
        })
    };
    assert_eq!(note(true, 7), None);
    assert_eq!(note(true, 1), Some(Turn::Rests));
    assert_eq!(note(false, TRIES - 1), None);
    assert_eq!(note(true, 1), None, "all of them again");
    assert_eq!(note(false, TRIES - 1), None);
    assert_eq!(note(false, 1), Some(Turn::Returns));
    assert_eq!(note(true, 1), None);
    assert_eq!(note(true, 1), Some(Turn::Rests));
    assert!(!patience.may_join(now + REST_MIN), "longer than the first time");
    assert!(patience.may_join(now + REST_MAX + MS));
    assert!(!patience.may_join(now + REST_MAX + MS), "one at a time");
    patience.forget();
    assert!(patience.may_join(now));
}

#[test]
fn a_hiccup_that_meets_a_hundred_writes_is_one_late_answer() {
    let (patience, begun) = (Patience::default(), Instant::now());
    for number in 0..100 {
        assert_eq!(patience.note(true, begun + MS * (number % 7), begun + MS * 300), None);
    }
    assert!(!patience.rests());
    assert_eq!(patience.wait(LATE_MIN), LAG_MAX);
}

/// Three waits of the longest kind make a volume that hangs fail; the next ones are shorter.
#[test]
fn patience_wears_off() {
    let (patience, begun) = (Patience::default(), Instant::now());
    let waits = (1..=8).map(|number| {
        let wait = patience.wait(LATE_MIN);
        let _ = patience.note(true, begun + LAG_MAX * number, begun + LAG_MAX * number);
        wait
    });
    let waits: Vec<u128> = waits.map(|wait| wait.as_millis()).collect();
    assert_eq!(waits, [1000, 1000, 1000, 1000, 500, 250, 125, 100]);
    assert_eq!(patience.wait(MS * 300), MS * 300, "no less than what makes it late");
}

#[test]
fn nobody_is_late_before_there_is_a_quorum() {
    let (begun, patience) = (Instant::now(), Patience::default());
    let mut pace = Pace::new(begun);
    assert!(!pace.is_late(begun + LAG_MAX * 20));
    assert_eq!(pace.until(std::iter::once(&patience)), None);
    pace.reach(begun + MS * 50);
    assert!(!pace.is_late(begun + MS * 250));
    assert!(pace.is_late(begun + MS * 251), "four times what the quorum took, behind it");
    assert_eq!(pace.until(std::iter::once(&patience)), Some(begun + MS * 50 + LAG_MAX));
    assert_eq!(pace.until(std::iter::empty()), None, "nobody is waited for");
}
