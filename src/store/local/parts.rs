//! Parts on local volumes: which volumes a blob goes to, and every call that may touch their disks.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use parking_lot::Mutex;
use parking_lot::RwLock;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::members::Members;
use super::open_part::OpenPart;
use super::sink::Buffer;
use super::sink::Copy;
use super::sink::Sink;
use super::slot::Failure;
use super::slot::Slot;
use crate::base::BlobId;
use crate::base::Timestamp;
use crate::base::VolumeId;
use crate::store::Error;
use crate::store::Settings;
use crate::store::engine::Parts;
use crate::sys::metrics::Metrics;
use crate::volume;
use crate::volume::BufferPool;
use crate::volume::Volume;

/// How long an upload waits for a buffer while others, perhaps slow ones, hold them all.
const BUFFER_WAIT_MAX: Duration = Duration::from_secs(10);

/// The volumes of this machine.
pub(in crate::store) struct LocalParts {
    members: RwLock<Arc<Members>>,
    rows_room: Room,
    pub(super) buffers: Arc<BufferPool>,
    permits: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

impl LocalParts {
    /// Puts the volumes on a ring; refuses more copies than volumes.
    pub(in crate::store) fn new(
        volumes: Vec<Arc<Volume>>,
        settings: &Settings,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        let replicas = settings.replicas;
        if volumes.is_empty() || replicas == 0 || replicas > volumes.len() {
            return Err(Error::internal("open", format!("{replicas} copies on {} volumes", volumes.len())));
        }
        let (mut weights, mut slots) = (Vec::new(), Vec::new());
        for volume in &volumes {
            let space = volume.space().map_err(|error| Error::unavailable(error.to_string()))?;
            weights.push((volume.id(), space.total_bytes));
            let slot = Slot::present(Arc::clone(volume));
            slot.set_space(space);
            slots.push(Arc::new(slot));
        }
        let has_room = volumes.first().map_or(Ok(true), |volume| volume.has_room(0));
        let has_room = has_room.map_err(|error| Error::unavailable(error.to_string()))?;
        let count = (settings.upload_memory_bytes / volume::BUFFER_BYTES).max(4);
        Ok(Self {
            members: RwLock::new(Arc::new(Members::new(slots, &weights, replicas))),
            rows_room: Room::new(has_room),
            buffers: BufferPool::new(count),
            permits: Arc::new(Semaphore::new(count)),
            metrics,
        })
    }

    /// The volumes as they are now. Asked once by whatever must see one ring throughout.
    pub(in crate::store) fn members(&self) -> Arc<Members> {
        Arc::clone(&self.members.read())
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

    /// Whether metadata may grow. It lives on the first volume; the answer is up to [`ROOM_FRESH`] old.
    pub(in crate::store) fn has_room_for_rows(&self) -> bool {
        let members = self.members();
        members.slots().first().is_none_or(|slot| self.rows_room.ask(slot))
    }

    /// Volumes that answer, and how many a write needs.
    pub(in crate::store) fn answering(&self) -> (usize, usize) {
        let members = self.members();
        let answering = members.slots().iter().filter(|slot| slot.is_answering()).count();
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
        let replicas = members.replicas();
        let mut candidates = members.order(blob).filter(|slot| slot.may_ask());
        let create = |slot: &Arc<Slot>| {
            let slot = Arc::clone(slot);
            async move {
                let created = slot.call(move |volume| volume.create(blob, length)).await;
                created.map(|writer| Copy::new(slot, writer))
            }
        };
        let mut creating: FuturesUnordered<_> = candidates.by_ref().take(replicas).map(create).collect();
        let mut copies = Vec::with_capacity(replicas);
        let mut refused = None;
        while let Some(created) = creating.next().await {
            match created {
                Ok(copy) => copies.push(copy),
                Err(failure) => {
                    tracing::warn!(%blob, %failure, "a volume takes no new part");
                    refused = Some(failure);
                    creating.extend(candidates.next().map(create));
                }
            }
        }
        if copies.len() >= members.quorum() {
            return Ok(Sink::new(blob, copies, replicas, Arc::clone(&self.metrics)));
        }
        match refused {
            Some(failure) if failure.is_no_space() => Err(Error::NoSpace),
            Some(failure) => Err(unavailable(failure)),
            None => Err(Error::unavailable("too few volumes answer")),
        }
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
            async move {
                // One that does not answer would hold up the caller for as long as a call may take.
                if !slot.may_ask() {
                    return Err(Failure::Stalled);
                }
                slot.call(move |volume| volume.remove(blob)).await
            }
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

/// How old the answer of [`LocalParts::has_room_for_rows`] may be.
const ROOM_FRESH: Duration = Duration::from_secs(1);

/// Whether a volume has room, asked of its disk in the background.
struct Room {
    enough: Arc<AtomicBool>,
    asked: Mutex<Instant>,
}

impl Room {
    fn new(enough: bool) -> Self {
        Self { enough: Arc::new(AtomicBool::new(enough)), asked: Mutex::new(Instant::now()) }
    }

    fn ask(&self, slot: &Slot) -> bool {
        let now = Instant::now();
        // A try: whoever holds it is asking already.
        if let Some(mut asked) = self.asked.try_lock()
            && now.duration_since(*asked) >= ROOM_FRESH
        {
            *asked = now;
            let enough = Arc::clone(&self.enough);
            let Some(volume) = slot.volume() else { return enough.load(Ordering::Relaxed) };
            // When its queue is full, the last answer holds.
            let _ = slot.pool.start(move || {
                if let Ok(has_room) = volume.has_room(0) {
                    enough.store(has_room, Ordering::Relaxed);
                }
            });
        }
        self.enough.load(Ordering::Relaxed)
    }
}
