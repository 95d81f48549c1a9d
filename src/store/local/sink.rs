//! Writing one blob to its volumes at once.
//!
//! Writes are positional, so those of one buffer run on all volumes at the same time and those of the next need not
//! wait for them. A copy that fails is dropped and its file abandoned; below the quorum the write fails. When the
//! quorum has answered, a laggard gets [`LAG_MAX`] and is dropped too.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::slot::Failure;
use super::slot::Slot;
use crate::base::BlobId;
use crate::store::Error;
use crate::store::blocking::Running;
use crate::sys::metrics::Metrics;
use crate::volume;
use crate::volume::PartWriter;
use crate::volume::Tail;

/// How long the others wait for a copy that lags behind the quorum: longer than any healthy disk's queue.
const LAG_MAX: Duration = Duration::from_secs(5);

/// A pooled buffer together with its share of the memory of all uploads.
pub(in crate::store) struct Buffer {
    buffer: volume::AlignedBuffer,
    _permit: OwnedSemaphorePermit,
}

impl Buffer {
    pub(super) fn new(buffer: volume::AlignedBuffer, permit: OwnedSemaphorePermit) -> Self {
        Self { buffer, _permit: permit }
    }

    /// Takes what fits of `bytes`; returns how many were taken.
    pub(in crate::store) fn fill_from(&mut self, bytes: &[u8]) -> usize {
        self.buffer.fill_from(bytes)
    }

    pub(in crate::store) fn is_full(&self) -> bool {
        self.buffer.is_full()
    }

    pub(in crate::store) fn len(&self) -> usize {
        self.buffer.bytes().len()
    }

    pub(in crate::store) fn bytes(&self) -> &[u8] {
        self.buffer.bytes()
    }
}

/// One copy being written.
pub(super) struct Copy {
    slot: Arc<Slot>,
    writer: Arc<PartWriter>,
}

impl Copy {
    pub(super) fn new(slot: Arc<Slot>, writer: PartWriter) -> Self {
        Self { slot, writer: Arc::new(writer) }
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

/// Writes under way, with the number of the copy each belongs to. A copy whose volume takes no more work has none.
pub(in crate::store) struct Writes(Vec<(usize, Arc<Slot>, Running<Outcome>)>);

impl Sink {
    pub(super) fn new(id: BlobId, copies: Vec<Copy>, replicas: usize, metrics: Arc<Metrics>) -> Self {
        Self { id, copies: copies.into_iter().map(Some).collect(), replicas, metrics }
    }

    pub(in crate::store) const fn id(&self) -> BlobId {
        self.id
    }

    /// Starts writing a full buffer at `offset` on every copy.
    pub(in crate::store) fn write(&self, buffer: Arc<Buffer>, offset: u64) -> Writes {
        self.start(move |writer| writer.write_at(&buffer.buffer, offset))
    }

    /// Waits for writes, dropping copies that failed or lag.
    pub(in crate::store) async fn settle(&mut self, writes: Writes) -> Result<(), Error> {
        let answers =
            writes.0.into_iter().map(|(copy, slot, write)| async move { (copy, slot.answer(write).await) });
        let mut running: FuturesUnordered<_> = answers.collect();
        let (mut done, mut answered) = (vec![false; self.copies.len()], vec![false; self.copies.len()]);
        let (mut good, mut full) = (0, false);
        loop {
            let next = match good < self.quorum() {
                true => running.next().await,
                false => timeout(LAG_MAX, running.next()).await.unwrap_or(None),
            };
            let Some((copy, answer)) = next else { break };
            answered[copy] = true;
            match answer {
                Ok(()) => {
                    done[copy] = true;
                    good += 1;
                }
                Err(error) => {
                    full |= Failure::is_no_space(&error);
                    tracing::warn!(blob = %self.id, %error, "a copy was dropped from a write");
                }
            }
        }
        for (copy, (done, answered)) in self.copies.iter_mut().zip(done.into_iter().zip(answered)) {
            if !done && let Some(dropped) = copy.take() {
                if !answered {
                    dropped.slot.lagged();
                }
                self.metrics.copies_dropped.inc();
                abandon(dropped);
            }
        }
        match good < self.quorum() {
            true if full => Err(Error::NoSpace),
            true => Err(Error::unavailable(format!("{good} of {} copies could be written", self.replicas))),
            false => Ok(()),
        }
    }

    /// Writes the tail and makes every copy durable. Returns how many copies are missing.
    pub(in crate::store) async fn finish(mut self, tail: Tail) -> Result<usize, Error> {
        let tail = Arc::new(tail);
        let writes = self.start(move |writer| writer.finish(&tail));
        self.settle(writes).await?;
        Ok(self.replicas - self.copies.iter().flatten().count())
    }

    fn start(&self, work: impl Fn(&PartWriter) -> Outcome + Send + Clone + 'static) -> Writes {
        let mut writes = Vec::with_capacity(self.copies.len());
        for (number, copy) in self.copies.iter().enumerate() {
            let Some(copy) = copy else { continue };
            let (writer, work) = (Arc::clone(&copy.writer), work.clone());
            if let Ok(running) = copy.slot.start(move || work(&writer)) {
                writes.push((number, Arc::clone(&copy.slot), running));
            }
        }
        Writes(writes)
    }

    const fn quorum(&self) -> usize {
        self.replicas / 2 + 1
    }
}

/// Whatever was not finished is given up.
impl Drop for Sink {
    fn drop(&mut self) {
        self.copies.iter_mut().filter_map(Option::take).for_each(abandon);
    }
}

/// Gives up a copy on its own volume's threads: its disk may be the one that hangs. A finished copy stays.
fn abandon(copy: Copy) {
    let writer = copy.writer;
    // When even the queue is full, the file is an orphan for the sweep.
    let _ = copy.slot.pool.start(move || drop(writer));
}
