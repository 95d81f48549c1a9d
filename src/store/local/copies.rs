//! What one volume is asked for one blob. Reads and writes of clients take whatever copies answer; repair, census and
//! scrub look at each by itself.

use std::ops::Range;
use std::sync::Arc;

use super::LocalParts;
use super::Members;
use super::slot::Failure;
use super::slot::Slot;
use crate::base::BlobId;
use crate::volume;
use crate::volume::AlignedBuffer;
use crate::volume::Kind;
use crate::volume::PartReader;
use crate::volume::PartWriter;
use crate::volume::Tail;
use crate::volume::Use;

/// What a volume has of a blob.
pub(in crate::store) enum Seen {
    /// A copy whose footer, block table and owner are sound. Its payload has not been read.
    Sound(Arc<PartReader>),
    /// A file that cannot be read, or is not the blob any more.
    Bad(String),
    /// It has no file of this name.
    Nothing,
    /// It cannot be asked now; a copy may be there or not.
    Unknown(String),
}

/// A copy being made on one volume. Dropped unfinished, it is removed by the volume's own threads: its disk may hang.
pub(in crate::store) struct NewCopy {
    slot: Arc<Slot>,
    writer: Option<Arc<PartWriter>>,
}

impl Drop for NewCopy {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            // When even the queue is full, the file is an orphan for the sweep.
            let _ = self.slot.pool.start(move || drop(writer));
        }
    }
}

impl NewCopy {
    /// Writes a full buffer at `offset`.
    pub(in crate::store) async fn write(&self, buffer: AlignedBuffer, offset: u64) -> Result<(), Failure> {
        self.with_writer(Use::Write, move |writer| writer.write_at(&buffer, offset)).await
    }

    /// Writes the tail and makes the copy durable.
    pub(in crate::store) async fn finish(self, tail: Tail) -> Result<(), Failure> {
        self.with_writer(Use::Sync, move |writer| writer.finish(&tail)).await
    }

    async fn with_writer(
        &self,
        used: Use,
        work: impl FnOnce(&PartWriter) -> Result<(), volume::Error> + Send + 'static,
    ) -> Result<(), Failure> {
        let Some(writer) = self.writer.clone() else { return Err(Failure::Stalled) };
        let running = self.slot.start_for(used, move || work(&writer))?;
        self.slot.answer(running).await
    }
}

impl Members {
    /// The volumes that copies of a blob belong on, absent ones too.
    pub(in crate::store) fn targets(&self, blob: BlobId) -> impl Iterator<Item = &Arc<Slot>> {
        self.order(blob).take(self.replicas())
    }
}

impl Slot {
    /// Whether it can be asked now. Asks no disk.
    pub(in crate::store) fn answers(&self) -> bool {
        self.may_read()
    }

    /// Looks at the copy that the volume has.
    pub(in crate::store) async fn look(self: &Arc<Self>, blob: BlobId) -> Seen {
        if !self.may_read() {
            return Seen::Unknown("the volume does not answer".to_owned());
        }
        let looked = self.call(move |volume| {
            if volume.is_writing(blob) {
                return Ok(None);
            }
            let reader = volume.open_part(blob)?;
            // Reads the block table and the owner, and checks both.
            reader.owner()?;
            Ok(Some(Arc::new(reader)))
        });
        match looked.await {
            Ok(Some(reader)) => Seen::Sound(reader),
            Ok(None) => Seen::Unknown("it is being written".to_owned()),
            Err(failure) if failure.is_not_found() => Seen::Nothing,
            Err(failure) if failure.is_bad_copy() => Seen::Bad(failure.to_string()),
            Err(failure) => Seen::Unknown(failure.to_string()),
        }
    }

    /// Reads and checks a range without handing it out.
    pub(in crate::store) async fn verify(
        self: &Arc<Self>,
        reader: &Arc<PartReader>,
        range: Range<u64>,
    ) -> Result<(), Failure> {
        let reader = Arc::clone(reader);
        let running = self.start_for(Use::Read, move || reader.verify(range, &mut Vec::new()))?;
        self.answer(running).await
    }

    /// Takes a bad copy out of the way of every read.
    pub(in crate::store) async fn quarantine(self: &Arc<Self>, blob: BlobId) -> Result<bool, Failure> {
        self.call_for(Use::Write, move |volume| volume.quarantine(blob)).await
    }

    /// Gives a copy that was written under another name its own.
    pub(in crate::store) async fn adopt(
        self: &Arc<Self>,
        written: BlobId,
        blob: BlobId,
    ) -> Result<(), Failure> {
        self.call_for(Use::Write, move |volume| volume.adopt(written, blob)).await
    }

    /// Removes the copy of one volume.
    pub(in crate::store) async fn remove(self: &Arc<Self>, blob: BlobId) -> Result<bool, Failure> {
        self.call_for(Use::Write, move |volume| volume.remove(blob)).await
    }

    /// The part files of one directory, in order.
    pub(in crate::store) async fn list_shard(self: &Arc<Self>, shard: u8) -> Result<Vec<BlobId>, Failure> {
        self.call(move |volume| volume.list_shard(shard)).await
    }

    /// Lengths of part files in bytes; 0 for one that has gone.
    pub(in crate::store) async fn lengths(self: &Arc<Self>, blobs: Vec<BlobId>) -> Result<u64, Failure> {
        self.call(move |volume| {
            let mut bytes = 0;
            for blob in blobs {
                bytes += volume.stat(blob)?.map_or(0, |stat| stat.length);
            }
            Ok(bytes)
        })
        .await
    }

    /// Bad copies that are kept.
    pub(in crate::store) async fn quarantined(self: &Arc<Self>) -> Result<usize, Failure> {
        self.call(|volume| volume.quarantined()).await
    }
}

impl Failure {
    /// Whether the bytes are bad, as opposed to a volume that cannot be asked now.
    pub(in crate::store) fn is_of_copy(&self) -> bool {
        self.is_bad_copy() || self.is_not_found()
    }

    /// Whether the volume is full.
    pub(in crate::store) fn is_full(&self) -> bool {
        self.is_no_space()
    }
}

impl LocalParts {
    /// Begins a copy of `length` bytes of payload on one volume, under the name `name`. A file of that name, which an
    /// earlier attempt left, is removed.
    pub(in crate::store) async fn create_on(
        &self,
        slot: &Arc<Slot>,
        name: BlobId,
        length: u64,
    ) -> Result<NewCopy, Failure> {
        let created = slot.call_for(Use::Write, move |volume| match volume.create(name, Some(length)) {
            Err(error) if is_taken(&error) && !volume.is_writing(name) => {
                volume.remove(name)?;
                volume.create(name, Some(length))
            }
            created => created,
        });
        let writer = created.await?;
        Ok(NewCopy { slot: Arc::clone(slot), writer: Some(Arc::new(writer)) })
    }

    /// Reads a verified range of a copy into a buffer.
    pub(in crate::store) async fn read_on(
        &self,
        slot: &Arc<Slot>,
        reader: &Arc<PartReader>,
        range: Range<u64>,
    ) -> Result<AlignedBuffer, Failure> {
        let (reader, mut buffer) = (Arc::clone(reader), self.buffers.take());
        let running = slot.start_for(Use::Read, move || {
            let mut bytes = Vec::with_capacity((range.end - range.start) as usize);
            reader.read_verified(range.clone(), &mut bytes)?;
            reader.forget(range);
            buffer.fill_from(&bytes);
            Ok(buffer)
        })?;
        slot.answer(running).await
    }
}

fn is_taken(error: &volume::Error) -> bool {
    matches!(error.kind(), Kind::Io(error) if error.kind() == std::io::ErrorKind::AlreadyExists)
}
