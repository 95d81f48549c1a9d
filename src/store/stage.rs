//! Taking in a body: digests, and durable bytes that no row names yet.
//!
//! ```text
//!            ≤ inline limit ─▶ kept in memory, committed with the rows
//!   chunks ─┤
//!            larger ─▶ buffer ─┬─▶ digests (one job at a time, in order)
//!                              └─▶ R volumes (positional writes, in any order)
//!                      …at the end: tail (rest, block table, owner, footer), sync, directory sync
//! ```
//!
//! An upload holds at most [`BUFFERS_PER_UPLOAD`] buffers: one filling, the others being hashed and written. A slow
//! disk or a busy core therefore slows the client down; nothing piles up. A slow client must not slow others down: when
//! buffers are scarce, one that does not fill up is written as far as it goes and given back.

use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use bytes::BytesMut;
use tokio::time::timeout;

use super::ByteSource;
use super::Digests;
use super::Error;
use super::Promises;
use super::SourceError;
use super::Store;
use super::blobs::BlobGuard;
use super::blocking::Running;
use super::digest::Hashing;
use super::engine::Parts as _;
use super::local::Buffer;
use super::local::Filled;
use super::local::Sink;
use super::local::Waiting;
use super::local::Writes;
use super::source::next_chunk;
use crate::base::BlobId;
use crate::meta::records::BlobOwner;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::sys::failpoint::failpoint;
use crate::volume::Tail;

/// One filling, two being hashed and written: 1.5 MiB per upload.
const BUFFERS_PER_UPLOAD: usize = 3;

/// How long a buffer may take to fill up while others wait for one. A client of 1 MiB/s fills one in half a second.
const FILL_MAX: Duration = Duration::from_secs(1);

/// What is known about a body before it arrives.
pub struct StagePlan {
    /// The largest body that is taken, in bytes.
    pub max_bytes: u64,
    /// The S3 checksum to compute; CRC64NVME when nobody asked, as AWS does.
    pub algorithm: Option<ChecksumAlgorithm>,
    /// What the part file says about itself, for a rebuild without metadata; its checksum is filled in.
    pub owner: BlobOwner,
}

/// Why a body was not taken. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The body itself was wrong.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// More bytes than allowed.
    #[error("the body is larger than {max_bytes} bytes")]
    TooLarge {
        /// The limit in bytes.
        max_bytes: u64,
    },
    /// `Content-MD5` does not match.
    #[error("the body does not match its Content-MD5")]
    Md5Mismatch,
    /// `x-amz-content-sha256` does not match.
    #[error("the body does not match x-amz-content-sha256")]
    Sha256Mismatch,
    /// `x-amz-checksum-…` does not match.
    #[error("the body does not match its {algorithm:?} checksum")]
    ChecksumMismatch {
        /// Which algorithm.
        algorithm: ChecksumAlgorithm,
    },
    /// The store could not take it.
    #[error(transparent)]
    Store(#[from] Error),
}

/// A body that has been taken in, checked and made durable, but that no row names yet. Dropping it gives its
/// bytes back.
pub struct Staged {
    /// Length in bytes.
    pub size: u64,
    /// What was computed over it.
    pub digests: Digests,
    pub(super) body: StagedBody,
}

/// Where the bytes are.
pub(super) enum StagedBody {
    Empty,
    Inline(BlobId, Bytes),
    Blob(BlobGuard),
}

impl Store {
    /// Takes the whole of `source`. On success the bytes are durable on a quorum of volumes (or small enough to
    /// be committed with their metadata) and every promise about them was kept.
    pub async fn stage(&self, source: &mut dyn ByteSource, plan: StagePlan) -> Result<Staged, StageError> {
        if let Some(length) = source.length()
            && length > plan.max_bytes
        {
            return Err(StageError::TooLarge { max_bytes: plan.max_bytes });
        }
        self.check_room()?;
        let _under_way = self.traffic.enter();
        let promises = source.promises();
        let algorithm = plan.algorithm.or(promises.algorithm).unwrap_or(ChecksumAlgorithm::Crc64Nvme);
        let hashing = Hashing::new(algorithm, promises.sha256.is_some());
        match self.read_small(source, plan.max_bytes).await? {
            Small::Whole(body) => self.stage_inline(&body, hashing, &source.promises()),
            Small::Begun(begun) => {
                let waiting = self.parts.wait()?;
                // Owned before the first byte is on a disk, so that the sweep never takes it for an orphan.
                let guard = self.own(self.new_blob_id());
                let sink = self.parts.create(guard.id(), source.length()).await?;
                Upload::new(self, (guard, sink), waiting, hashing).run(begun, source, plan).await
            }
        }
    }

    /// Reads until the end or until the body turns out not to be small.
    async fn read_small(&self, source: &mut dyn ByteSource, max_bytes: u64) -> Result<Small, StageError> {
        let limit = self.settings.inline_limit;
        let mut begun: Vec<Bytes> = Vec::new();
        let mut length = 0;
        while let Some(chunk) = next_chunk(source).await {
            let chunk = chunk?;
            length += chunk.len();
            if length as u64 > max_bytes {
                return Err(StageError::TooLarge { max_bytes });
            }
            begun.push(chunk);
            if length > limit {
                return Ok(Small::Begun(begun));
            }
        }
        Ok(Small::Whole(joined(begun, length)))
    }

    fn stage_inline(
        &self,
        body: &Bytes,
        mut hashing: Hashing,
        promises: &Promises,
    ) -> Result<Staged, StageError> {
        hashing.update_inline(body);
        let (digests, _) = hashing.finish();
        digests.keep(promises)?;
        let staged = match body.is_empty() {
            true => StagedBody::Empty,
            false => StagedBody::Inline(self.new_blob_id(), body.clone()),
        };
        Ok(Staged { size: body.len() as u64, digests, body: staged })
    }
}

enum Small {
    Whole(Bytes),
    Begun(Vec<Bytes>),
}

/// One body as contiguous bytes; without a copy when it arrived in one chunk.
fn joined(mut chunks: Vec<Bytes>, length: usize) -> Bytes {
    if chunks.len() <= 1 {
        return chunks.pop().unwrap_or_default();
    }
    let mut body = BytesMut::with_capacity(length);
    for chunk in chunks {
        body.extend_from_slice(&chunk);
    }
    body.freeze()
}

/// A large body on its way to the volumes.
struct Upload<'a> {
    store: &'a Store,
    guard: BlobGuard,
    /// The writes of the buffer before the one being hashed. Dropped before the sink, which closes the files.
    under_way: Option<Writes>,
    sink: Sink,
    hashing: HashState,
    /// Until there is a first buffer.
    waiting: Option<Waiting>,
    /// The buffer being filled.
    buffer: Option<Buffer>,
    /// When that was taken.
    taken: Instant,
    /// What could not be written of a buffer that was given back: less than an aligned block.
    rest: Vec<u8>,
    /// Payload bytes handed to the volumes.
    offset: u64,
}

/// Digests are computed in the order of the bytes, so at most one job has them.
enum HashState {
    Idle(Box<Hashing>),
    Busy(Running<Box<Hashing>>),
    Lost,
}

impl<'a> Upload<'a> {
    fn new(store: &'a Store, (guard, sink): (BlobGuard, Sink), waiting: Waiting, hashing: Hashing) -> Self {
        Self {
            store,
            guard,
            under_way: None,
            sink,
            hashing: HashState::Idle(Box::new(hashing)),
            waiting: Some(waiting),
            buffer: None,
            taken: Instant::now(),
            rest: Vec::new(),
            offset: 0,
        }
    }

    async fn run(
        mut self,
        begun: Vec<Bytes>,
        source: &mut dyn ByteSource,
        plan: StagePlan,
    ) -> Result<Staged, StageError> {
        let mut received = 0;
        for chunk in begun {
            received += chunk.len() as u64;
            self.take(&chunk).await?;
        }
        while let Some(chunk) = self.next_chunk(source).await? {
            let chunk = chunk?;
            received += chunk.len() as u64;
            if received > plan.max_bytes {
                return Err(StageError::TooLarge { max_bytes: plan.max_bytes });
            }
            self.take(&chunk).await?;
        }
        self.finish(received, &source.promises(), plan.owner).await
    }

    /// Waits for the next chunk, without a buffer when others wait for one.
    async fn next_chunk(
        &mut self,
        source: &mut dyn ByteSource,
    ) -> Result<Option<Result<Bytes, SourceError>>, Error> {
        loop {
            if self.buffer.is_none() && self.under_way.is_none() {
                return Ok(next_chunk(source).await);
            }
            if self.taken.elapsed() >= FILL_MAX && self.store.parts.buffers_are_scarce() {
                self.give_back().await?;
                continue;
            }
            if let Ok(chunk) = timeout(FILL_MAX, next_chunk(source)).await {
                return Ok(chunk);
            }
        }
    }

    /// Writes what there is of a buffer and lets go of it.
    async fn give_back(&mut self) -> Result<(), Error> {
        if let Some(mut buffer) = self.buffer.take() {
            self.rest = buffer.split_rest();
            if !buffer.bytes().is_empty() {
                self.hand_on(buffer).await?;
            }
        }
        self.hashing = HashState::Idle(self.hashing_idle().await?);
        match self.under_way.take() {
            Some(writes) => self.sink.settle(writes).await,
            None => Ok(()),
        }
    }

    /// Makes sure that there is a buffer, with what was left of the one before.
    async fn take_buffer(&mut self) -> Result<(), Error> {
        if self.buffer.is_none() {
            let mut buffer = self.store.parts.buffer().await?;
            self.waiting = None;
            buffer.fill_from(&std::mem::take(&mut self.rest));
            (self.buffer, self.taken) = (Some(buffer), Instant::now());
        }
        Ok(())
    }

    /// Copies `chunk` into buffers, handing on each that fills up.
    async fn take(&mut self, mut chunk: &[u8]) -> Result<(), Error> {
        while !chunk.is_empty() {
            self.take_buffer().await?;
            let Some(buffer) = self.buffer.as_mut() else { break };
            let taken = buffer.fill_from(chunk);
            chunk = &chunk[taken..];
            if buffer.is_full()
                && let Some(full) = self.buffer.take()
            {
                self.hand_on(full).await?;
            }
        }
        Ok(())
    }

    /// Starts the writes and the digests of a full buffer, once those of the buffer before the last are done.
    async fn hand_on(&mut self, full: Buffer) -> Result<(), Error> {
        const { assert!(BUFFERS_PER_UPLOAD == 3, "the waits below leave two buffers under way") };
        let full = full.share();
        let length = full.len() as u64;
        let hashing = self.hashing_idle().await?;
        self.hashing = HashState::Busy(self.store.hashers.start(hashing, full.clone())?);
        if let Some(writes) = self.under_way.take() {
            self.sink.settle(writes).await?;
        }
        self.under_way = Some(self.sink.write(full, self.offset));
        self.offset += length;
        Ok(())
    }

    /// The digests, once they have caught up.
    async fn hashing_idle(&mut self) -> Result<Box<Hashing>, Error> {
        match std::mem::replace(&mut self.hashing, HashState::Lost) {
            HashState::Idle(hashing) => Ok(hashing),
            HashState::Busy(running) => running.answer().await,
            HashState::Lost => Err(Error::internal("digest", "an earlier part of the body failed")),
        }
    }

    async fn finish(
        mut self,
        size: u64,
        promises: &Promises,
        mut owner: BlobOwner,
    ) -> Result<Staged, StageError> {
        if !self.rest.is_empty() {
            self.take_buffer().await?;
        }
        let mut hashing = self.hashing_idle().await?;
        let rest = self.buffer.take().map(Buffer::share);
        if let Some(rest) = &rest {
            hashing = self.store.hashers.start(hashing, rest.clone())?.answer().await?;
        }
        let (digests, blocks) = hashing.finish();
        digests.keep(promises)?;
        if let Some(writes) = self.under_way.take() {
            self.sink.settle(writes).await?;
        }
        let rest = rest.as_ref().map_or(&[][..], Filled::bytes);
        owner.checksum = Some(digests.checksum.clone());
        let owner = owner.encode();
        let blob = (self.sink.id(), self.store.clock.now());
        let tail = Tail::new(blob, size, rest, blocks, digests.md5, &owner);
        let blob = self.store.land(self.guard, self.sink, tail).await?;
        failpoint!("store::stage::landed");
        Ok(Staged { size, digests, body: StagedBody::Blob(blob) })
    }
}
