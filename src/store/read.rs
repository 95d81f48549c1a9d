//! Reading an object: choose a copy, verify while streaming, fall over to the next copy, file a repair row.
//!
//! A read registers with [`super::readers`] and then looks at the object row once more: from there on the reclaimer
//! leaves every blob of that version alone until the read is dropped. One chunk is read ahead, so that disk and
//! network overlap; memory per download stays at two chunks, whose size is a matter of how many there are.

use std::collections::VecDeque;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use bytes::Bytes;
use futures_util::Stream;

use super::ByteSource;
use super::Error;
use super::Promises;
use super::SourceError;
use super::Store;
use super::commit::Custody;
use super::doubts::Doubts;
use super::downloads::Download;
use super::engine::Metadata as _;
use super::engine::Parts as _;
use super::local::LocalMetadata;
use super::local::LocalParts;
use super::local::OpenPart;
use super::object::Object;
use super::pace::UnderWay;
use super::readers::Reading;
use crate::base::BlobId;
use crate::base::BucketId;
use crate::meta::Transaction;
use crate::meta::keys;
use crate::meta::records;
use crate::meta::records::Layout;
use crate::meta::records::PartBody;
use crate::meta::records::PartEntry;
use crate::meta::records::Repair;
use crate::s3::error_code::ErrorCode;
use crate::s3::name::ObjectKey;
use crate::sys::clock::Clock;

/// Why an object could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It was overwritten or deleted since its row was read: read the row again.
    #[error("the object has changed")]
    Changed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// The bytes of one version of an object, or of a range of it.
pub struct ObjectReader {
    length: u64,
    source: Source,
}

enum Source {
    Inline(Option<Bytes>),
    Streamed(Pin<Box<dyn Stream<Item = Result<Bytes, Error>>>>),
}

impl ObjectReader {
    /// How many bytes will come.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The whole of it at once, when it is in memory already.
    pub fn take_inline(&mut self) -> Option<Bytes> {
        match &mut self.source {
            Source::Inline(bytes) => bytes.take(),
            Source::Streamed(_) => None,
        }
    }

    /// The next bytes; verified. After an error the rest cannot be had and the client must see a broken reply.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        match &mut self.source {
            Source::Inline(bytes) => Poll::Ready(bytes.take().filter(|bytes| !bytes.is_empty()).map(Ok)),
            Source::Streamed(stream) => stream.as_mut().poll_next(cx),
        }
    }
}

/// A copy reads its source like an upload.
impl ByteSource for ObjectReader {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, SourceError>>> {
        self.poll_next(cx).map_err(|error| {
            tracing::error!(%error, "the source of a copy could not be read");
            SourceError::new(ErrorCode::InternalError, "the source could not be read")
        })
    }

    fn length(&self) -> Option<u64> {
        Some(self.length)
    }

    fn promises(&self) -> Promises {
        Promises::default()
    }
}

/// A run of bytes within one part.
struct Segment {
    body: SegmentBody,
    range: Range<u64>,
}

enum SegmentBody {
    Blob(BlobId),
    /// A part that lives with its metadata. It is taken when the read is opened: the reclaimer waits for files alone,
    /// and only the last part of an object can be so small.
    Held(Bytes),
}

impl Store {
    /// Opens `range` of an object whose row was just read. The range must lie inside the object.
    pub async fn open(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
        object: &Object,
        range: Range<u64>,
    ) -> Result<ObjectReader, OpenError> {
        let length = range.end - range.start;
        if let Layout::Inline(id) = object.record.body.layout {
            let bytes = self.held(id, &range).await?;
            return Ok(ObjectReader { length, source: Source::Inline(Some(bytes)) });
        }
        let mut reading = self.readers.enter(self.metadata.newest_commit());
        let row = keys::current(bucket, key.as_str());
        let now = self.metadata.get::<records::Object>(&row).await?;
        if now.is_none_or(|now| now.revision != object.revision) {
            return Err(OpenError::Changed);
        }
        let segments = self.segments(&object.record, range).await?;
        reading.narrow(segments.iter().filter_map(Segment::blob).collect());
        let state = Streaming {
            parts: Arc::clone(&self.parts),
            metadata: self.metadata.clone(),
            clock: Arc::clone(&self.clock),
            doubts: Arc::clone(&self.doubts),
            segments,
            open: None,
            ahead: None,
            download: self.downloads.enter(),
            _reading: reading,
            _under_way: self.traffic.enter(),
        };
        let stream = futures_util::stream::unfold(state, Streaming::step);
        Ok(ObjectReader { length, source: Source::Streamed(Box::pin(stream)) })
    }

    /// The parts of an object, in order; one whole part for an object written in one piece is not listed.
    pub async fn parts_of(&self, object: &records::Object) -> Result<Vec<PartEntry>, OpenError> {
        self.part_entries(&object.body.layout).await?.ok_or(OpenError::Changed)
    }

    async fn segments(
        &self,
        object: &records::Object,
        range: Range<u64>,
    ) -> Result<VecDeque<Segment>, OpenError> {
        if let Layout::Blob(id) = object.body.layout {
            return Ok(VecDeque::from([Segment { body: SegmentBody::Blob(id), range }]));
        }
        let mut begin = 0;
        let mut segments = VecDeque::new();
        for part in self.parts_of(object).await? {
            let within = range.start.max(begin)..range.end.min(begin + part.size);
            if within.start < within.end {
                let range = within.start - begin..within.end - begin;
                let body = match part.body {
                    PartBody::Blob(id) => SegmentBody::Blob(id),
                    PartBody::Inline(id) => SegmentBody::Held(self.held(id, &range).await?),
                    // Empty parts make no segments.
                    PartBody::Empty => continue,
                };
                segments.push_back(Segment { body, range });
            }
            begin += part.size;
        }
        Ok(segments)
    }
}

impl Store {
    /// A range of a part that lives with its metadata.
    async fn held(&self, id: BlobId, range: &Range<u64>) -> Result<Bytes, OpenError> {
        let bytes = self.metadata.inline(id).await?.ok_or(OpenError::Changed)?;
        let (start, end) = (range.start as usize, range.end as usize);
        if end > bytes.len() {
            let reason = "an inline body is shorter than its row says".to_owned();
            return Err(OpenError::Store(Error::Damaged { blob: id, reason }));
        }
        Ok(bytes.slice(start..end))
    }
}

impl Segment {
    const fn blob(&self) -> Option<BlobId> {
        match self.body {
            SegmentBody::Blob(id) => Some(id),
            SegmentBody::Held(_) => None,
        }
    }
}

/// Where the next chunk of a range ends: chunks begin and end on their own multiples, so that whole blocks of the part
/// are not read and checked twice while they are large enough.
fn chunk_end(range: &Range<u64>, chunk_bytes: u64) -> u64 {
    range.end.min((range.start / chunk_bytes + 1) * chunk_bytes)
}

/// A streamed read under way.
struct Streaming {
    parts: Arc<LocalParts>,
    metadata: LocalMetadata,
    clock: Arc<dyn Clock>,
    doubts: Arc<Doubts>,
    segments: VecDeque<Segment>,
    open: Option<(BlobId, OpenPart)>,
    /// What was read ahead, as it will be asked for.
    ahead: Option<Range<u64>>,
    download: Download,
    _reading: Reading,
    _under_way: UnderWay,
}

impl Streaming {
    /// One chunk and the state behind it; ends after an error.
    async fn step(mut self) -> Option<(Result<Bytes, Error>, Self)> {
        let segment = self.segments.front_mut()?;
        match &segment.body {
            SegmentBody::Blob(id) => {
                let id = *id;
                let chunk_bytes = self.download.chunk_bytes();
                let here = segment.range.start..chunk_end(&segment.range, chunk_bytes);
                let range = self.ahead.take().filter(|ahead| ahead.start == here.start).unwrap_or(here);
                let end = range.end;
                segment.range.start = end;
                let chunk = self.chunk(id, range).await;
                self.settle(chunk.is_ok(), id);
                Some((chunk, self))
            }
            SegmentBody::Held(bytes) => {
                let bytes = bytes.clone();
                self.segments.pop_front();
                Some((Ok(bytes), self))
            }
        }
    }

    async fn chunk(&mut self, id: BlobId, range: Range<u64>) -> Result<Bytes, Error> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != id) {
            let reason = "no copy was found".to_owned();
            let opened = self.parts.open(id).await;
            let part = opened.and_then(|part| part.ok_or(Error::Damaged { blob: id, reason }));
            if let Err(Error::Damaged { .. }) = &part {
                let copies = self.parts.members().replicas();
                self.file_repair(id, copies).await;
            }
            self.open = Some((id, part?));
        }
        let Some((_, part)) = self.open.as_mut() else {
            return Err(Error::internal("read", "no part is open"));
        };
        let chunk = self.parts.read(part, range).await;
        let bad = part.take_bad();
        if bad > 0 {
            self.file_repair(id, bad).await;
        }
        chunk
    }

    /// Tells the repair job about bad copies. The read goes on whether or not that works: the scrub finds them too.
    async fn file_repair(&self, blob: BlobId, bad: usize) {
        self.doubts.note(blob);
        // Queued already: reads of a damaged object must not become writes.
        if let Ok(Some(_)) = self.metadata.get::<Repair>(&keys::repair(blob)).await {
            return;
        }
        let missing = u8::try_from(bad).unwrap_or(u8::MAX);
        let mut transaction = Transaction::new();
        transaction.put(keys::repair(blob), &Repair { blob, missing, at: self.clock.now() });
        if let Err(error) = self.metadata.commit(transaction, Custody::default()).await {
            tracing::warn!(%blob, %error, "a bad copy was noticed but could not be put on the repair queue");
        }
    }

    /// Starts the next chunk of the same part, or steps to the next part; gives up after an error.
    fn settle(&mut self, ok: bool, id: BlobId) {
        if !ok {
            self.segments.clear();
            return;
        }
        let Some(segment) = self.segments.front() else {
            return;
        };
        if segment.range.is_empty() {
            self.segments.pop_front();
            self.open = None;
            return;
        }
        let chunk_bytes = self.download.chunk_bytes();
        if !Download::may_read_ahead(chunk_bytes) {
            return;
        }
        let range = segment.range.start..chunk_end(&segment.range, chunk_bytes);
        if let Some((open, part)) = &mut self.open
            && *open == id
        {
            part.read_ahead(range.clone());
            self.ahead = Some(range);
        }
    }
}
