//! Parts on local volumes: which volumes a blob goes to, and every call that may touch their disks.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::open_part::OpenPart;
use super::sink::Buffer;
use super::sink::Copy;
use super::sink::Sink;
use crate::base::BlobId;
use crate::base::VolumeId;
use crate::store::Error;
use crate::store::Settings;
use crate::store::blocking::Pool;
use crate::store::engine::Parts;
use crate::sys::metrics::Metrics;
use crate::volume;
use crate::volume::BufferPool;
use crate::volume::Ring;
use crate::volume::Volume;

/// Threads that may wait for one volume's disk at once.
const THREADS_PER_VOLUME: usize = 8;

/// A volume and the threads that may wait for it.
pub(in crate::store) struct Slot {
    pub(super) volume: Arc<Volume>,
    pub(super) pool: Pool,
}

/// The volumes of this machine.
pub(in crate::store) struct LocalParts {
    slots: Vec<Arc<Slot>>,
    ring: Ring,
    replicas: usize,
    buffers: Arc<BufferPool>,
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
        let mut weights = Vec::new();
        for volume in &volumes {
            let space = volume.space().map_err(|error| Error::unavailable(error.to_string()))?;
            weights.push((volume.id(), space.total_bytes));
        }
        let slots = volumes.into_iter().map(|volume| {
            let pool = Pool::new(format!("vol-{}", &volume.id().to_string()[..6]), THREADS_PER_VOLUME);
            Arc::new(Slot { volume, pool })
        });
        let count = (settings.upload_memory_bytes / volume::BUFFER_BYTES).max(4);
        Ok(Self {
            slots: slots.collect(),
            ring: Ring::new(&weights),
            replicas,
            buffers: BufferPool::new(count),
            permits: Arc::new(Semaphore::new(count)),
            metrics,
        })
    }

    /// The volumes, in the order in which they were given.
    pub(in crate::store) fn volumes(&self) -> Vec<VolumeId> {
        self.slots.iter().map(|slot| slot.volume.id()).collect()
    }

    /// A buffer for an upload; waits while all are in use.
    pub(in crate::store) async fn buffer(&self) -> Result<Buffer, Error> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| Error::internal("buffer", "the buffers are gone"))?;
        Ok(Buffer::new(self.buffers.take(), permit))
    }

    /// Removes every copy without waiting; what cannot be removed is left to the sweep.
    pub(in crate::store) fn remove_later(&self, blob: BlobId) {
        for slot in &self.slots {
            let volume = Arc::clone(&slot.volume);
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
        let Some(slot) = self.slots.iter().find(|slot| slot.volume.id() == volume) else {
            return Ok(Vec::new());
        };
        let volume = Arc::clone(&slot.volume);
        let listed = slot.pool.run(move || volume.list(after, limit)).await?;
        listed.map_err(|error| Error::unavailable(error.to_string()))
    }

    /// The slots of a blob, its home first, then clockwise.
    fn order(&self, blob: BlobId) -> impl Iterator<Item = &Arc<Slot>> {
        self.ring.order(blob).filter_map(|id| self.slots.iter().find(|slot| slot.volume.id() == id))
    }

    const fn quorum(&self) -> usize {
        self.replicas / 2 + 1
    }
}

impl Parts for LocalParts {
    type Sink = Sink;
    type Part = OpenPart;

    async fn create(&self, blob: BlobId, length: Option<u64>) -> Result<Sink, Error> {
        let mut copies = Vec::with_capacity(self.replicas);
        let mut refused = None;
        for slot in self.order(blob) {
            if copies.len() == self.replicas {
                break;
            }
            let volume = Arc::clone(&slot.volume);
            let created = slot.pool.run(move || volume.create(blob, length)).await?;
            match created {
                Ok(writer) => copies.push(Copy::new(Arc::clone(slot), writer)),
                Err(error) => {
                    tracing::warn!(%blob, %error, "a volume takes no new part");
                    refused = Some(error);
                }
            }
        }
        match refused {
            Some(error) if copies.len() < self.quorum() && error.is_no_space() => Err(Error::NoSpace),
            Some(error) if copies.len() < self.quorum() => Err(Error::unavailable(error.to_string())),
            _ => Ok(Sink::new(blob, copies, self.replicas, Arc::clone(&self.metrics))),
        }
    }

    async fn open(&self, blob: BlobId) -> Result<Option<OpenPart>, Error> {
        let candidates: Vec<Arc<Slot>> = self.order(blob).cloned().collect();
        OpenPart::open(blob, candidates, Arc::clone(&self.metrics)).await
    }

    async fn read(&self, part: &mut OpenPart, range: Range<u64>) -> Result<Bytes, Error> {
        part.read(range).await
    }

    async fn remove(&self, blob: BlobId) -> Result<(), Error> {
        let mut removals = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            let volume = Arc::clone(&slot.volume);
            removals.push(slot.pool.start(move || volume.remove(blob))?);
        }
        for removal in removals {
            removal.answer().await?.map_err(|error| Error::unavailable(error.to_string()))?;
        }
        Ok(())
    }
}
