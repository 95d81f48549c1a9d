//! Looking after volumes that go and come: every few seconds each is looked at, on its own threads.
//!
//! One whose identity file is gone is absent from then on. An absent one is attached again as soon as its own identity is
//! at its path; whatever else is there is left alone and named once in the log. One that is away for long goes out of
//! the ring, and comes back into it when it answers.

use std::collections::HashMap;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::Weak;
use std::time::Duration;
use std::time::Instant;

use crossbeam_channel::Receiver;
use crossbeam_channel::RecvTimeoutError;

use super::Membership;
use super::metadata::replica_place;
use crate::base::DeploymentId;
use crate::base::Timestamp;
use crate::base::VolumeId;
use crate::store::local::Members;
use crate::store::local::Slot;
use crate::sys::disk::Disk;
use crate::sys::disk::Space;
use crate::volume::Identity;
use crate::volume::Kind;
use crate::volume::Roster;
use crate::volume::Volume;

/// How often volumes are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long one look may take; what answers later is heard at the next one.
const LOOK_MAX: Duration = Duration::from_secs(2);

/// What has been seen of the volumes.
pub(super) struct Presence {
    volumes: HashMap<VolumeId, Seen>,
    unknown: Seen,
}

/// What has been seen of one volume.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// When it came or went.
    pub(super) since: Timestamp,
    /// Why it is away.
    pub(super) reason: Option<String>,
    /// Since when it has not been usable.
    away: Option<Instant>,
    /// Whether its copies are made elsewhere.
    pub(super) is_out: bool,
    /// The revision of its roster, as far as we wrote it.
    pub(super) revision: u64,
    /// Whether a look at it has not been answered yet.
    is_looked_at: bool,
}

impl Presence {
    pub(super) fn new(roster: &Roster, now: Timestamp) -> Self {
        let seen = Seen { since: now, ..Seen::default() };
        let volumes = roster.belonging().map(|member| (member.volume, seen.clone())).collect();
        Self { volumes, unknown: seen }
    }

    pub(super) fn of(&self, volume: VolumeId) -> &Seen {
        self.volumes.get(&volume).unwrap_or(&self.unknown)
    }

    pub(super) fn of_mut(&mut self, volume: VolumeId) -> &mut Seen {
        self.volumes.entry(volume).or_insert_with(|| self.unknown.clone())
    }

    /// Those whose copies are made elsewhere.
    pub(super) fn out(&self) -> HashSet<VolumeId> {
        self.volumes.iter().filter(|(_, seen)| seen.is_out).map(|(volume, _)| *volume).collect()
    }

    pub(super) fn forget(&mut self, volume: VolumeId) {
        self.volumes.remove(&volume);
    }
}

/// What a look found.
enum Look {
    /// It is there still.
    There(Space),
    /// It is there again.
    Back(Volume, Option<Roster>),
    /// It is not there.
    Away(String),
    /// Nothing can be said now.
    Unknown,
}

/// Looks after the volumes until the other side of `ended` is dropped.
pub(super) fn watch(membership: &Weak<Membership>, ended: &Receiver<()>) {
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK_EVERY) {
        let Some(membership) = membership.upgrade() else { return };
        membership.look();
    }
}

impl Membership {
    /// Looks at every volume once, and does what follows from it.
    pub(super) fn look(&self) {
        let _one_at_a_time = self.state.lock();
        let members = self.parts.members();
        let (found, looks) = crossbeam_channel::unbounded();
        let mut waiting = 0;
        for slot in members.slots() {
            if std::mem::replace(&mut self.seen.lock().of_mut(slot.id()).is_looked_at, true) {
                // Its threads hang in the last one.
                continue;
            }
            let (found, there) = (found.clone(), slot.volume());
            let (disk, deployment) = (Arc::clone(&self.disk), members.roster().deployment);
            let (id, path, seen) = (slot.id(), slot.path().to_owned(), Arc::clone(&self.seen));
            let started = slot.pool.start(move || {
                let look = match there {
                    Some(volume) => look_at(&volume),
                    None => look_for(disk, &path, (id, deployment)),
                };
                seen.lock().of_mut(id).is_looked_at = false;
                let _ = found.send((id, look));
            });
            match started {
                Ok(_) => waiting += 1,
                Err(_) => self.seen.lock().of_mut(slot.id()).is_looked_at = false,
            }
        }
        drop(found);
        let until = Instant::now() + LOOK_MAX;
        let mut has_changed = false;
        for _ in 0..waiting {
            let Ok((volume, look)) = looks.recv_deadline(until) else { break };
            if let Some(slot) = members.slot(volume) {
                has_changed |= self.hear(&members, slot, look);
            }
        }
        has_changed |= self.judge_absences(&members);
        self.catch_up_rosters(&members);
        if has_changed {
            let members = self.parts.members();
            self.swap(members.slots().to_vec(), Arc::clone(members.roster()));
        }
        self.show();
    }

    /// Does what a look at one volume asks for; whether it came or went.
    fn hear(&self, members: &Members, slot: &Arc<Slot>, look: Look) -> bool {
        match look {
            Look::There(space) => slot.room().tell(space),
            Look::Unknown => {}
            Look::Back(volume, roster) => return self.attach(members, slot, volume, roster.as_ref()),
            Look::Away(reason) => return self.miss(slot, reason),
        }
        false
    }

    fn attach(&self, members: &Members, slot: &Arc<Slot>, volume: Volume, roster: Option<&Roster>) -> bool {
        let revision = roster.map_or(0, |roster| roster.revision);
        if revision > members.roster().revision {
            let reason =
                "its roster is newer than that of this server: it was used without the others".to_owned();
            return self.miss(slot, reason);
        }
        if let Ok(space) = volume.space() {
            slot.room().tell(space);
        }
        tracing::info!(volume = %slot.id(), path = %slot.path().display(), "a volume is there again");
        slot.attach(Arc::new(volume));
        {
            let mut seen = self.seen.lock();
            let seen = seen.of_mut(slot.id());
            (seen.since, seen.reason, seen.revision) = (self.clock.now(), None, 0);
        }
        let votes = members.roster().member(slot.id()).is_some_and(|member| member.metadata);
        // One that was there when its disk went opens itself again, and takes this for nothing new.
        if votes && let Err(error) = self.meta.attach(replica_place(slot), true) {
            tracing::warn!(volume = %slot.id(), %error, "its replica of the metadata could not be attached");
        }
        true
    }

    /// A volume is not there; says so once. Whether it was there until now.
    fn miss(&self, slot: &Arc<Slot>, reason: String) -> bool {
        let was_there = slot.volume().is_some();
        let mut seen = self.seen.lock();
        let seen = seen.of_mut(slot.id());
        if was_there || seen.reason.as_ref() != Some(&reason) {
            tracing::error!(volume = %slot.id(), path = %slot.path().display(), %reason, "a volume is absent");
            if was_there {
                seen.since = self.clock.now();
            }
            seen.reason = Some(reason);
        }
        if was_there {
            slot.take_away();
        }
        was_there
    }

    /// Notes who is away and for how long; whether somebody goes out of the ring or comes back.
    fn judge_absences(&self, members: &Members) -> bool {
        let now = Instant::now();
        let mut has_changed = false;
        let mut presence = self.seen.lock();
        for slot in members.slots() {
            let seen = presence.of_mut(slot.id());
            match slot.health().is_usable() {
                true => seen.away = None,
                false => _ = seen.away.get_or_insert(now),
            }
            let is_out = seen.away.is_some_and(|away| now.duration_since(away) >= self.out_after);
            if is_out != std::mem::replace(&mut seen.is_out, is_out) {
                has_changed = true;
                let away = self.out_after;
                match is_out {
                    true => {
                        tracing::error!(volume = %slot.id(), ?away, "away too long: its copies go elsewhere")
                    }
                    false => tracing::info!(volume = %slot.id(), "it takes copies again"),
                }
            }
        }
        has_changed
    }
}

/// Looks at a volume that was there.
fn look_at(volume: &Volume) -> Look {
    match Identity::read(volume.disk().as_ref(), volume.root()) {
        Ok(identity) if identity.volume_id == volume.id() => {
            volume.space().map_or(Look::Unknown, Look::There)
        }
        Ok(other) => Look::Away(format!("another volume is in its place: {}", other.volume_id)),
        Err(error) if matches!(error.kind(), Kind::Missing) => {
            Look::Away("its identity file is gone: is its disk mounted?".to_owned())
        }
        // A disk that fails is for its health to judge.
        Err(_) => Look::Unknown,
    }
}

/// Looks whether a volume is at its path again. Writes nothing unless it is.
fn look_for(disk: Arc<dyn Disk>, path: &Path, (id, deployment): (VolumeId, DeploymentId)) -> Look {
    let mut volume = match Volume::open(Arc::clone(&disk), path) {
        Ok(volume) if volume.deployment() != deployment => {
            return Look::Away("a volume of another deployment is in its place".to_owned());
        }
        Ok(volume) if volume.id() != id => {
            return Look::Away(format!("another volume is in its place: {}", volume.id()));
        }
        Ok(volume) => volume,
        Err(error) if matches!(error.kind(), Kind::Missing) => {
            return Look::Away("there is no volume at its path: is its disk mounted?".to_owned());
        }
        Err(error) => return Look::Away(error.to_string()),
    };
    match Volume::lock(disk.as_ref(), path) {
        Ok(Some(lock)) => volume.hold(lock),
        Ok(None) => return Look::Away("another process has it locked".to_owned()),
        Err(error) => return Look::Away(error.to_string()),
    }
    // A roster that cannot be read is written anew.
    let roster = Roster::read(disk.as_ref(), path).unwrap_or_default();
    Look::Back(volume, roster)
}
