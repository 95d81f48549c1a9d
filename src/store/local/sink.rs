//! Writing one blob to its volumes at once.
//!
//! Writes are positional, so those of one buffer run on all volumes at the same time and those of the next need not
//! wait for them. A copy that fails is dropped and its file abandoned; below the quorum the write fails. When the
//! quorum has answered, a laggard gets what time its volume deserves (`patience`) and is dropped too.

use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout_at;

use super::patience::Pace;
use super::slot::Slot;
use super::slot::Started;
use crate::base::BlobId;
use crate::store::Error;
use crate::sys::disk::ALIGNMENT;
use crate::sys::metrics::Metrics;
use crate::volume;
use crate::volume::PartWriter;
use crate::volume::Tail;
use crate::volume::Use;

/// A pooled buffer that is being filled, together with its share of the memory of all uploads.
pub(in crate::store) struct Buffer {
    memory: volume::AlignedBuffer,
    permit: OwnedSemaphorePermit,
}

impl Buffer {
    pub(super) fn new(memory: volume::AlignedBuffer, permit: OwnedSemaphorePermit) -> Self {
        Self { memory, permit }
    }

    /// Takes what fits of `bytes`; returns how many were taken.
    pub(in crate::store) fn fill_from(&mut self, bytes: &[u8]) -> usize {
        self.memory.fill_from(bytes)
    }

    pub(in crate::store) fn is_full(&self) -> bool {
        self.memory.is_full()
    }

    pub(in crate::store) fn bytes(&self) -> &[u8] {
        self.memory.bytes()
    }

    /// Takes what lies behind the last whole multiple of the alignment out again.
    pub(in crate::store) fn split_rest(&mut self) -> Vec<u8> {
        let bytes = self.memory.bytes();
        let whole = bytes.len() - bytes.len() % ALIGNMENT;
        let rest = bytes[whole..].to_vec();
        self.memory.truncate(whole);
        rest
    }

    /// Nothing is added from here on, and several use it at once.
    pub(in crate::store) fn share(self) -> Filled {
        Filled { memory: Arc::new(self.memory), permit: Arc::new(self.permit) }
    }
}

/// A buffer that is being hashed and written. The share goes back when nobody waits for it any more: a write that hangs
/// in the kernel keeps its memory, and must not keep others from uploading. A hung volume thus holds a buffer for each
/// of its threads beyond the budget, and no more.
#[derive(Clone)]
pub(in crate::store) struct Filled {
    memory: Arc<volume::AlignedBuffer>,
    permit: Arc<OwnedSemaphorePermit>,
}

impl Filled {
    pub(in crate::store) fn len(&self) -> usize {
        self.memory.bytes().len()
    }

    pub(in crate::store) fn bytes(&self) -> &[u8] {
        self.memory.bytes()
    }
}

/// One copy being written; what was not finished is given up when it is dropped.
pub(super) struct Copy {
    slot: Arc<Slot>,
    writer: Arc<PartWriter>,
    /// Whether its last answer was late.
    was_late: bool,
}

impl Copy {
    pub(super) fn new(slot: Arc<Slot>, writer: PartWriter) -> Self {
        Self { slot, writer: Arc::new(writer), was_late: false }
    }

    /// It was asked `since` and has answered. What is said of its volume is one word a blob: how it ended. Of a long one
    /// also that it is late each time; one buffer of hundreds is late on any disk.
    fn answered(&mut self, used: Use, is_late: bool, since: Instant) {
        if used == Use::Sync || (is_late && self.was_late) {
            self.slot.keeps_pace(!is_late, since);
        }
        self.was_late = is_late;
    }
}

/// Gives up on the volume's own threads: its disk may be the one that hangs. A finished copy stays.
impl Drop for Copy {
    fn drop(&mut self) {
        let writer = Arc::clone(&self.writer);
        if self.slot.pool.is_full() {
            // The file is an orphan for the sweep.
            writer.leave();
        }
        let _ = self.slot.pool.start(move || drop(writer));
    }
}

/// The copies of one blob being written.
pub(in crate::store) struct Sink {
    id: BlobId,
    /// `None` once a copy was dropped.
    copies: Vec<Option<Copy>>,
    replicas: usize,
    metrics: Arc<Metrics>,
}

type Outcome = Result<(), volume::Error>;

/// Writes under way, with the number of the copy each belongs to. A copy whose volume takes no more work has none. Those
/// that have not begun are given up when this is dropped, and let go of their buffer.
pub(in crate::store) struct Writes {
    started: Vec<(usize, Arc<Slot>, Started<()>)>,
    used: Use,
    /// Of the buffer being written.
    _permit: Option<Arc<OwnedSemaphorePermit>>,
}

impl Sink {
    pub(super) fn new(id: BlobId, copies: Vec<Copy>, replicas: usize, metrics: Arc<Metrics>) -> Self {
        Self { id, copies: copies.into_iter().map(Some).collect(), replicas, metrics }
    }

    pub(in crate::store) const fn id(&self) -> BlobId {
        self.id
    }

    /// Starts writing a full buffer at `offset` on every copy.
    pub(in crate::store) fn write(&self, buffer: Filled, offset: u64) -> Writes {
        let Filled { memory, permit } = buffer;
        let started = self.start(Use::Write, move |writer| writer.write_at(&memory, offset));
        Writes { started, used: Use::Write, _permit: Some(permit) }
    }

    /// Waits for writes, dropping copies that failed or lag.
    pub(in crate::store) async fn settle(&mut self, writes: Writes) -> Result<(), Error> {
        let Writes { started, used, _permit } = writes;
        let mut waiting = vec![None; self.copies.len()];
        for (copy, slot, write) in &started {
            waiting[*copy] = Some((Arc::clone(slot), write.since()));
        }
        // Those who are all needed are measured by nobody.
        let is_measured = started.len() > self.quorum();
        let mut pace = Pace::new(Instant::now());
        let answers =
            started.into_iter().map(|(copy, slot, write)| async move { (copy, slot.answer(write).await) });
        let mut running: FuturesUnordered<_> = answers.collect();
        let mut done = vec![false; self.copies.len()];
        let (mut good, mut full) = (0, 0);
        loop {
            let next = match pace.until(waiting.iter().flatten().map(|(slot, _)| slot.patience())) {
                None => running.next().await,
                Some(until) => timeout_at(until.into(), running.next()).await.unwrap_or(None),
            };
            let Some((copy, answer)) = next else { break };
            let (asked, now) = (waiting[copy].take(), Instant::now());
            match answer {
                Ok(()) => {
                    done[copy] = true;
                    good += 1;
                    if let (Some((_, since)), Some(copy), true) = (asked, &mut self.copies[copy], is_measured)
                    {
                        copy.answered(used, pace.is_late(now), since);
                    }
                }
                Err(error) => {
                    full += usize::from(error.is_no_space());
                    tracing::warn!(blob = %self.id, %error, "a copy was dropped from a write");
                }
            }
            if good >= self.quorum() {
                pace.reach(now);
            }
        }
        // Before their copies are, so that no file is closed on this thread.
        drop(running);
        for (number, copy) in self.copies.iter_mut().enumerate().filter(|(number, _)| !done[*number]) {
            if copy.take().is_none() {
                continue;
            }
            if let Some((slot, since)) = waiting[number].take() {
                slot.lagged(used, since);
            }
            self.metrics.copies_dropped.inc();
        }
        match good >= self.quorum() {
            true => Ok(()),
            // With room it would have been enough.
            false if good + full >= self.quorum() => Err(Error::NoSpace),
            false => Err(Error::unavailable(format!("{good} of {} copies could be written", self.replicas))),
        }
    }

    /// Writes the tail and makes every copy durable. Returns how many copies are missing.
    pub(in crate::store) async fn finish(mut self, tail: Tail) -> Result<usize, Error> {
        let tail = Arc::new(tail);
        let started = self.start(Use::Sync, move |writer| writer.finish(&tail));
        self.settle(Writes { started, used: Use::Sync, _permit: None }).await?;
        Ok(self.replicas - self.copies.iter().flatten().count())
    }

    fn start(
        &self,
        used: Use,
        work: impl Fn(&PartWriter) -> Outcome + Send + Clone + 'static,
    ) -> Vec<(usize, Arc<Slot>, Started<()>)> {
        let mut writes = Vec::with_capacity(self.copies.len());
        for (number, copy) in self.copies.iter().enumerate() {
            let Some(copy) = copy else { continue };
            let (writer, work) = (Arc::clone(&copy.writer), work.clone());
            if let Ok(started) = copy.slot.start_for(used, move || work(&writer)) {
                writes.push((number, Arc::clone(&copy.slot), started));
            }
        }
        writes
    }

    const fn quorum(&self) -> usize {
        self.replicas / 2 + 1
    }
}
