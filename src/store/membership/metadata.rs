//! Where replicas of the metadata live: on up to three volumes, each of which has a vote.
//!
//! A vote moves in steps of one. At every moment in between, the volumes that have acknowledged a commit and those that are
//! enough for a start by the roster have one in common. One of two is enough for a start, so both must have everything
//! while a roster names two: from two to three the roster comes first and then the vote, from three to two the vote goes
//! first and then the roster. Between one and two it is the other way round.

use std::sync::Arc;

use super::METADATA;
use super::Membership;
use super::MembershipError;
use super::VolumeState;
use super::change::WRITE_MAX;
use crate::base::VolumeId;
use crate::meta::ReplicaPlace;
use crate::meta::ReplicaStatus;
use crate::meta::Role;
use crate::store::Error;
use crate::store::local::Members;
use crate::store::local::Slot;
use crate::sys::disk::create_private_file;
use crate::volume::Member;
use crate::volume::Roster;
use crate::volume::VOTERS_MAX;

impl Membership {
    /// Takes one step towards a replica on each of the first volumes; whether another should follow soon.
    pub(super) fn tend_metadata(&self) -> Result<bool, MembershipError> {
        let mut tried = self.state.lock();
        let members = self.parts.members();
        let replicas = self.meta.replicas();
        let out = self.seen.lock().out();
        let stays = |member: &&Member| member.state == VolumeState::Active && !out.contains(&member.volume);
        let wanted = members.roster().belonging().filter(stays).count().clamp(1, VOTERS_MAX);
        let staying = members.roster().voters().filter(stays).count();
        if staying < wanted {
            return self.gain(&mut tried, &members, &replicas);
        }
        // A vote too many: of one that drains or is away.
        if let Some(leaving) = members.roster().voters().find(|member| !stays(member)) {
            return self.let_go(&mut tried, &members, leaving.volume);
        }
        self.drop_learners(&members, &replicas)
    }

    /// One step towards a vote more.
    fn gain(
        &self,
        tried: &mut u64,
        members: &Members,
        replicas: &[ReplicaStatus],
    ) -> Result<bool, MembershipError> {
        let Some(candidate) = self.candidate(members, replicas) else { return Ok(false) };
        let name = candidate.to_string();
        let Some(replica) = replicas.iter().find(|replica| replica.name == name) else {
            let Some(slot) = members.slot(candidate) else { return Ok(false) };
            tracing::info!(volume = %candidate, "a replica of the metadata is made");
            self.meta.attach(replica_place(slot), false)?;
            return Ok(true);
        };
        match replica.role {
            Role::Follower | Role::Leader => {}
            // What cannot be used is tried on another volume at the next step.
            Role::Failed { .. } | Role::Absent => {
                self.meta.detach(&name)?;
                return Ok(false);
            }
            Role::Lagging { .. } | Role::Rebuilding { .. } => return Ok(true),
        }
        self.keep(members, candidate)?;
        // One that was alone and has everything is outvoted first; with two, the roster must know of the third before a
        // commit is acknowledged that only one of the two has.
        let knows_first = members.roster().voters().count() >= 2;
        if !replica.voter && !knows_first {
            self.meta.promote(&name)?;
        }
        let mut roster = Roster::clone(members.roster());
        if let Some(member) = roster.member_mut(candidate) {
            member.metadata = true;
        }
        self.commit(tried, members.slots().to_vec(), roster)?;
        if !replica.voter && knows_first {
            self.meta.promote(&name)?;
        }
        tracing::info!(volume = %candidate, "the volume votes on commits of metadata");
        Ok(true)
    }

    /// Writes what volumes that vote keep, before this one does.
    fn keep(&self, members: &Members, volume: VolumeId) -> Result<(), Error> {
        let (Some(kept), Some(slot)) = (&self.kept, members.slot(volume)) else { return Ok(()) };
        let (kept, name, path) = (Arc::clone(kept), kept.name, slot.path().join(kept.name));
        let (done, written) = crossbeam_channel::bounded(1);
        slot.pool.start(move || {
            let _ = done.send(create_private_file(&path, kept.text.as_bytes()));
        })?;
        match written.recv_timeout(WRITE_MAX) {
            Ok(Err(error)) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(Error::unavailable(format!("{volume} cannot keep {name}: {error}")))
            }
            Ok(_) => Ok(()),
            Err(_) => Err(Error::unavailable(format!("{volume} does not answer"))),
        }
    }

    /// The volume that should get a vote next: one that is on its way already, or the one with the most room.
    fn candidate(&self, members: &Members, replicas: &[ReplicaStatus]) -> Option<VolumeId> {
        let fits = |member: &&Member| {
            let slot = members.slot(member.volume);
            let is_usable = slot.is_some_and(|slot| slot.volume().is_some() && slot.health().is_usable());
            is_usable && !member.metadata && member.state == VolumeState::Active
        };
        let rank = |member: &&Member| {
            let name = member.volume.to_string();
            let room = members.slot(member.volume).and_then(|slot| slot.room().space());
            (replicas.iter().any(|replica| replica.name == name), room.map(|space| space.available_bytes))
        };
        members.roster().belonging().filter(fits).max_by_key(rank).map(|member| member.volume)
    }

    /// Takes a vote away, when the others hold everything.
    fn let_go(&self, tried: &mut u64, members: &Members, volume: VolumeId) -> Result<bool, MembershipError> {
        if self.check_metadata_elsewhere(members, volume).is_err() {
            return Ok(false);
        }
        let mut roster = Roster::clone(members.roster());
        if let Some(member) = roster.member_mut(volume) {
            member.metadata = false;
        }
        self.commit_with_fewer(tried, members.slots().to_vec(), roster, volume)?;
        tracing::info!(%volume, "the volume has no vote on metadata any more");
        Ok(true)
    }

    /// Commits a roster in which `volume` has no vote any more, and forgets its replica. Two voters of which either may be
    /// alone at a start must both have every commit before a roster names them alone.
    pub(super) fn commit_with_fewer(
        &self,
        tried: &mut u64,
        slots: Vec<Arc<Slot>>,
        roster: Roster,
        volume: VolumeId,
    ) -> Result<(), MembershipError> {
        let name = volume.to_string();
        let stays_two = roster.voters().count() == 2;
        if stays_two {
            self.meta.detach(&name)?;
        }
        self.commit(tried, slots, roster)?;
        if !stays_two {
            self.meta.detach(&name)?;
        }
        Ok(())
    }

    /// Replicas without a vote that are not on their way to one: of an attempt that was given up, or of a volume that
    /// has left.
    fn drop_learners(&self, members: &Members, replicas: &[ReplicaStatus]) -> Result<bool, MembershipError> {
        let votes = |name: &str| members.roster().voters().any(|member| member.volume.to_string() == name);
        for replica in replicas.iter().filter(|replica| !votes(&replica.name)) {
            self.meta.detach(&replica.name)?;
        }
        Ok(false)
    }
}

/// Where a volume keeps its replica.
pub(super) fn replica_place(slot: &Slot) -> ReplicaPlace {
    ReplicaPlace::new(slot.id().to_string(), slot.path().join(METADATA))
}
