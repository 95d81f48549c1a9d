//! One blob opened for reading, with the copies to fall over to.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::parts::Slot;
use crate::base::BlobId;
use crate::store::Error;
use crate::store::blocking::Running;
use crate::sys::metrics::Metrics;
use crate::volume;
use crate::volume::PartReader;

/// A copy that is being read, and the volumes not tried yet.
pub(in crate::store) struct OpenPart {
    blob: BlobId,
    current: Arc<PartReader>,
    slot: Arc<Slot>,
    untried: VecDeque<Arc<Slot>>,
    /// Copies found bad or unreadable since the last look.
    bad: usize,
    metrics: Arc<Metrics>,
}

/// A range being read before it is asked for.
pub(in crate::store) struct Ahead(Running<Result<Bytes, volume::Error>>);

impl Ahead {
    pub(in crate::store) async fn bytes(self) -> Result<Bytes, Error> {
        self.0.answer().await?.map_err(|error| Error::unavailable(error.to_string()))
    }
}

impl OpenPart {
    /// Opens the first copy that can be opened; `None` when no volume has one.
    pub(super) async fn open(
        blob: BlobId,
        candidates: Vec<Arc<Slot>>,
        metrics: Arc<Metrics>,
    ) -> Result<Option<Self>, Error> {
        let mut untried = VecDeque::from(candidates);
        let mut damaged = None;
        match open_next(blob, &mut untried, &mut damaged).await? {
            Some((slot, current)) => {
                let bad = usize::from(damaged.is_some());
                Ok(Some(Self { blob, current, slot, untried, bad, metrics }))
            }
            None => match damaged {
                Some(reason) => Err(Error::Damaged { blob, reason }),
                None => Ok(None),
            },
        }
    }

    /// Reads and verifies one range, from the next copy when this one is bad.
    pub(super) async fn read(&mut self, range: Range<u64>) -> Result<Bytes, Error> {
        loop {
            let reason = match self.start(range.clone())?.answer().await? {
                Ok(bytes) => return Ok(bytes),
                Err(error) => error.to_string(),
            };
            tracing::warn!(blob = %self.blob, volume = %self.slot.volume.id(), %reason, "a copy is bad; trying the next");
            self.bad += 1;
            let mut damaged = Some(reason);
            match open_next(self.blob, &mut self.untried, &mut damaged).await? {
                Some((slot, current)) => {
                    self.slot = slot;
                    self.current = current;
                }
                None => {
                    return Err(Error::Damaged { blob: self.blob, reason: damaged.unwrap_or_default() });
                }
            }
        }
    }

    /// How many copies were found bad since the last call, for a repair row.
    pub(in crate::store) fn take_bad(&mut self) -> usize {
        let bad = std::mem::replace(&mut self.bad, 0);
        self.metrics.copies_bad.inc_by(bad as u64);
        bad
    }

    /// Starts reading a range that will be asked for next.
    pub(in crate::store) fn read_ahead(&self, range: Range<u64>) -> Result<Ahead, Error> {
        self.start(range).map(Ahead)
    }

    fn start(&self, range: Range<u64>) -> Result<Running<Result<Bytes, volume::Error>>, Error> {
        let reader = Arc::clone(&self.current);
        self.slot.pool.start(move || {
            let mut bytes = Vec::with_capacity((range.end - range.start) as usize);
            reader.read_verified(range, &mut bytes)?;
            Ok(Bytes::from(bytes))
        })
    }
}

/// Opens the next copy. Volumes without one are passed over; a copy that cannot be opened leaves its reason.
async fn open_next(
    blob: BlobId,
    untried: &mut VecDeque<Arc<Slot>>,
    damaged: &mut Option<String>,
) -> Result<Option<(Arc<Slot>, Arc<PartReader>)>, Error> {
    while let Some(slot) = untried.pop_front() {
        let volume = Arc::clone(&slot.volume);
        match slot.pool.run(move || volume.open_part(blob)).await? {
            Ok(reader) => return Ok(Some((slot, Arc::new(reader)))),
            Err(error) if error.is_not_found() => {}
            Err(error) => {
                tracing::warn!(%blob, %error, "a copy could not be opened");
                *damaged = Some(error.to_string());
            }
        }
    }
    Ok(None)
}
