//! Whether a volume is worth asking: two circuit breakers, one for reads and one for writes, so that a disk that hangs
//! or fails costs a few requests their patience, not all of them.
//!
//! ```text
//!            failure               third in a row               probe begins
//!   Healthy ─────────▶ Suspect(n) ───────────────▶ Failed ────────────────────▶ Probing
//!    │  ▲                │  │  ▲                    ▲  ▲                         │  │
//!    │  ├─── success ────┘  │  │                    │  └────── probe failed ─────┘  │
//!    │  │                   │  └──── probe passed, one failure from failed ────────┘
//!    │  │                   │                       │
//!    └──┼─── refused ───────┴───────────────────────┘
//!       └─── attached anew, from every state
//! ```
//!
//! - A failure is an I/O error, or a copy that lagged so far behind those of other volumes that they went on without it.
//!   A full disk and a missing or corrupt file are none: the disk answered.
//! - Requests that were under way when a failure was counted count no more: one hiccup that meets a hundred of them is one
//!   failure. A disk that hangs is failed after three seconds of patience, however many wait for it.
//! - A refusal opens its circuit at once: a file system that has become read-only (`EROFS`), or a call that was given all
//!   the time there is and got no answer.
//! - Reads need the circuit of reads; writes need both. A disk that is frozen or read-only may well serve what it has:
//!   its reads say nothing about its writes, and must not count in their favour.
//! - Nobody's request is tried on a failed volume. A probe of our own decides, every [`PROBE_AFTER`], and the answers of
//!   requests from before count no more. A volume that has just passed fails again with its first failure.

use std::time::Duration;
use std::time::Instant;

use parking_lot::Mutex;

/// How long a failed volume is left alone before it is probed (again).
pub const PROBE_AFTER: Duration = match cfg!(test) {
    false => Duration::from_secs(5),
    true => Duration::from_millis(300),
};

/// Failures in a row that make a volume failed. One slow sync or one bad sector is no dead disk.
const FAILURES_MAX: u8 = 3;

/// What is thought of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It answers.
    Healthy,
    /// It failed so many times in a row, and is still asked.
    Suspect(u8),
    /// It is not asked.
    Failed {
        /// When it may be probed.
        until: Instant,
    },
    /// A probe is under way, however long it takes: one that hangs is not followed by another.
    Probing,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It did what it was asked.
    Success,
    /// It failed, or did not answer in time.
    Failure,
    /// It said that it never will.
    Refused,
    /// A probe begins.
    ProbeBegins,
    /// The probe passed.
    ProbePassed,
    /// The probe did not pass.
    ProbeFailed,
    /// The disk is there anew.
    Attached,
}

/// The one transition function.
pub fn next(state: State, event: Event, now: Instant) -> State {
    let failed = State::Failed { until: now + PROBE_AFTER };
    match (state, event) {
        (_, Event::Attached) => State::Healthy,
        (State::Healthy | State::Suspect(_), Event::Success) => State::Healthy,
        (State::Healthy, Event::Failure) => State::Suspect(1),
        (State::Suspect(count), Event::Failure) if count + 1 < FAILURES_MAX => State::Suspect(count + 1),
        (State::Suspect(_), Event::Failure) => failed,
        (State::Healthy | State::Suspect(_), Event::Refused) => failed,
        (State::Failed { until }, Event::ProbeBegins) if now >= until => State::Probing,
        (State::Probing, Event::ProbePassed) => State::Suspect(FAILURES_MAX - 1),
        (State::Probing, Event::ProbeFailed) => failed,
        // Late answers to what was asked before, and probes nobody asked for.
        (state, _) => state,
    }
}

/// What a volume is asked for, and so which circuit learns from the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Its directories, or a file's footer. Mostly cached: an answer is no proof that its bytes can be read.
    Look,
    /// Bytes of a file.
    Read,
    /// A change that is not durable yet. The page cache takes it from a dying disk too.
    Write,
    /// A change made durable.
    Sync,
}

impl Use {
    const fn is_read(self) -> bool {
        matches!(self, Self::Look | Self::Read)
    }
}

/// The health of one volume, shared by all who use it.
pub struct Health(Mutex<Circuits>);

#[derive(Clone, Copy)]
struct Circuits {
    reads: State,
    writes: State,
    /// When the last failure of each was counted.
    counted: [Option<Instant>; 2],
}

impl Default for Health {
    fn default() -> Self {
        Self(Mutex::new(Circuits { reads: State::Healthy, writes: State::Healthy, counted: [None; 2] }))
    }
}

impl Health {
    /// Whether to ask the volume for what it has.
    pub fn may_read(&self) -> bool {
        is_closed(self.0.lock().reads)
    }

    /// Whether to write to the volume.
    pub fn may_write(&self) -> bool {
        let circuits = self.0.lock();
        is_closed(circuits.reads) && is_closed(circuits.writes)
    }

    /// Whether to use it so.
    pub fn may(&self, used: Use) -> bool {
        if used.is_read() { self.may_read() } else { self.may_write() }
    }

    /// It did what it was asked.
    pub fn succeeded(&self, used: Use) {
        if matches!(used, Use::Read | Use::Sync) {
            self.apply(used, Event::Success);
        }
    }

    /// What began then has failed, or got no answer in time. Whether the volume has become failed by this.
    pub fn failed(&self, used: Use, since: Instant) -> bool {
        {
            let mut circuits = self.0.lock();
            let counted = &mut circuits.counted[usize::from(used.is_read())];
            if counted.is_some_and(|counted| since < counted) {
                return false;
            }
            *counted = Some(Instant::now());
        }
        self.apply(used, Event::Failure)
    }

    /// It takes no writes any more, or leaves what it was asked unanswered. Whether it has become failed by this.
    pub fn refused(&self, used: Use) -> bool {
        self.apply(used, Event::Refused)
    }

    /// Its disk is there anew.
    pub fn attached(&self) {
        self.apply(Use::Read, Event::Attached);
        self.apply(Use::Sync, Event::Attached);
    }

    /// Whether the caller shall probe the volume now; then it tells how that ended with [`Health::probed`].
    pub fn begin_probe(&self, now: Instant) -> bool {
        let mut circuits = self.0.lock();
        if matches!(circuits.reads, State::Probing) || matches!(circuits.writes, State::Probing) {
            return false;
        }
        circuits.reads = next(circuits.reads, Event::ProbeBegins, now);
        circuits.writes = next(circuits.writes, Event::ProbeBegins, now);
        matches!(circuits.reads, State::Probing) || matches!(circuits.writes, State::Probing)
    }

    /// How a probe ended, for what it has read and for what it has written.
    pub fn probed(&self, read: bool, written: bool, now: Instant) {
        let event = |passed| if passed { Event::ProbePassed } else { Event::ProbeFailed };
        let mut circuits = self.0.lock();
        circuits.reads = next(circuits.reads, event(read), now);
        circuits.writes = next(circuits.writes, event(written), now);
    }

    /// What is thought of its reads.
    pub fn reads(&self) -> State {
        self.0.lock().reads
    }

    /// What is thought of its writes.
    pub fn writes(&self) -> State {
        self.0.lock().writes
    }

    /// Whether the circuit opened.
    fn apply(&self, used: Use, event: Event) -> bool {
        let mut circuits = self.0.lock();
        let state = if used.is_read() { &mut circuits.reads } else { &mut circuits.writes };
        let before = *state;
        *state = next(before, event, Instant::now());
        is_closed(before) && !is_closed(*state)
    }
}

/// Whether requests pass.
const fn is_closed(state: State) -> bool {
    matches!(state, State::Healthy | State::Suspect(_))
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
