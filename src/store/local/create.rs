//! Beginning a blob: which volumes take a copy, when some of them do not answer.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use tokio::time::timeout_at;

use super::members::Members;
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
    /// Volumes that are full.
    full: usize,
    refused: Option<Failure>,
}

/// Begins a blob on the first volumes of its order that take a copy. One that does not answer within [`LAG_MAX`] is
/// passed over: for the next, when there is one, and for none, when the quorum has answered.
pub(super) async fn create(members: &Members, blob: BlobId, length: Option<u64>) -> Result<Vec<Copy>, Error> {
    let (replicas, quorum) = (members.replicas(), members.quorum());
    let mut candidates = members.order(blob).filter(|slot| slot.may_write());
    let mut creating = Creating::new(blob, length);
    candidates.by_ref().take(replicas).for_each(|slot| creating.begin(slot));
    let mut copies = Vec::with_capacity(replicas);
    let mut until = Some(Instant::now() + LAG_MAX);
    while copies.len() < replicas {
        match creating.next(until).await {
            Some(Some(copy)) => copies.push(copy),
            Some(None) => candidates.next().into_iter().for_each(|slot| creating.begin(slot)),
            None if creating.answers.is_empty() => break,
            None => {
                let lacking = replicas - copies.len();
                let spare: Vec<_> = candidates.by_ref().take(lacking).collect();
                match spare.is_empty() {
                    true if copies.len() >= quorum => break,
                    // Nobody is left but those.
                    true => until = None,
                    false => until = Some(Instant::now() + LAG_MAX),
                }
                spare.into_iter().for_each(|slot| creating.begin(slot));
            }
        }
        if until.is_none() && copies.len() >= quorum {
            break;
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
        Self { blob, length, answers, silent: Vec::new(), full: 0, refused: None }
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
        let next = match until {
            Some(until) => timeout_at(until, self.answers.next()).await.ok()?,
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
        let lag = self.silent.into_iter().filter(|(_, since)| since.elapsed() >= LAG_MAX);
        lag.for_each(|(slot, since)| slot.lagged(Use::Write, since.into_std()));
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
