//! Which volumes there are now, and where the copies of a blob belong among them.
//!
//! A snapshot: a change of membership makes another one and swaps it in, so that a request sees one ring from its
//! beginning to its end.

use std::sync::Arc;

use super::open_part::Candidate;
use super::slot::Slot;
use crate::base::BlobId;
use crate::base::VolumeId;
use crate::volume::Ring;

/// The volumes of this machine as they are now.
pub(in crate::store) struct Members {
    /// All that belong, absent ones too.
    slots: Vec<Arc<Slot>>,
    /// Those that new copies go to, by capacity.
    ring: Ring,
    replicas: usize,
}

impl Members {
    /// A snapshot: the volumes, those of them that new copies go to with their capacities, and how many copies.
    pub(in crate::store) fn new(slots: Vec<Arc<Slot>>, weights: &[(VolumeId, u64)], replicas: usize) -> Self {
        Self { slots, ring: Ring::new(weights), replicas }
    }

    /// All volumes, in the order in which they came.
    pub(in crate::store) fn slots(&self) -> &[Arc<Slot>] {
        &self.slots
    }

    /// One volume, when it belongs.
    pub(in crate::store) fn slot(&self, volume: VolumeId) -> Option<&Arc<Slot>> {
        self.slots.iter().find(|slot| slot.id() == volume)
    }

    /// Copies of each blob.
    pub(in crate::store) const fn replicas(&self) -> usize {
        self.replicas
    }

    /// Copies that must be durable before a write is acknowledged.
    pub(in crate::store) const fn quorum(&self) -> usize {
        self.replicas / 2 + 1
    }

    /// The volumes that take copies of a blob: its home first, then clockwise.
    pub(in crate::store) fn order(&self, blob: BlobId) -> impl Iterator<Item = &Arc<Slot>> {
        self.ring.order(blob).filter_map(|id| self.slot(id))
    }

    /// Where copies may lie: volumes that answer first, the others as the last resort; in each group those of the
    /// ring clockwise, then those that left it.
    pub(super) fn candidates(&self, blob: BlobId) -> impl Iterator<Item = Candidate> {
        let on_ring: Vec<&Arc<Slot>> = self.order(blob).collect();
        let off_ring = self.slots.iter().filter(|slot| !on_ring.iter().any(|other| other.id() == slot.id()));
        let all = on_ring.iter().copied().chain(off_ring).enumerate().map(|(number, slot)| {
            let candidate = Candidate { slot: Arc::clone(slot), is_home: number < self.replicas };
            (slot.may_ask(), candidate)
        });
        let (answering, silent): (Vec<_>, Vec<_>) = all.partition(|(answers, _)| *answers);
        answering.into_iter().chain(silent).map(|(_, candidate)| candidate)
    }
}
