//! Parts on local volumes: which volumes a blob goes to, and every call that may touch their disks.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use parking_lot::RwLock;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::create::create;
use super::members::Members;
use super::open_part::OpenPart;
use super::sink::Buffer;
use super::sink::Sink;
use super::slot::Failure;
use super::slot::Slot;
use crate::base::BlobId;
use crate::base::Timestamp;
use crate::base::VolumeId;
use crate::store::Error;
use crate::store::Settings;
use crate::store::engine::Parts;
use crate::store::membership::Found;
use crate::sys::metrics::Metrics;
use crate::volume;
use crate::volume::BufferPool;
use crate::volume::Use;

/// How long an upload waits for a buffer while others, perhaps slow ones, hold them all.
const BUFFER_WAIT_MAX: Duration = Duration::from_secs(10);

/// Uploads that may wait for their first buffer, for each buffer there is. One that waits has filled the buffers of its
/// connection, which are in no budget: more are refused at once.
const WAITING_PER_BUFFER: usize = 4;

/// An upload that waits for its first buffer.
pub(in crate::store) struct Waiting {
    _place: OwnedSemaphorePermit,
}

/// The volumes of this machine.
pub(in crate::store) struct LocalParts {
    members: RwLock<Arc<Members>>,
    pub(super) buffers: Arc<BufferPool>,
    permits: Arc<Semaphore>,
    places: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

impl LocalParts {
    /// Puts the volumes on a ring; refuses more copies than volumes.
    pub(in crate::store) fn new(
        found: &Found,
        settings: &Settings,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        let volumes = found.roster.belonging().count();
        if settings.replicas == 0 || (found.is_fixed && settings.replicas > volumes) {
            return Err(Error::internal(
                "open",
                format!("{} copies on {volumes} volumes", settings.replicas),
            ));
        }
        let mut slots = Vec::new();
        for member in found.roster.belonging() {
            let present = found.present.iter().find(|volume| volume.id() == member.volume);
            let slot = match present {
                Some(volume) => Slot::present(Arc::clone(volume)),
                None => Slot::absent(member.volume, member.path.clone()),
            };
            if let Some(volume) = present {
                let space = volume.space().map_err(|error| Error::unavailable(error.to_string()))?;
                slot.room().tell(space);
            }
            slots.push(Arc::new(slot));
        }
        let roster = Arc::new(found.roster.clone());
        let members = Members::new(slots, roster, settings.replicas, &HashSet::new());
        let count = (settings.upload_memory_bytes / volume::BUFFER_BYTES).max(4);
        Ok(Self {
            members: RwLock::new(Arc::new(members)),
            buffers: BufferPool::new(count),
            permits: Arc::new(Semaphore::new(count)),
            places: Arc::new(Semaphore::new(WAITING_PER_BUFFER * count)),
            metrics,
        })
    }

    /// From here on these are the volumes.
    pub(in crate::store) fn set_members(&self, members: Members) {
        *self.members.write() = Arc::new(members);
    }

    /// The volumes as they are now. Asked once by whatever must see one ring throughout.
    pub(in crate::store) fn members(&self) -> Arc<Members> {
        Arc::clone(&self.members.read())
    }

    /// Whether an upload would have to wait for a buffer.
    pub(in crate::store) fn buffers_are_scarce(&self) -> bool {
        self.permits.available_permits() == 0
    }

    /// Buffers that uploads may take.
    #[cfg(test)]
    pub(in crate::store) fn buffers_free(&self) -> usize {
        self.permits.available_permits()
    }

    /// Takes buffers as other uploads would.
    #[cfg(test)]
    pub(in crate::store) fn hold_all_but(&self, left: usize) -> Option<tokio::sync::OwnedSemaphorePermit> {
        let count = self.permits.available_permits() - left;
        Arc::clone(&self.permits).try_acquire_many_owned(count as u32).ok()
    }

    /// Where faults are counted.
    #[cfg(test)]
    pub(in crate::store) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// A place among those that wait for their first buffer; none is left when there is no use in waiting.
    pub(in crate::store) fn wait(&self) -> Result<Waiting, Error> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Error::Overloaded)?;
        Ok(Waiting { _place: place })
    }

    /// A buffer for an upload; waits a while when all are in use.
    pub(in crate::store) async fn buffer(&self) -> Result<Buffer, Error> {
        let permit = timeout(BUFFER_WAIT_MAX, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = permit.map_err(|_| Error::Overloaded)?;
        let permit = permit.map_err(|_| Error::internal("buffer", "the buffers are gone"))?;
        Ok(Buffer::new(self.buffers.take(), permit))
    }

    /// Removes every copy without waiting; what cannot be removed is left to the sweep.
    pub(in crate::store) fn remove_later(&self, blob: BlobId) {
        for slot in self.members().slots() {
            let Some(volume) = slot.volume() else { continue };
            let started = slot.pool.start(move || volume.remove(blob));
            if let Err(error) = started {
                tracing::debug!(%blob, %error, "left to the sweep");
            }
        }
    }

    /// Part files of one volume behind `after`, in the order of their ids.
    pub(in crate::store) async fn list(
        &self,
        volume: VolumeId,
        after: Option<BlobId>,
        limit: usize,
    ) -> Result<Vec<BlobId>, Error> {
        let members = self.members();
        let Some(slot) = members.slot(volume) else { return Ok(Vec::new()) };
        slot.call(move |volume| volume.list(after, limit)).await.map_err(unavailable)
    }

    /// Age of a part file of one volume.
    pub(in crate::store) async fn written(
        &self,
        volume: VolumeId,
        blob: BlobId,
    ) -> Result<Option<Timestamp>, Error> {
        let members = self.members();
        let Some(slot) = members.slot(volume) else { return Ok(None) };
        let stat = slot.call(move |volume| volume.stat(blob)).await.map_err(unavailable)?;
        Ok(stat.map(|stat| stat.modified))
    }

    /// Whether metadata may grow: a majority of its replicas has room. One that is absent does not count against it;
    /// whether its voice is missing is for the commit to say. The answer is seconds old at the most.
    pub(in crate::store) fn has_room_for_rows(&self) -> bool {
        let members = self.members();
        let (mut voters, mut with_room) = (0, 0);
        for slot in members.voters() {
            slot.ask_room();
            voters += 1;
            with_room += usize::from(slot.volume().is_none() || slot.room().is_enough());
        }
        voters == 0 || with_room > voters / 2
    }

    /// Volumes that answer, and how many a write needs.
    pub(in crate::store) fn answering(&self) -> (usize, usize) {
        let members = self.members();
        let answering = members.slots().iter().filter(|slot| slot.may_write()).count();
        (answering, members.quorum())
    }
}

fn unavailable(failure: Failure) -> Error {
    Error::unavailable(failure.to_string())
}

impl Parts for LocalParts {
    type Sink = Sink;
    type Part = OpenPart;

    async fn create(&self, blob: BlobId, length: Option<u64>) -> Result<Sink, Error> {
        let members = self.members();
        let copies = create(&members, blob, length).await?;
        Ok(Sink::new(blob, copies, members.replicas(), Arc::clone(&self.metrics)))
    }

    async fn open(&self, blob: BlobId) -> Result<Option<OpenPart>, Error> {
        OpenPart::open(blob, self.members().candidates(blob), Arc::clone(&self.metrics)).await
    }

    async fn read(&self, part: &mut OpenPart, range: Range<u64>) -> Result<Bytes, Error> {
        part.read(range).await
    }

    async fn remove(&self, blob: BlobId) -> Result<(), Error> {
        let remove = |slot: &Arc<Slot>| {
            let slot = Arc::clone(slot);
            async move { slot.call_for(Use::Write, move |volume| volume.remove(blob)).await }
        };
        let members = self.members();
        let mut removals: FuturesUnordered<_> = members.slots().iter().map(remove).collect();
        let mut failed = None;
        while let Some(removed) = removals.next().await {
            failed = failed.or(removed.err());
        }
        failed.map_or(Ok(()), |failure| Err(unavailable(failure)))
    }
}
