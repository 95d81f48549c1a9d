//! Which volumes there are now, and where the copies of a blob belong among them.
//!
//! A snapshot: a change of membership makes another one and swaps it in, so that a request sees one ring from its
//! beginning to its end.

use std::collections::HashSet;
use std::sync::Arc;

use super::open_part::Candidate;
use super::slot::Slot;
use crate::base::BlobId;
use crate::base::VolumeId;
use crate::volume::Member;
use crate::volume::Ring;
use crate::volume::Roster;
use crate::volume::VolumeState;
use crate::volume::Weight;

/// The volumes of this machine as they are now.
pub(in crate::store) struct Members {
    /// All that belong, absent ones too.
    slots: Vec<Arc<Slot>>,
    roster: Arc<Roster>,
    /// Those that new copies go to, by capacity.
    ring: Ring,
    replicas: usize,
}

impl Members {
    /// The snapshot of a roster, with a slot for each volume that belongs. `wanted` is how many copies there are when
    /// there are volumes enough; those that are `out` have been away for so long that their copies go elsewhere.
    pub(in crate::store) fn new(
        slots: Vec<Arc<Slot>>,
        roster: Arc<Roster>,
        wanted: usize,
        out: &HashSet<VolumeId>,
    ) -> Self {
        let active: Vec<&Member> =
            roster.belonging().filter(|member| member.state == VolumeState::Active).collect();
        let weight = |member: &&Member| Weight {
            volume: member.volume,
            place: member.place,
            capacity_bytes: member.capacity_bytes,
        };
        let is_in = |member: &&&Member| !out.contains(&member.volume);
        let mut weights: Vec<Weight> = active.iter().filter(is_in).map(weight).collect();
        // When all are away, they are where copies belong still.
        if weights.is_empty() {
            weights = active.iter().map(weight).collect();
        }
        let ring = Ring::new(&weights, roster.point_bytes);
        let replicas = wanted.min(active.len()).max(1);
        Self { slots, roster, ring, replicas }
    }

    /// What the snapshot is of.
    pub(in crate::store) const fn roster(&self) -> &Arc<Roster> {
        &self.roster
    }

    /// The volumes that vote on commits of metadata.
    pub(in crate::store) fn voters(&self) -> impl Iterator<Item = &Arc<Slot>> {
        self.roster.voters().filter_map(|member| self.slot(member.volume))
    }

    /// What is wanted of a volume.
    pub(in crate::store) fn state(&self, volume: VolumeId) -> VolumeState {
        self.roster.member(volume).map_or(VolumeState::Removed, |member| member.state)
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

    /// Where copies may lie: volumes that answer first, then those that do so slowly, the others as the last resort; in
    /// each group those of the ring clockwise, then those that left it.
    pub(super) fn candidates(&self, blob: BlobId) -> impl Iterator<Item = Candidate> {
        let on_ring: Vec<&Arc<Slot>> = self.order(blob).collect();
        let off_ring = self.slots.iter().filter(|slot| !on_ring.iter().any(|other| other.id() == slot.id()));
        let all = on_ring.iter().copied().chain(off_ring).enumerate().map(|(number, slot)| {
            let candidate = Candidate { slot: Arc::clone(slot), is_home: number < self.replicas };
            let group = match slot.may_read() {
                true => u8::from(slot.patience().rests()),
                false => 2,
            };
            (group, candidate)
        });
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(group, _)| *group);
        all.into_iter().map(|(_, candidate)| candidate)
    }
}
