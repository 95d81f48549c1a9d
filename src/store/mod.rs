//! Objects as a whole: where metadata meets bytes, and where async meets blocking.
//!
//! ```text
//!   ops ─▶ stage ─▶ parts of R volumes ─┐
//!                                       ├─▶ commit (one transaction) ─▶ acknowledged
//!          object row, references, ─────┘
//!          counters, outbox rows
//! ```
//!
//! What is always true:
//! - A blob is written, synced on a quorum and only then named by a committed row. Whatever no row names is an
//!   orphan that the sweep removes; a row never names bytes that were not durable.
//! - Every row of one request is one transaction. A transaction refused by an expectation changed nothing.
//! - The commit of a request that was cut off still decides about its blobs: ownership travels with the commit
//!   ([`commit::Custody`]), not with the request's future.
//! - Readers that began before a blob lost its last reference finish: the reclaimer waits for them ([`readers`]).
//!
//! `ops` and `jobs` call it. It does not know who is asking, nor HTTP. Nothing outside [`blocking`] enters a
//! blocking thread; nothing outside [`engine`] knows that metadata is RocksDB and parts are files.

mod blobs;
mod blocking;
mod bucket;
mod census;
mod commit;
mod digest;
mod doubts;
mod downloads;
mod engine;
mod error;
mod exclusive;
mod hashers;
mod job;
mod local;
mod md5;
mod membership;
mod multipart;
mod object;
mod pace;
mod read;
mod readers;
mod reclaim;
mod redundancy;
mod repair;
mod scrub;
mod source;
mod stage;

use std::sync::Arc;

use parking_lot::RwLock;

use crate::base::BlobId;
use crate::base::BucketId;
use crate::base::UploadId;
use crate::meta::Meta;
use crate::sys::clock::Clock;
use crate::sys::entropy::Entropy;
use crate::sys::metrics::Metrics;

use blobs::Unnamed;
use bucket::BucketCache;
use commit::Turns;
use doubts::Doubts;
use downloads::Downloads;
use exclusive::Exclusive;
use hashers::Hashers;
use local::LocalMetadata;
use local::LocalParts;
use membership::Keeper;
use readers::Readers;
use redundancy::Tally;

pub use crate::meta::ListItem;
pub use crate::meta::ListQuery;
pub use crate::meta::UploadPage;
pub use crate::meta::UploadQuery;
pub use crate::meta::records;
pub use bucket::Bucket;
pub use bucket::DeleteBucket;
pub use census::Census;
pub use census::Placement;
pub use commit::UpdateError;
pub use digest::Digests;
pub use error::Error;
pub use membership::Found;
pub use membership::Kept;
pub use membership::METADATA;
pub use membership::MembershipError;
pub use membership::VolumeHealth;
pub use membership::VolumeState;
pub use membership::VolumeStatus;
pub use multipart::Complete;
pub use multipart::Completion;
pub use multipart::PARTS_MAX;
pub use multipart::PutPart;
pub use object::Committed;
pub use object::CopyOutcome;
pub use object::Deleted;
pub use object::NewObject;
pub use object::Object;
pub use pace::Pace;
pub use pace::Traffic;
pub use pace::Unpaced;
pub use read::ObjectReader;
pub use read::OpenError;
pub use redundancy::Redundancy;
pub use redundancy::Scrubbed;
pub use repair::Outcome;
pub use repair::Restored;
pub use scrub::Verdict;
pub use source::ByteSource;
pub use source::Promises;
pub use source::SourceError;
pub use stage::StageError;
pub use stage::StagePlan;
pub use stage::Staged;

/// What an operator may choose about the store.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Copies of each blob when there are volumes enough, from 1.
    pub replicas: usize,
    /// Bodies up to this many bytes live with their metadata.
    pub inline_limit: usize,
    /// Buffers of all uploads together, in bytes. Downloads use half as much besides.
    pub upload_memory_bytes: usize,
    /// Threads for metadata reads that miss the cache, and an eighth as many for digests.
    pub threads: usize,
}

/// What the machine gives; tests give something else.
#[derive(Clone)]
pub struct Machine {
    /// Dates objects and rows.
    pub clock: Arc<dyn Clock>,
    /// Makes identifiers.
    pub entropy: Arc<dyn Entropy>,
    /// Counts what operators should see.
    pub metrics: Arc<Metrics>,
}

/// The objects of one deployment.
pub struct Store {
    metadata: LocalMetadata,
    parts: Arc<LocalParts>,
    hashers: Hashers,
    buckets: BucketCache,
    unnamed: Arc<Unnamed>,
    readers: Arc<Readers>,
    downloads: Arc<Downloads>,
    turns: Turns,
    traffic: Arc<Traffic>,
    exclusive: Arc<Exclusive>,
    doubts: Arc<Doubts>,
    /// The newest commit when this store began.
    began_at: u64,
    tally: Arc<Tally>,
    census: RwLock<Option<Arc<Census>>>,
    scrubbed: RwLock<Option<Scrubbed>>,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: Settings,
    keeper: Keeper,
}

impl Store {
    /// Puts metadata and volumes together. Both are open already and belong to the same deployment; volumes of it that
    /// are absent come when they are there.
    pub fn new(
        meta: Arc<Meta>,
        volumes: impl Into<Found>,
        machine: Machine,
        settings: Settings,
    ) -> Result<Self, Error> {
        let found = volumes.into();
        let began_at = meta.newest_commit();
        check_deployment(&meta, &found)?;
        let parts = Arc::new(LocalParts::new(&found, &settings, Arc::clone(&machine.metrics))?);
        let kept = (Arc::clone(&parts), Arc::clone(&meta));
        let keeper = Keeper::start(found, kept, machine.clone(), settings.replicas)?;
        let Machine { clock, entropy, metrics } = machine;
        Ok(Self {
            keeper,
            metadata: LocalMetadata::new(meta, settings.threads),
            parts,
            hashers: Hashers::new((settings.threads / 8).max(1)),
            buckets: BucketCache::default(),
            unnamed: Arc::default(),
            readers: Arc::default(),
            downloads: Arc::new(Downloads::new(settings.upload_memory_bytes as u64 / 2)),
            turns: Turns::default(),
            traffic: Arc::default(),
            exclusive: Arc::default(),
            doubts: Arc::default(),
            began_at,
            tally: Arc::default(),
            census: RwLock::default(),
            scrubbed: RwLock::default(),
            metrics,
            clock,
            entropy,
            settings,
        })
    }

    /// Whether writes can be acknowledged now, judged by what the last requests met; asks no disk.
    ///
    /// # Errors
    /// Metadata has stopped, or fewer volumes than the quorum answer.
    pub fn check_ready(&self) -> Result<(), Error> {
        if self.metadata.has_stopped() {
            return Err(Error::unavailable(
                "metadata takes no commits now: too few of its replicas can be written",
            ));
        }
        match self.parts.answering() {
            (answering, quorum) if answering >= quorum => Ok(()),
            (answering, quorum) => Err(Error::unavailable(format!(
                "volumes that answer: {answering}, and a write needs {quorum}"
            ))),
        }
    }

    /// Refuses what would make metadata grow into its reserve. Deletes, and whatever gives space back, do not ask: the
    /// reserve is theirs.
    fn check_room(&self) -> Result<(), Error> {
        match self.parts.has_room_for_rows() {
            true => Ok(()),
            false => Err(Error::NoSpace),
        }
    }

    /// Whether clients are using the disks.
    pub fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(&self.traffic)
    }

    /// An id that no bucket has had.
    pub fn new_bucket_id(&self) -> BucketId {
        let mut bytes = [0; 8];
        self.entropy.fill(&mut bytes);
        BucketId(u64::from_be_bytes(bytes))
    }

    /// An id that no upload has had.
    pub fn new_upload_id(&self) -> UploadId {
        UploadId::from_bytes(self.random())
    }

    fn new_blob_id(&self) -> BlobId {
        BlobId::from_bytes(self.random())
    }

    fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.entropy.fill(&mut bytes);
        bytes
    }
}

/// Binds new metadata to the deployment of its volumes, once. Empty metadata beside volumes that hold parts is refused:
/// to the sweep every one of them would look like an orphan.
fn check_deployment(meta: &Meta, found: &Found) -> Result<(), Error> {
    let deployment = found.roster.deployment;
    if found.present.is_empty() {
        return Err(Error::unavailable("there is no volume"));
    }
    if found.present.iter().any(|volume| volume.deployment() != deployment) {
        return Err(Error::unavailable("the volumes belong to different deployments"));
    }
    match meta.deployment()? {
        Some(bound) if bound == deployment => Ok(()),
        Some(_) => Err(Error::unavailable("metadata and volumes belong to different deployments")),
        None => {
            for volume in &found.present {
                let listed = volume.list(None, 1).map_err(|error| Error::unavailable(error.to_string()))?;
                if !listed.is_empty() {
                    return Err(Error::unavailable(
                        "the metadata is new, yet the volumes hold parts: was it lost?",
                    ));
                }
            }
            meta.bind(deployment).map_err(|error| Error::unavailable(error.to_string()))
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
