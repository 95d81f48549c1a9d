//! One blob opened for reading, with the copies to fall over to.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::slot::Failure;
use super::slot::Slot;
use crate::base::BlobId;
use crate::store::Error;
use crate::store::blocking::Running;
use crate::sys::metrics::Metrics;
use crate::volume;
use crate::volume::PartReader;

/// A volume on which a copy may lie.
pub(super) struct Candidate {
    pub(super) slot: Arc<Slot>,
    /// Whether a copy should be there: then its absence is damage.
    pub(super) is_home: bool,
}

/// A copy that is being read, and the volumes not tried yet.
pub(in crate::store) struct OpenPart {
    blob: BlobId,
    /// `None` before the first was opened and after the last has failed.
    current: Option<(Arc<Slot>, Arc<PartReader>)>,
    untried: VecDeque<Candidate>,
    /// Copies found bad or missing since the last look.
    bad: usize,
    /// What the last copy that failed answered.
    damage: Option<String>,
    /// Whether a volume that may have a copy did not answer.
    stalled: bool,
    metrics: Arc<Metrics>,
}

/// A range being read before it is asked for.
pub(in crate::store) struct Ahead {
    slot: Arc<Slot>,
    running: Running<Result<Bytes, volume::Error>>,
}

impl Ahead {
    /// The bytes; `None` when this copy does not give them.
    pub(in crate::store) async fn bytes(self) -> Option<Bytes> {
        self.slot.answer(self.running).await.ok()
    }
}

impl OpenPart {
    /// Opens the first copy that can be opened; `None` when no volume has one.
    pub(super) async fn open(
        blob: BlobId,
        candidates: impl Iterator<Item = Candidate>,
        metrics: Arc<Metrics>,
    ) -> Result<Option<Self>, Error> {
        let untried = candidates.collect();
        let mut part = Self { blob, current: None, untried, bad: 0, damage: None, stalled: false, metrics };
        part.advance().await;
        match (&part.current, &part.damage) {
            (Some(_), _) => Ok(Some(part)),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(part.lost()),
        }
    }

    /// Reads and verifies one range, from the next copy when this one is bad.
    pub(super) async fn read(&mut self, range: Range<u64>) -> Result<Bytes, Error> {
        while let Some((slot, reader)) = &self.current {
            let answer = match start(slot, reader, range.clone()) {
                Ok(running) => slot.answer(running).await,
                Err(failure) => Err(failure),
            };
            match answer {
                Ok(bytes) => return Ok(bytes),
                Err(failure) => {
                    let volume = slot.id();
                    tracing::warn!(blob = %self.blob, %volume, %failure, "a copy is bad; trying the next");
                    self.note(&failure, true);
                }
            }
            self.advance().await;
        }
        Err(self.lost())
    }

    /// Why no copy is left to try.
    fn lost(&self) -> Error {
        let reason = self.damage.clone().unwrap_or_else(|| "every copy has failed".to_owned());
        match self.stalled {
            true => Error::unavailable(reason),
            false => Error::Damaged { blob: self.blob, reason },
        }
    }

    /// How many copies were found bad since the last call, for a repair row.
    pub(in crate::store) fn take_bad(&mut self) -> usize {
        let bad = std::mem::replace(&mut self.bad, 0);
        self.metrics.copies_bad.inc_by(bad as u64);
        bad
    }

    /// Starts reading a range that will be asked for next; `None` when the queue is full and the range is better read
    /// when it is asked for.
    pub(in crate::store) fn read_ahead(&self, range: Range<u64>) -> Option<Ahead> {
        let (slot, reader) = self.current.as_ref()?;
        let running = start(slot, reader, range).ok()?;
        Some(Ahead { slot: Arc::clone(slot), running })
    }

    /// Opens the next copy, passing over volumes without one.
    async fn advance(&mut self) {
        self.current = None;
        let blob = self.blob;
        while let Some(candidate) = self.untried.pop_front() {
            match candidate.slot.call(move |volume| volume.open_part(blob)).await {
                Ok(reader) => {
                    self.current = Some((candidate.slot, Arc::new(reader)));
                    return;
                }
                Err(failure) => {
                    if !failure.is_not_found() || candidate.is_home {
                        let volume = candidate.slot.id();
                        tracing::warn!(%blob, %volume, %failure, "a copy could not be opened");
                    }
                    self.note(&failure, candidate.is_home);
                }
            }
        }
    }

    fn note(&mut self, failure: &Failure, should_be_there: bool) {
        if failure.is_bad_copy() || (failure.is_not_found() && should_be_there) {
            self.bad += 1;
        }
        self.stalled |= matches!(failure, Failure::Stalled | Failure::Absent);
        if !failure.is_not_found() {
            self.damage = Some(failure.to_string());
        }
    }
}

fn start(
    slot: &Slot,
    reader: &Arc<PartReader>,
    range: Range<u64>,
) -> Result<Running<Result<Bytes, volume::Error>>, Failure> {
    let reader = Arc::clone(reader);
    slot.start(move || {
        let mut bytes = Vec::with_capacity((range.end - range.start) as usize);
        reader.read_verified(range, &mut bytes)?;
        Ok(Bytes::from(bytes))
    })
}
