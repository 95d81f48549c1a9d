//! Making the copies that are missing.

use std::collections::BTreeSet;
use std::time::Instant;

use futures_util::future::join;

use super::look::Place;
use super::look::Restoration;
use crate::base::BlobId;
use crate::store::Pace;
use crate::store::local::Failure;
use crate::store::local::NewCopy;
use crate::store::local::Seen;
use crate::sys::failpoint::failpoint;
use crate::volume::AlignedBuffer;
use crate::volume::BUFFER_BYTES;
use crate::volume::BlockSums;
use crate::volume::Footer;
use crate::volume::Tail;

/// Why a copy could not be made.
enum Trouble {
    /// A block of it is good in no copy.
    NoSource,
    /// The volume that should take it did not.
    Target(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Target(failure)
    }
}

impl<P: Pace> Restoration<'_, P> {
    /// Makes a copy on every home that answers and lacks one. Copies that turn out to be bad meanwhile are replaced too.
    pub(super) async fn fill(&mut self) {
        // The sweep must not take a copy under another name for an orphan; what is left when this is dropped is one. Held
        // to the end: the removal would meet the next one of that name.
        let _owned = self.store.own(twin(self.blob));
        while let Some(at) = self.next_target() {
            self.places[at].is_tried = true;
            match self.copy_to(at).await {
                Ok(()) => {}
                Err(Trouble::NoSource) => return,
                Err(Trouble::Target(failure)) => {
                    let (blob, volume) = (self.blob, self.places[at].slot.id());
                    match failure.is_full() {
                        // Every blob that belongs there would say so.
                        true => tracing::debug!(%blob, %volume, "there is no room for a copy here"),
                        false => tracing::warn!(%blob, %volume, %failure, "a copy could not be made here"),
                    }
                }
            }
        }
    }

    /// The next volume that a copy should be made on. Homes without any file first: there nothing can be made worse.
    fn next_target(&self) -> Option<usize> {
        let lacks =
            |place: &Place| !place.is_tried && !place.is_good() && !matches!(place.seen, Seen::Unknown(_));
        let homes = |has_file: bool| {
            let wanted = move |place: &Place| place.is_home && lacks(place) && place.has_file() == has_file;
            self.places.iter().position(wanted)
        };
        homes(false).or_else(|| homes(true)).or_else(|| self.next_substitute())
    }

    /// When a home is full: the next volume on the ring that may take its copy, unless there are copies enough.
    fn next_substitute(&self) -> Option<usize> {
        let good = self.places.iter().filter(|place| place.is_good()).count();
        let refused = |place: &Place| place.is_home && place.is_tried && !place.is_good();
        if good >= self.replicas() || !self.places.iter().any(refused) {
            return None;
        }
        let takes = |place: &Place| {
            !place.is_home && place.is_on_ring && !place.is_tried && matches!(place.seen, Seen::Nothing)
        };
        self.places.iter().position(takes)
    }

    async fn copy_to(&mut self, at: usize) -> Result<(), Trouble> {
        let source = self.places.iter().find_map(Place::reader).ok_or(Trouble::NoSource)?;
        let footer = source.footer().clone();
        let (slot, blob) = (self.places[at].slot.clone(), self.blob);
        let replaces = self.places[at].has_file();
        let name = if replaces { twin(blob) } else { blob };
        failpoint!("store::repair::before_copy");
        let copy = self.store.parts.create_on(&slot, name, footer.length).await?;
        let tail = self.pour(&copy, &footer).await?;
        failpoint!("store::repair::before_finish");
        copy.finish(tail).await?;
        failpoint!("store::repair::after_finish");
        if replaces {
            failpoint!("store::repair::before_quarantine");
            // Where the new copy may be the only whole one, it takes the name at once: for a moment there would be none
            // under it, and the bad one has nothing that the new one has not.
            if self.places.iter().any(|place| place.is_good() && place.is_read) {
                self.done.quarantined += usize::from(slot.quarantine(blob).await?);
                failpoint!("store::repair::before_adopt");
            }
            slot.adopt(name, blob).await?;
        }
        // Others may be made of it when no other copy is whole.
        let seen = match self.places.iter().any(|place| place.damage.is_some()) {
            true => slot.look(blob).await,
            false => Seen::Nothing,
        };
        let place = &mut self.places[at];
        (place.seen, place.damage, place.is_read, place.is_made) = (seen, None, true, true);
        self.done.copies += 1;
        self.done.bytes += footer.file_bytes();
        Ok(())
    }

    /// Writes the payload; returns what belongs behind it. The next run is read while the last is written.
    async fn pour(&mut self, copy: &NewCopy, footer: &Footer) -> Result<Tail, Trouble> {
        let mut sums = BlockSums::new();
        let (mut from, mut rest, mut sources) = (0, None, BTreeSet::new());
        let end_of = |from: u64| footer.length.min(from + BUFFER_BYTES as u64);
        let mut next = if footer.length > 0 { Some(self.chunk(0, end_of(0)).await?) } else { None };
        while let Some((buffer, source)) = next.take() {
            let (begun, end) = (Instant::now(), end_of(from));
            sources.insert(source);
            sums.update(buffer.bytes());
            match buffer.is_full() {
                true if end < footer.length => {
                    let read = self.chunk(end, end_of(end));
                    let (written, read) = join(copy.write(buffer, from), read).await;
                    written?;
                    next = Some(read?);
                }
                true => copy.write(buffer, from).await?,
                false => rest = Some(buffer),
            }
            self.pace.spent(end - from, begun.elapsed()).await;
            from = end;
        }
        // The one that gave all of it has been read to its end.
        if let (Some(source), 1) = (sources.first(), sources.len()) {
            self.places[*source].is_read = true;
        }
        let owner = self.owner().await.ok_or(Trouble::NoSource)?;
        let rest = rest.as_ref().map_or(&[][..], AlignedBuffer::bytes);
        let tail = Tail::new((self.blob, footer.created), footer.length, rest, sums, footer.md5, &owner);
        match tail.footer() == footer {
            true => Ok(tail),
            false => Err(Trouble::NoSource),
        }
    }

    /// A verified run of the payload, from the first copy that has it good, and which that is.
    async fn chunk(&mut self, from: u64, end: u64) -> Result<(AlignedBuffer, usize), Trouble> {
        let good = |damaged: bool| {
            let with_reader =
                |(at, place): (usize, &Place)| place.reader().map(|_| (at, place.damage.is_some()));
            self.places.iter().enumerate().filter_map(with_reader).filter(move |(_, bad)| *bad == damaged)
        };
        let order: Vec<usize> = good(false).chain(good(true)).map(|(at, _)| at).collect();
        for at in order {
            let place = &self.places[at];
            let Some(reader) = place.reader() else { continue };
            let read = self.store.parts.read_on(&place.slot, reader, from..end).await;
            let failure = match read {
                Ok(buffer) => return Ok((buffer, at)),
                Err(failure) => failure,
            };
            let (blob, volume) = (self.blob, place.slot.id());
            tracing::warn!(%blob, %volume, %failure, "a copy is bad; another is tried");
            let place = &mut self.places[at];
            match failure.is_of_copy() {
                true => place.damage = Some(failure.to_string()),
                false => place.seen = Seen::Unknown(failure.to_string()),
            }
        }
        Err(Trouble::NoSource)
    }

    /// What the file says about itself. It was read and checked when the copies were looked at.
    async fn owner(&self) -> Option<Vec<u8>> {
        self.places.iter().filter_map(Place::reader).find_map(|reader| reader.owner().ok())
    }
}

/// The name under which a copy is written while a bad one has its own: in the same directory, and nobody's.
fn twin(blob: BlobId) -> BlobId {
    let mut bytes = *blob.as_bytes();
    bytes[1..].iter_mut().for_each(|byte| *byte = !*byte);
    BlobId::from_bytes(bytes)
}
