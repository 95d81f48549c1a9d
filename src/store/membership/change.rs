//! The changes: each is on a majority of the rosters before it takes effect.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use super::Membership;
use super::MembershipError;
use super::VolumeState;
use crate::base::VolumeId;
use crate::store::local::Members;
use crate::store::local::Slot;
use crate::volume::Identity;
use crate::volume::Member;
use crate::volume::Roster;
use crate::volume::Volume;

/// How long a change waits for the volumes.
pub(super) const WRITE_MAX: Duration = Duration::from_secs(5);

impl Membership {
    /// Makes a volume of a new or empty directory.
    pub(super) fn add(&self, path: &Path) -> Result<VolumeId, MembershipError> {
        let mut tried = self.state.lock();
        let members = self.parts.members();
        let (volume, capacity) = self.make_volume(&members, path, None)?;
        let id = volume.id();
        let mut roster = Roster::clone(members.roster());
        roster.members.push(Member::new(id, volume.root().to_owned(), capacity, self.clock.now()));
        self.admit(&mut tried, &members, roster, volume)?;
        tracing::info!(volume = %id, path = %path.display(), "a volume was added");
        Ok(id)
    }

    /// Lets a volume's copies move to others; fewer of each part than now only with `force`.
    pub(super) fn drain(&self, volume: VolumeId, force: bool) -> Result<(), MembershipError> {
        let mut tried = self.state.lock();
        let members = self.parts.members();
        let roster = self.with_state(&members, volume, VolumeState::Draining)?;
        self.check_enough_left(&roster)?;
        if !force {
            self.check_as_many_copies(&members, &roster)?;
        }
        self.commit(&mut tried, members.slots().to_vec(), roster)?;
        tracing::info!(%volume, "the volume is drained");
        Ok(())
    }

    /// Lets a volume take copies again.
    pub(super) fn undrain(&self, volume: VolumeId) -> Result<(), MembershipError> {
        let mut tried = self.state.lock();
        let members = self.parts.members();
        let roster = self.with_state(&members, volume, VolumeState::Active)?;
        self.commit(&mut tried, members.slots().to_vec(), roster)?;
        tracing::info!(%volume, "the volume takes copies again");
        Ok(())
    }

    /// Takes a volume out for good. What it holds has been looked at unless `force`.
    pub(super) fn remove(&self, volume: VolumeId, force: bool) -> Result<(), MembershipError> {
        let mut tried = self.state.lock();
        let members = self.parts.members();
        let slot = members.slot(volume).ok_or(MembershipError::Unknown(volume))?;
        // A half-broken disk that is drained may never be empty: somebody must be able to give it up.
        let is_draining = members.state(volume) == VolumeState::Draining;
        if force && !is_draining && slot.health().is_usable() {
            return Err(MembershipError::Answers(volume));
        }
        // It may take copies again since it was looked at.
        if !force && !is_draining {
            return Err(MembershipError::Active(volume));
        }
        let roster = self.with_state(&members, volume, VolumeState::Removed)?;
        self.check_enough_left(&roster)?;
        self.retire(&mut tried, &members, roster, volume)?;
        tracing::info!(%volume, "the volume was removed");
        Ok(())
    }

    /// Puts a new disk in the place of a volume.
    pub(super) fn replace(&self, old: VolumeId, path: &Path) -> Result<VolumeId, MembershipError> {
        let mut tried = self.state.lock();
        let members = self.parts.members();
        let slot = members.slot(old).ok_or(MembershipError::Unknown(old))?;
        // One that takes no writes may have the last copy of something all the same.
        let may_be_read = slot.volume().is_some() && slot.answers();
        let state = if may_be_read { VolumeState::Draining } else { VolumeState::Removed };
        // Before anything is formatted: whatever is refused leaves no trace.
        let mut roster = self.with_state(&members, old, state)?;
        if state == VolumeState::Removed {
            self.check_metadata_elsewhere(&members, old)?;
        }
        let replaced = (state == VolumeState::Removed).then_some(old);
        let (volume, capacity) = self.make_volume(&members, path, replaced)?;
        let id = volume.id();
        let mut member = Member::new(id, volume.root().to_owned(), capacity, self.clock.now());
        if let Some(old) = roster.member_mut(old) {
            // Both would be in one place otherwise, should the old one take copies again.
            member.place = std::mem::replace(&mut old.place, old.volume);
            if member.place == old.volume {
                old.place = id;
            }
        }
        roster.members.push(member);
        match state {
            VolumeState::Removed => {
                let slots = self.slots_without(&members, old, Some(Slot::present(volume)));
                self.retire_with(&mut tried, &members, (slots, roster), old)?;
                self.seen.lock().of_mut(id).since = self.clock.now();
            }
            _ => self.admit(&mut tried, &members, roster, volume)?,
        }
        tracing::info!(%old, new = %id, path = %path.display(), "a volume was replaced");
        Ok(id)
    }

    /// Formats a directory and locks it; `replaced` may have been there.
    fn make_volume(
        &self,
        members: &Members,
        path: &Path,
        replaced: Option<VolumeId>,
    ) -> Result<(Arc<Volume>, u64), MembershipError> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let path: std::path::PathBuf = path.components().collect();
        let refused = |reason: String| MembershipError::Path { path: path.clone(), reason };
        self.check_place(members, &path, replaced)?;
        let known = self.check_contents(members, &path)?;
        let disk = &self.disk;
        disk.create_dirs(&path).map_err(|error| refused(error.to_string()))?;
        let lock = Volume::lock(disk.as_ref(), &path).map_err(|error| refused(error.to_string()))?;
        let lock = lock.ok_or_else(|| refused("another process has it locked".to_owned()))?;
        let mut volume = match known {
            // A change that did not reach its majority had formatted it.
            Some(()) => Volume::open(Arc::clone(disk), &path),
            None => {
                let mut random = [0; 16];
                self.entropy.fill(&mut random);
                let identity = Identity {
                    volume_id: VolumeId::from_bytes(random),
                    deployment_id: members.roster().deployment,
                    created: self.clock.now(),
                };
                // With a roster that does not name it, so that it is known for what it is should this be cut off.
                let prepared = Volume::prepare(disk.as_ref(), &path, members.roster());
                prepared.and_then(|()| Volume::format(Arc::clone(disk), &path, identity))
            }
        }
        .map_err(|error| refused(error.to_string()))?;
        volume.hold(lock);
        let space = volume.space().map_err(|error| refused(error.to_string()))?;
        self.warn_about_neighbours(members, &path);
        Ok((Arc::new(volume), space.total_bytes))
    }

    /// Commits a roster with one volume more.
    fn admit(
        &self,
        tried: &mut u64,
        members: &Members,
        roster: Roster,
        volume: Arc<Volume>,
    ) -> Result<(), MembershipError> {
        let mut slots = members.slots().to_vec();
        let id = volume.id();
        slots.push(Arc::new(Slot::present(volume)));
        self.commit(tried, slots, roster)?;
        self.seen.lock().of_mut(id).since = self.clock.now();
        Ok(())
    }

    /// Commits a roster without `volume`, whose voice no commit waits for afterwards.
    fn retire(
        &self,
        tried: &mut u64,
        members: &Members,
        roster: Roster,
        volume: VolumeId,
    ) -> Result<(), MembershipError> {
        self.check_metadata_elsewhere(members, volume)?;
        let slots = self.slots_without(members, volume, None);
        self.retire_with(tried, members, (slots, roster), volume)
    }

    fn retire_with(
        &self,
        tried: &mut u64,
        members: &Members,
        (slots, mut roster): (Vec<Arc<Slot>>, Roster),
        volume: VolumeId,
    ) -> Result<(), MembershipError> {
        let was_voter = roster.member(volume).is_some_and(|member| member.metadata);
        if let Some(member) = roster.member_mut(volume) {
            member.metadata = false;
        }
        match was_voter {
            true => self.commit_with_fewer(tried, slots, roster, volume)?,
            false => self.commit(tried, slots, roster)?,
        }
        self.seen.lock().forget(volume);
        if let Some(slot) = members.slot(volume) {
            self.tell_removed(slot);
        }
        Ok(())
    }

    /// Lets a removed volume know, when it can still be written to, and lets go of it.
    fn tell_removed(&self, slot: &Arc<Slot>) {
        let roster = Arc::clone(self.parts.members().roster());
        if let Some(volume) = slot.volume() {
            slot.take_away();
            let id = slot.id();
            let told = slot.pool.start(move || match volume.write_roster(&roster) {
                Ok(()) => {}
                Err(error) => tracing::debug!(volume = %id, %error, "it does not know that it was removed"),
            });
            // It is refused by the others' rosters all the same.
            drop(told);
        }
    }

    fn slots_without(&self, members: &Members, volume: VolumeId, new: Option<Slot>) -> Vec<Arc<Slot>> {
        let others = members.slots().iter().filter(|slot| slot.id() != volume);
        others.cloned().chain(new.map(Arc::new)).collect()
    }

    fn with_state(
        &self,
        members: &Members,
        volume: VolumeId,
        state: VolumeState,
    ) -> Result<Roster, MembershipError> {
        let mut roster = Roster::clone(members.roster());
        match roster.member_mut(volume).filter(|member| member.belongs()) {
            Some(member) => member.state = state,
            None => return Err(MembershipError::Unknown(volume)),
        }
        Ok(roster)
    }

    /// Writes the roster to all volumes that are there; when a majority of those that belong has it, it holds.
    pub(super) fn commit(
        &self,
        tried: &mut u64,
        slots: Vec<Arc<Slot>>,
        mut roster: Roster,
    ) -> Result<(), MembershipError> {
        *tried += 1;
        roster.revision = *tried;
        let roster = Arc::new(roster);
        let (members, needed) = (roster.belonging().count(), roster.majority());
        let acks = self.distribute(&slots, &roster, needed);
        if acks < needed {
            // Those that took it should not bring it up at the next start.
            let before = self.parts.members();
            *tried += 1;
            let undo = Roster { revision: *tried, ..Roster::clone(before.roster()) };
            self.distribute(before.slots(), &Arc::new(undo), before.roster().majority());
            return Err(MembershipError::TooFew { acks, members, needed });
        }
        self.swap(slots, roster);
        self.show();
        Ok(())
    }

    /// Lets requests see these volumes, and wakes whoever waits for changes.
    pub(super) fn swap(&self, slots: Vec<Arc<Slot>>, roster: Arc<Roster>) {
        let out = self.seen.lock().out();
        let revision = roster.revision;
        self.parts.set_members(Members::new(slots, roster, self.wanted, &out));
        self.changes.send_replace(revision);
    }

    /// Writes a roster to the volumes that are there; how many have it when enough have, or when time is up.
    fn distribute(&self, slots: &[Arc<Slot>], roster: &Arc<Roster>, needed: usize) -> usize {
        let (done, written) = crossbeam_channel::unbounded();
        let mut waiting = 0;
        for slot in slots {
            let Some(volume) = slot.volume() else { continue };
            let (roster, done, id) = (Arc::clone(roster), done.clone(), slot.id());
            let seen = Arc::clone(&self.seen);
            let started = slot.pool.start(move || {
                let outcome = volume.write_roster(&roster);
                match &outcome {
                    Ok(()) => {
                        let mut seen = seen.lock();
                        let seen = seen.of_mut(id);
                        seen.revision = seen.revision.max(roster.revision);
                    }
                    Err(error) => tracing::warn!(volume = %id, %error, "the roster could not be written"),
                }
                let _ = done.send(outcome.is_ok());
            });
            waiting += usize::from(started.is_ok());
        }
        drop(done);
        let until = Instant::now() + WRITE_MAX;
        let mut acks = 0;
        for _ in 0..waiting {
            match written.recv_deadline(until) {
                Ok(is_written) => acks += usize::from(is_written),
                Err(_) => break,
            }
            if acks >= needed {
                break;
            }
        }
        acks
    }

    /// Writes the roster to volumes that were away or failed when it was made.
    pub(super) fn catch_up_rosters(&self, members: &Members) {
        let roster = members.roster();
        let lags = |slot: &&Arc<Slot>| {
            slot.volume().is_some()
                && slot.health().is_usable()
                && self.seen.lock().of(slot.id()).revision < roster.revision
        };
        let late: Vec<Arc<Slot>> = members.slots().iter().filter(lags).cloned().collect();
        if !late.is_empty() {
            self.distribute(&late, roster, late.len());
        }
    }
}
