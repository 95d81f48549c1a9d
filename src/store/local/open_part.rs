//! One blob opened for reading, with the copies to fall over to.
//!
//! A copy that is bad is followed by the next. One that is slow is not waited for alone: after a while that depends on how
//! fast its volume is of late, the next is asked too, and the first verified answer counts.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::timeout_at;

use super::slot::Failure;
use super::slot::LAG_MAX;
use super::slot::Slot;
use super::slot::Started;
use crate::base::BlobId;
use crate::store::Error;
use crate::sys::metrics::Metrics;
use crate::volume::PartReader;
use crate::volume::Use;

/// A volume on which a copy may lie.
#[derive(Clone)]
pub(super) struct Candidate {
    pub(super) slot: Arc<Slot>,
    /// Whether a copy should be there: then its absence is damage.
    pub(super) is_home: bool,
}

/// What one copy gives: itself, opened, and the bytes that were asked for.
type Answer = (Arc<PartReader>, Bytes);

/// One copy that has been asked.
struct Attempt {
    candidate: Candidate,
    /// Whether it has been read before, so that what it lacks now is damage.
    was_open: bool,
    started: Started<Answer>,
}

/// A copy that is being read, and the volumes not tried yet.
pub(in crate::store) struct OpenPart {
    blob: BlobId,
    /// `None` before the first was opened and after the last has failed.
    current: Option<(Candidate, Arc<PartReader>)>,
    /// Being read before it is asked for.
    ahead: Option<(Range<u64>, Attempt)>,
    untried: VecDeque<Candidate>,
    /// Copies found bad or missing since the last look.
    bad: usize,
    /// What the last copy that failed answered.
    damage: Option<String>,
    /// Whether a volume that may have a copy did not answer.
    stalled: bool,
    metrics: Arc<Metrics>,
}

impl OpenPart {
    /// Opens the first copy that can be opened; `None` when no volume has one.
    pub(super) async fn open(
        blob: BlobId,
        candidates: impl Iterator<Item = Candidate>,
        metrics: Arc<Metrics>,
    ) -> Result<Option<Self>, Error> {
        let mut part = Self {
            blob,
            current: None,
            ahead: None,
            untried: candidates.collect(),
            bad: 0,
            damage: None,
            stalled: false,
            metrics,
        };
        match part.race(None, None).await {
            Some(_) => Ok(Some(part)),
            None if part.damage.is_none() => Ok(None),
            None => Err(part.lost()),
        }
    }

    /// Reads and verifies one range, from the next copy when this one is bad or slow.
    pub(super) async fn read(&mut self, range: Range<u64>) -> Result<Bytes, Error> {
        let ahead = self.ahead.take().filter(|(ahead, _)| *ahead == range).map(|(_, attempt)| attempt);
        let first = ahead.or_else(|| self.again(&range));
        self.race(first, Some(range)).await.ok_or_else(|| self.lost())
    }

    /// How many copies were found bad since the last call, for a repair row.
    pub(in crate::store) fn take_bad(&mut self) -> usize {
        let bad = std::mem::replace(&mut self.bad, 0);
        self.metrics.copies_bad.inc_by(bad as u64);
        bad
    }

    /// Starts reading a range that will be asked for next. Not when the queue is full: it is better read when it is
    /// asked for then.
    pub(in crate::store) fn read_ahead(&mut self, range: Range<u64>) {
        self.ahead = None;
        let Some((candidate, reader)) = self.current.clone() else { return };
        if let Ok(started) = self.start(&candidate, Some(reader), Some(range.clone())) {
            self.ahead = Some((range, Attempt { candidate, was_open: true, started }));
        }
    }

    /// Asks the copy that was read last.
    fn again(&mut self, range: &Range<u64>) -> Option<Attempt> {
        let (candidate, reader) = self.current.take()?;
        match self.start(&candidate, Some(Arc::clone(&reader)), Some(range.clone())) {
            Ok(started) => {
                self.current = Some((candidate.clone(), reader));
                Some(Attempt { candidate, was_open: true, started })
            }
            Err(failure) => {
                self.note(&candidate, &failure, true);
                None
            }
        }
    }

    /// Asks the next copy that can be asked.
    fn next(&mut self, range: Option<&Range<u64>>) -> Option<Attempt> {
        while let Some(candidate) = self.untried.pop_front() {
            match self.start(&candidate, None, range.cloned()) {
                Ok(started) => return Some(Attempt { candidate, was_open: false, started }),
                Err(failure) => self.note(&candidate, &failure, false),
            }
        }
        None
    }

    /// The first verified answer; `None` when no copy is left to ask. A copy that is slow stays in the race, and others
    /// join it.
    async fn race(&mut self, first: Option<Attempt>, range: Option<Range<u64>>) -> Option<Bytes> {
        let mut race = Race::default();
        let mut joins = first.or_else(|| self.next(range.as_ref()));
        loop {
            if let Some(attempt) = joins.take() {
                race.join(attempt);
            }
            let patience = self.untried.front().and_then(|next| race.patience(next));
            let next = match patience {
                Some(until) => timeout_at(until.into(), race.answers.next()).await,
                None => Ok(race.answers.next().await),
            };
            match next {
                Ok(Some((lane, Ok((reader, bytes))))) => {
                    self.current = race.answered(lane).map(|lane| (lane.candidate, reader));
                    self.untried.extend(race.lanes.iter().flatten().map(|lane| lane.candidate.clone()));
                    race.watch_the_others();
                    return Some(bytes);
                }
                Ok(Some((lane, Err(failure)))) => {
                    if let Some(Lane { candidate, was_open, .. }) = race.answered(lane) {
                        self.note(&candidate, &failure, was_open);
                    }
                    if race.answers.is_empty() {
                        joins = self.next(range.as_ref());
                    }
                }
                Ok(None) => {
                    self.current = None;
                    return None;
                }
                Err(_) => {
                    self.metrics.reads_hedged.inc();
                    joins = self.next(range.as_ref());
                }
            }
        }
    }

    fn start(
        &self,
        candidate: &Candidate,
        reader: Option<Arc<PartReader>>,
        range: Option<Range<u64>>,
    ) -> Result<Started<Answer>, Failure> {
        let volume = candidate.slot.volume().ok_or(Failure::Absent)?;
        let (blob, used) = (self.blob, if range.is_some() { Use::Read } else { Use::Look });
        candidate.slot.start_for(used, move || {
            let reader = match reader {
                Some(reader) => reader,
                None => Arc::new(volume.open_part(blob)?),
            };
            let mut bytes = Vec::new();
            if let Some(range) = range {
                bytes.reserve_exact((range.end - range.start) as usize);
                reader.read_verified(range, &mut bytes)?;
            }
            Ok((reader, Bytes::from(bytes)))
        })
    }

    /// Why no copy is left to try.
    fn lost(&self) -> Error {
        let reason = self.damage.clone().unwrap_or_else(|| "every copy has failed".to_owned());
        match self.stalled {
            true => Error::unavailable(reason),
            false => Error::Damaged { blob: self.blob, reason },
        }
    }

    fn note(&mut self, candidate: &Candidate, failure: &Failure, was_open: bool) {
        let should_be_there = was_open || candidate.is_home;
        if failure.is_bad_copy() || (failure.is_not_found() && should_be_there) {
            self.bad += 1;
        }
        self.stalled |= matches!(failure, Failure::Stalled | Failure::Failed | Failure::Absent);
        if !failure.is_not_found() {
            self.damage = Some(failure.to_string());
        }
        let (blob, volume) = (self.blob, candidate.slot.id());
        match failure {
            // Said once, when that happened.
            Failure::Failed | Failure::Absent => {}
            failure if failure.is_not_found() && !should_be_there => {}
            failure => tracing::warn!(%blob, %volume, %failure, "a copy cannot be read"),
        }
    }
}

/// Copies that have been asked for the same bytes.
#[derive(Default)]
struct Race {
    answers: FuturesUnordered<BoxFuture<'static, (usize, Result<Answer, Failure>)>>,
    /// Those that have not answered, by the number in their answer.
    lanes: Vec<Option<Lane>>,
}

struct Lane {
    candidate: Candidate,
    was_open: bool,
    since: Instant,
}

impl Race {
    fn join(&mut self, attempt: Attempt) {
        let Attempt { candidate, was_open, started } = attempt;
        let (number, slot) = (self.lanes.len(), Arc::clone(&candidate.slot));
        self.lanes.push(Some(Lane { candidate, was_open, since: started.since() }));
        self.answers.push(Box::pin(async move { (number, slot.answer(started).await) }));
    }

    /// Takes a lane that has answered out of the race.
    fn answered(&mut self, number: usize) -> Option<Lane> {
        self.lanes.get_mut(number)?.take()
    }

    /// Until when the copy that was asked last is waited for before the next is asked too.
    fn patience(&self, next: &Candidate) -> Option<Instant> {
        let last = self.lanes.iter().flatten().next_back()?;
        let latencies = last.candidate.slot.latencies();
        Some(last.since + latencies.hedge_after(next.slot.latencies()))
    }

    /// Looks after those that were overtaken: one that does not answer in time at all has failed.
    fn watch_the_others(self) {
        let Self { mut answers, mut lanes, .. } = self;
        let Some(since) = lanes.iter().flatten().map(|lane| lane.since).min() else { return };
        let until = since + LAG_MAX;
        tokio::spawn(async move {
            // How they end is judged where they are waited for.
            while let Ok(Some((lane, _))) = timeout_at(until.into(), answers.next()).await {
                lanes[lane] = None;
            }
            let lag = lanes.into_iter().flatten().filter(|lane| lane.since.elapsed() >= LAG_MAX);
            lag.for_each(|lane| lane.candidate.slot.lagged(Use::Read));
        });
    }
}
