//! What every volume has of a blob, and what is made of it.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;

use super::Outcome;
use super::Restored;
use crate::base::BlobId;
use crate::store::Pace;
use crate::store::Store;
use crate::store::local::Members;
use crate::store::local::Seen;
use crate::store::local::Slot;
use crate::volume::Footer;
use crate::volume::PartReader;

/// Bytes verified at a time.
const VERIFIED_BYTES: u64 = 1 << 20;

/// A volume, and the copy it has.
pub(super) struct Place {
    pub(super) slot: Arc<Slot>,
    /// Whether a copy belongs here.
    pub(super) is_home: bool,
    /// Whether it takes copies at all.
    pub(super) is_on_ring: bool,
    pub(super) seen: Seen,
    /// Why the copy is bad although its footer is sound. Its other blocks may still be good.
    pub(super) damage: Option<String>,
    /// Whether every byte was read, or written, just now.
    pub(super) is_read: bool,
    /// Whether it was tried already to make a copy here.
    pub(super) is_tried: bool,
    /// Whether that made one: of verified blocks, synced. It is opened again only where others are made of it.
    pub(super) is_made: bool,
}

impl Place {
    pub(super) const fn is_good(&self) -> bool {
        self.is_made || (matches!(self.seen, Seen::Sound(_)) && self.damage.is_none())
    }

    /// Whether a file is there, good or bad.
    pub(super) const fn has_file(&self) -> bool {
        self.is_made || matches!(self.seen, Seen::Sound(_) | Seen::Bad(_))
    }

    pub(super) const fn reader(&self) -> Option<&Arc<PartReader>> {
        match &self.seen {
            Seen::Sound(reader) => Some(reader),
            Seen::Bad(_) | Seen::Nothing | Seen::Unknown(_) => None,
        }
    }
}

/// A blob being restored.
pub(super) struct Restoration<'a, P> {
    pub(super) store: &'a Store,
    pub(super) blob: BlobId,
    pub(super) pace: &'a P,
    pub(super) members: Arc<Members>,
    /// Homes first, then the other volumes of the ring clockwise, then those that left it.
    pub(super) places: Vec<Place>,
    pub(super) done: Restored,
}

impl<'a, P: Pace> Restoration<'a, P> {
    /// Looks at every volume.
    pub(super) async fn look(store: &'a Store, blob: BlobId, pace: &'a P) -> Self {
        let members = store.parts.members();
        let on_ring: Vec<Arc<Slot>> = members.order(blob).cloned().collect();
        let off_ring = members.slots().iter().filter(|slot| !on_ring.iter().any(|on| on.id() == slot.id()));
        let slots: Vec<Arc<Slot>> = on_ring.iter().chain(off_ring).cloned().collect();
        let looks = join_all(slots.iter().map(|slot| slot.look(blob))).await;
        let places = slots.into_iter().zip(looks).enumerate().map(|(number, (slot, seen))| Place {
            slot,
            is_home: number < members.replicas(),
            is_on_ring: number < on_ring.len(),
            seen,
            damage: None,
            is_read: false,
            is_tried: false,
            is_made: false,
        });
        let places = places.collect();
        let done = Restored::nothing(Outcome::Whole);
        let mut restoration = Self { store, blob, pace, members, places, done };
        restoration.compare();
        restoration.report();
        restoration
    }

    fn report(&self) {
        for place in &self.places {
            let (blob, volume) = (self.blob, place.slot.id());
            match &place.seen {
                Seen::Bad(why) => tracing::warn!(%blob, %volume, why, "a copy is bad"),
                Seen::Unknown(why) => tracing::debug!(%blob, %volume, why, "a copy cannot be looked at"),
                Seen::Sound(_) | Seen::Nothing => {}
            }
        }
    }

    /// Copies of one blob are the same: one that differs from the most is bad.
    fn compare(&mut self) {
        let footers: Vec<Footer> =
            self.places.iter().filter_map(|place| Some(place.reader()?.footer().clone())).collect();
        let count = |footer: &Footer| footers.iter().filter(|other| *other == footer).count();
        let Some(most) = footers.iter().rev().max_by_key(|footer| count(footer)) else { return };
        for place in &mut self.places {
            if place.reader().is_some_and(|reader| reader.footer() != most) {
                place.seen = Seen::Bad("it differs from the other copies".to_owned());
            }
        }
    }

    pub(super) fn replicas(&self) -> usize {
        self.members.replicas()
    }

    /// Homes without a copy that looks good from outside.
    pub(super) fn visibly_missing(&self) -> usize {
        self.places.iter().filter(|place| place.is_home && !place.is_good()).count()
    }

    /// Whether a copy lies where it does not belong.
    pub(super) fn has_surplus(&self) -> bool {
        self.places.iter().any(|place| !place.is_home && place.has_file())
    }

    /// Whether a home answers and has no good copy.
    pub(super) fn knows_of_damage(&self) -> bool {
        let is_damaged =
            |place: &Place| place.is_home && !place.is_good() && !matches!(place.seen, Seen::Unknown(_));
        self.places.iter().any(is_damaged)
    }

    /// Reads every copy to its end, to find the one that has a bad block.
    pub(super) async fn read_all(&mut self) {
        let unread = |place: &Place| place.is_good() && !place.is_read;
        let unread: Vec<usize> = (0..self.places.len()).filter(|at| unread(&self.places[*at])).collect();
        let verified = join_all(unread.iter().map(|at| self.verify(*at))).await;
        for (at, verified) in unread.into_iter().zip(verified) {
            let place = &mut self.places[at];
            match verified {
                Ok(()) => place.is_read = true,
                Err(Found::Damage(why)) => place.damage = Some(why),
                Err(Found::Silence(why)) => place.seen = Seen::Unknown(why),
            }
        }
    }

    async fn verify(&self, at: usize) -> Result<(), Found> {
        let place = &self.places[at];
        let Some(reader) = place.reader() else { return Ok(()) };
        let length = reader.footer().length;
        let mut from = 0;
        while from < length {
            let (begun, end) = (Instant::now(), length.min(from + VERIFIED_BYTES));
            place.slot.verify(reader, from..end).await.map_err(|failure| match failure.is_of_copy() {
                true => Found::Damage(failure.to_string()),
                false => Found::Silence(failure.to_string()),
            })?;
            self.pace.spent(end - from, begun.elapsed()).await;
            from = end;
        }
        Ok(())
    }

    /// How it stands now.
    pub(super) fn outcome(&self) -> Outcome {
        let good = self.places.iter().filter(|place| place.is_good()).count();
        let homes = self.places.iter().filter(|place| place.is_home);
        match homes.clone().all(Place::is_good) && homes.count() == self.replicas() {
            true => Outcome::Whole,
            false if good == 0 => Outcome::Lost,
            false if good >= self.replicas() => Outcome::Misplaced,
            false => Outcome::Short(self.replicas() - good),
        }
    }

    /// Removes copies where they do not belong. Called only when every home has a good one.
    pub(super) async fn remove_surplus(&mut self) {
        if self.replicas() == 1 {
            // The last copy but one goes only when the last is known to be good to its last byte.
            self.read_all().await;
        }
        if self.outcome() != Outcome::Whole {
            return;
        }
        let blob = self.blob;
        for place in self.places.iter_mut().filter(|place| !place.is_home && place.has_file()) {
            // Homes have changed since: what is surplus by the old ones may be the last copy by the new.
            if !Arc::ptr_eq(&self.members, &self.store.parts.members()) {
                return;
            }
            let (is_good, volume) = (place.is_good(), place.slot.id());
            let removed = match is_good {
                true => place.slot.remove(blob).await,
                false => place.slot.quarantine(blob).await,
            };
            match removed {
                Ok(_) if is_good => self.done.removed += 1,
                Ok(_) => self.done.quarantined += 1,
                // The next census finds it.
                Err(failure) => tracing::debug!(%blob, %volume, %failure, "a surplus copy is left for now"),
            }
            place.seen = Seen::Nothing;
        }
    }

    /// What was done.
    pub(super) const fn done(&self, outcome: Outcome) -> Restored {
        Restored { outcome, ..self.done }
    }
}

/// What reading a copy to its end found.
enum Found {
    Damage(String),
    Silence(String),
}
