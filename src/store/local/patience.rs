//! How long a write waits for a volume once it could go on without it, and which volumes writes go on without from the
//! outset.
//!
//! A quorum of copies is always waited for, as long as it takes; all of this is about the copies beyond it. Each of them
//! is worth waiting for, since a copy that is given up is one less until repair has made it. A volume that is behind in
//! most writes is not: its copies are given up in the end, and every client has paid for it.
//!
//! - An answer is *late* when it comes more than [`LATE_MIN`] *and* [`LATE_FACTOR`] times what the quorum took after the
//!   quorum. The first keeps the jitter of syncs out, and disks of another kind (20 ms beside 1 ms); the second a machine
//!   that is slow as a whole. A volume that is one of the quorum is not late, nor is one without which there is none:
//!   there is nothing to measure it by.
//! - Of each volume the last 16 answers are remembered, late or not: that a copy is durable, that it is given up, and
//!   buffers of a long one that are late in a row. What was under way when a late answer was counted
//!   counts no more: a hiccup that meets a hundred writes is one late answer, and the many good ones after it soon push
//!   it out.
//! - With up to [`LATE_FREE`] late answers among them a volume is given [`LAG_MAX`], so that a volume that hangs all of a
//!   sudden fails by three such waits (`volume::health`). Each further one halves that, down to what makes an answer
//!   late. To wait less says nothing against the disk, and is no failure to the circuit breaker.
//! - With [`LATE_MAX`] the volume *rests*: it is suspect, new copies pass it over for the next volume of the ring, and with
//!   none left the write has its quorum and a repair row for the rest. Repair writes to it still, at the pace it has;
//!   reads ask it behind the others. When a quorum would lack, it is asked all the same.
//! - One write in a while is tried on a volume that rests, and waits no longer than until it is late. When it was late the
//!   next try comes after twice the time, up to [`REST_MAX`]. [`TRIES`] in a row that were not late end the rest; for the
//!   next 16 answers two late ones are enough for another, of twice the length.
//!
//! Tries are so few that they do not show in the 99th percentile of a busy server, and cost an idle one what is late.

use std::time::Duration;
use std::time::Instant;

use parking_lot::Mutex;

use super::slot::LAG_MAX;

/// Behind the quorum by less than this no answer is late.
const LATE_MIN: Duration = Duration::from_millis(100);

/// Behind the quorum by less than so many times what the quorum took no answer is late.
const LATE_FACTOR: u32 = 4;

/// So many late answers of the last 16 cost a volume nothing.
const LATE_FREE: u32 = 3;

/// So many late answers of the last 16 are no jitter any more.
const LATE_MAX: u32 = 8;

/// Tries in a row that end a rest.
const TRIES: u8 = 8;

/// How long a volume rests before the first try.
const REST_MIN: Duration = match cfg!(test) {
    false => Duration::from_secs(2),
    true => Duration::from_millis(200),
};

/// The longest time between two tries.
const REST_MAX: Duration = match cfg!(test) {
    false => Duration::from_secs(30),
    true => Duration::from_millis(400),
};

/// How one question to several volumes goes.
pub(super) struct Pace {
    begun: Instant,
    /// When a quorum had answered, and how long that took.
    reached: Option<(Instant, Duration)>,
}

impl Pace {
    /// They have been asked.
    pub(super) const fn new(begun: Instant) -> Self {
        Self { begun, reached: None }
    }

    /// A quorum has answered.
    pub(super) fn reach(&mut self, now: Instant) {
        self.reached = self.reached.or(Some((now, now - self.begun)));
    }

    /// Others have been asked in the place of some; they get the same time.
    pub(super) fn go_on(&mut self, now: Instant) {
        if let Some((reached, _)) = &mut self.reached {
            *reached = now;
        }
    }

    /// Whether an answer that comes now is late.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.reached.is_some_and(|(reached, took)| now > reached + late_after(took))
    }

    /// How long after the quorum a volume is waited for; for ever while there is none.
    pub(super) fn wait(&self, patience: &Patience) -> Option<Duration> {
        self.reached.map(|(_, took)| patience.wait(late_after(took)))
    }

    /// Until when those that have not answered are waited for.
    pub(super) fn until<'a>(&self, silent: impl Iterator<Item = &'a Patience>) -> Option<Instant> {
        let (reached, _) = self.reached?;
        silent.filter_map(|patience| self.wait(patience)).max().map(|wait| reached + wait)
    }
}

/// How far behind a quorum that took so long an answer is late.
fn late_after(took: Duration) -> Duration {
    (took * LATE_FACTOR).clamp(LATE_MIN, LAG_MAX)
}

/// What the others think of the pace of one volume.
pub(super) struct Patience(Mutex<Record>);

/// A change that is worth telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It rests from now on.
    Rests,
    /// It is waited for again.
    Returns,
}

struct Record {
    /// The last answers, the newest as the lowest bit; set when it was late.
    history: u16,
    /// When the last late answer was counted.
    counted: Option<Instant>,
    rest: Option<Rest>,
    /// How long it rests until it is tried (again).
    pause: Duration,
}

struct Rest {
    /// When it is tried next.
    due: Instant,
    /// Tries in a row that were not late.
    passed: u8,
}

impl Default for Patience {
    fn default() -> Self {
        Self(Mutex::new(Record::new()))
    }
}

impl Patience {
    /// Whether a write asks the volume although it could do without. Whoever was told so for one that rests is its try.
    pub(super) fn may_join(&self, now: Instant) -> bool {
        let mut record = self.0.lock();
        let pause = record.pause;
        let Some(rest) = &mut record.rest else { return true };
        let is_due = now >= rest.due;
        if is_due {
            // The next one, should nothing be heard of this one.
            rest.due = now + pause;
        }
        is_due
    }

    /// Whether writes go on without it.
    pub(super) fn rests(&self) -> bool {
        self.0.lock().rest.is_some()
    }

    /// What it was asked `since` was answered, or given up, and was late or not.
    pub(super) fn note(&self, is_late: bool, since: Instant, now: Instant) -> Option<Turn> {
        self.0.lock().note(is_late, since, now)
    }

    /// Its disk is there anew.
    pub(super) fn forget(&self) {
        *self.0.lock() = Record::new();
    }

    fn wait(&self, late: Duration) -> Duration {
        let record = self.0.lock();
        match record.rest {
            Some(_) => late,
            None => (LAG_MAX / (1 << record.late().saturating_sub(LATE_FREE))).max(late),
        }
    }
}

impl Record {
    const fn new() -> Self {
        Self { history: 0, counted: None, rest: None, pause: REST_MIN }
    }

    const fn late(&self) -> u32 {
        self.history.count_ones()
    }

    fn note(&mut self, is_late: bool, since: Instant, now: Instant) -> Option<Turn> {
        if self.counted.is_some_and(|counted| since < counted) {
            return None;
        }
        if is_late {
            self.counted = Some(now);
        }
        let pause = self.pause;
        let Some(rest) = &mut self.rest else { return self.note_awake(is_late, now) };
        if is_late {
            self.pause = (pause * 2).min(REST_MAX);
            (rest.passed, rest.due) = (0, now + self.pause);
            return None;
        }
        (rest.passed, rest.due) = (rest.passed + 1, now);
        if rest.passed < TRIES {
            return None;
        }
        self.rest = None;
        self.pause = (pause * 2).min(REST_MAX);
        self.history = (1 << (LATE_MAX - 2)) - 1;
        Some(Turn::Returns)
    }

    fn note_awake(&mut self, is_late: bool, now: Instant) -> Option<Turn> {
        self.history = self.history << 1 | u16::from(is_late);
        match self.late() {
            0 => self.pause = REST_MIN,
            late if late >= LATE_MAX => {
                self.rest = Some(Rest { due: now + self.pause, passed: 0 });
                return Some(Turn::Rests);
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
#[path = "patience_tests.rs"]
mod tests;
