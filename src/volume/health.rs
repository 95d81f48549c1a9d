//! Whether a volume is worth asking: a circuit breaker, so that a disk that hangs or fails costs a few requests their
//! patience, not all of them.
//!
//! ```text
//!            failure               third in a row            PROBE_AFTER has passed
//!   Healthy ─────────▶ Suspect(n) ───────────────▶ Failed ─────────────────────────▶ Probing
//!      ▲                   │                         ▲                                  │
//!      ├───── success ─────┘                         └──────────── failure ─────────────┤
//!      └────────────────────────────────── success ─────────────────────────────────────┘
//! ```
//!
//! A failure is an I/O error or a deadline that passed. A full disk and a missing or corrupt file are not: the disk
//! answered.

use std::time::Duration;
use std::time::Instant;

use parking_lot::Mutex;

/// How long a failed volume is left alone before one request may try it.
pub const PROBE_AFTER: Duration = Duration::from_secs(10);

/// Failures in a row that make a volume failed. One slow sync or one bad sector is no dead disk.
const FAILURES_MAX: u8 = 3;

/// What is thought of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It answers.
    Healthy,
    /// It failed so many times in a row, and is still asked.
    Suspect(u8),
    /// It is not asked until then.
    Failed {
        /// When it may be probed.
        until: Instant,
    },
    /// One request tries it; others leave it alone until this point, in case that one never comes back.
    Probing {
        /// When the next may try.
        until: Instant,
    },
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It did what it was asked.
    Success,
    /// It failed, or did not answer in time.
    Failure,
    /// Somebody wants to use it.
    Ask,
}

/// The one transition function.
pub fn next(state: State, event: Event, now: Instant) -> State {
    let failed = State::Failed { until: now + PROBE_AFTER };
    match (state, event) {
        (_, Event::Success) => State::Healthy,
        (State::Healthy, Event::Failure) => State::Suspect(1),
        (State::Suspect(count), Event::Failure) if count + 1 < FAILURES_MAX => State::Suspect(count + 1),
        (State::Suspect(_) | State::Probing { .. } | State::Failed { .. }, Event::Failure) => failed,
        (State::Failed { until } | State::Probing { until }, Event::Ask) if now >= until => {
            State::Probing { until: now + PROBE_AFTER }
        }
        (state, Event::Ask) => state,
    }
}

/// The health of one volume, shared by all who use it.
pub struct Health(Mutex<State>);

impl Default for Health {
    fn default() -> Self {
        Self(Mutex::new(State::Healthy))
    }
}

impl Health {
    /// Whether to ask the volume now. Of a failed one, every [`PROBE_AFTER`] one caller hears yes.
    pub fn may_ask(&self, now: Instant) -> bool {
        let mut state = self.0.lock();
        let before = *state;
        *state = next(before, Event::Ask, now);
        match *state {
            State::Healthy | State::Suspect(_) => true,
            State::Failed { .. } => false,
            State::Probing { .. } => *state != before,
        }
    }

    /// It did what it was asked.
    pub fn succeeded(&self) {
        let mut state = self.0.lock();
        *state = next(*state, Event::Success, Instant::now());
    }

    /// It failed, or did not answer in time.
    pub fn failed(&self, now: Instant) {
        let mut state = self.0.lock();
        *state = next(*state, Event::Failure, now);
    }

    /// Whether it answered when it was last asked, or may well answer; asking changes nothing.
    pub fn is_answering(&self) -> bool {
        matches!(self.state(), State::Healthy | State::Suspect(_))
    }

    /// What is thought of it.
    pub fn state(&self) -> State {
        *self.0.lock()
    }
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
