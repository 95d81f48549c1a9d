//! Where replicas of the metadata live: on up to three volumes, each of which has a vote.
//!
//! A vote moves in steps of one, and the number of volumes that a commit needs never lags behind the number of votes that
//! a start believes in: a replica is promoted before the roster gives it the vote, and the roster takes a vote away before
//! the replica is let go.

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
        if !replica.voter {
            self.meta.promote(&name)?;
        }
        let mut roster = Roster::clone(members.roster());
        if let Some(member) = roster.member_mut(candidate) {
            member.metadata = true;
        }
        self.commit(tried, members.slots().to_vec(), roster)?;
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
        self.commit(tried, members.slots().to_vec(), roster)?;
        self.meta.detach(&volume.to_string())?;
        tracing::info!(%volume, "the volume has no vote on metadata any more");
        Ok(true)
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
