//! Beginning a blob: which volumes take a copy, when some of them do not answer or are slow.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::timeout_at;

use super::members::Members;
use super::patience::Pace;
use super::sink::Copy;
use super::slot::Failure;
use super::slot::LAG_MAX;
use super::slot::Slot;
use super::slot::Started;
use crate::base::BlobId;
use crate::store::Error;
use crate::volume::Use;

/// What a volume said to a new copy.
type Answer = (Arc<Slot>, Result<Copy, Failure>);

/// Copies being begun.
struct Creating {
    blob: BlobId,
    length: Option<u64>,
    answers: FuturesUnordered<BoxFuture<'static, Answer>>,
    /// Asked and silent so far, and since when.
    silent: Vec<(Arc<Slot>, Instant)>,
    pace: Pace,
    /// Volumes that are full.
    full: usize,
    refused: Option<Failure>,
}

/// Volumes in the order in which they are asked. Those that rest are skipped.
struct Candidates<'a, Order> {
    order: Order,
    resting: VecDeque<&'a Arc<Slot>>,
}

impl<'a, Order: Iterator<Item = &'a Arc<Slot>>> Candidates<'a, Order> {
    /// The next `wanted` ones. When there are fewer than `needed`, those that rest make up for them.
    fn take(&mut self, wanted: usize, needed: usize) -> Vec<&'a Arc<Slot>> {
        let mut taken = Vec::with_capacity(wanted);
        while taken.len() < wanted
            && let Some(slot) = self.order.next()
        {
            match slot.patience().may_join(Instant::now()) {
                true => taken.push(slot),
                false => self.resting.push_back(slot),
            }
        }
        let lacking = needed.saturating_sub(taken.len()).min(self.resting.len());
        taken.extend(self.resting.drain(..lacking));
        taken
    }
}

/// Begins a blob on the first volumes of its order that take a copy. One that does not answer within [`LAG_MAX`], or so
/// long behind a quorum as is its due, is passed over: for the next, when there is one, and for none, when the quorum has
/// answered.
pub(super) async fn create(members: &Members, blob: BlobId, length: Option<u64>) -> Result<Vec<Copy>, Error> {
    let (replicas, quorum) = (members.replicas(), members.quorum());
    let order = members.order(blob).filter(|slot| slot.may_write());
    let mut candidates = Candidates { order, resting: VecDeque::new() };
    let mut creating = Creating::new(blob, length);
    candidates.take(replicas, quorum).into_iter().for_each(|slot| creating.begin(slot));
    let mut copies = Vec::with_capacity(replicas);
    let mut until = Some(Instant::now() + LAG_MAX);
    while copies.len() < replicas {
        match creating.next(until).await {
            Some(Some(copy)) => copies.push(copy),
            Some(None) => {
                let needed = usize::from(copies.len() + creating.silent.len() < quorum);
                candidates.take(1, needed).into_iter().for_each(|slot| creating.begin(slot));
            }
            None if creating.answers.is_empty() => break,
            None => {
                let spare = candidates.take(replicas - copies.len(), quorum.saturating_sub(copies.len()));
                match spare.is_empty() {
                    true if copies.len() >= quorum => break,
                    // Nobody is left but those.
                    true => until = None,
                    false => until = Some(Instant::now() + LAG_MAX),
                }
                creating.pace.go_on(Instant::now());
                spare.into_iter().for_each(|slot| creating.begin(slot));
            }
        }
        if copies.len() >= quorum {
            if until.is_none() {
                break;
            }
            creating.pace.reach(Instant::now());
        }
    }
    match copies.len() >= quorum {
        true => {
            creating.leave_behind();
            Ok(copies)
        }
        false => Err(creating.why(copies.len(), quorum)),
    }
}

impl Creating {
    fn new(blob: BlobId, length: Option<u64>) -> Self {
        let answers = FuturesUnordered::new();
        Self {
            blob,
            length,
            answers,
            silent: Vec::new(),
            pace: Pace::new(Instant::now()),
            full: 0,
            refused: None,
        }
    }

    fn begin(&mut self, slot: &Arc<Slot>) {
        let (blob, length) = (self.blob, self.length);
        let started = start(slot, blob, length);
        self.silent.push((Arc::clone(slot), Instant::now()));
        let slot = Arc::clone(slot);
        self.answers.push(Box::pin(async move {
            let created = match started {
                Ok(started) => slot.answer(started).await,
                Err(failure) => Err(failure),
            };
            (slot, created)
        }));
    }

    /// The next answer: a copy, or that there is none. `None` when nobody answers in time, or is asked.
    async fn next(&mut self, until: Option<Instant>) -> Option<Option<Copy>> {
        let in_pace = self.pace.until(self.silent.iter().map(|(slot, _)| slot.patience()));
        let next = match until.map(|until| in_pace.map_or(until, |in_pace| until.min(in_pace))) {
            Some(until) => timeout_at(until.into(), self.answers.next()).await.ok()?,
            None => self.answers.next().await,
        };
        let (slot, created) = next?;
        self.silent.retain(|(silent, _)| silent.id() != slot.id());
        match created {
            Ok(copy) => Some(Some(copy)),
            Err(failure) => {
                tracing::warn!(blob = %self.blob, volume = %slot.id(), %failure, "a volume takes no new part");
                self.full += usize::from(failure.is_no_space());
                self.refused = Some(failure);
                Some(None)
            }
        }
    }

    /// Goes on without those that are silent.
    fn leave_behind(self) {
        // What they have not begun is not done, and what they have is given up on their own threads.
        drop(self.answers);
        for (slot, since) in self.silent {
            let wait = self.pace.wait(slot.patience()).unwrap_or(LAG_MAX);
            if since.elapsed() >= wait {
                slot.lagged(Use::Write, since);
            }
        }
    }

    /// Why there are too few.
    fn why(self, good: usize, quorum: usize) -> Error {
        match self.refused {
            // With room it would have been enough.
            _ if good + self.full >= quorum => Error::NoSpace,
            Some(failure) => Error::unavailable(failure.to_string()),
            None => Error::unavailable("too few volumes answer"),
        }
    }
}

fn start(slot: &Arc<Slot>, blob: BlobId, length: Option<u64>) -> Result<Started<Copy>, Failure> {
    let volume = slot.volume().ok_or(Failure::Absent)?;
    let here = Arc::clone(slot);
    slot.start_for(Use::Write, move || Ok(Copy::new(here, volume.create(blob, length)?)))
}
