//! What must hold before a volume comes or goes.

use std::io;
use std::path::Path;

use super::Membership;
use super::MembershipError;
use super::VolumeState;
use crate::base::VolumeId;
use crate::meta::Role;
use crate::store::Store;
use crate::store::local::Members;
use crate::sys::machine;
use crate::volume::Kind;
use crate::volume::Roster;
use crate::volume::Volume;
use crate::volume::is_foreign;

/// Part files looked at in one call to a disk.
const BATCH: usize = 1024;

impl Membership {
    /// A place of its own: no volume's path, none above it and none below.
    pub(super) fn check_place(
        &self,
        members: &Members,
        path: &Path,
        replaced: Option<VolumeId>,
    ) -> Result<(), MembershipError> {
        for slot in members.slots() {
            let other = slot.path();
            let reason = match other == path {
                true if replaced == Some(slot.id()) => continue,
                true => format!("{} is there", slot.id()),
                false if path.starts_with(other) => format!("it lies within the volume {}", other.display()),
                false if other.starts_with(path) => format!("the volume {} lies within it", other.display()),
                false => continue,
            };
            return Err(MembershipError::Path { path: path.to_owned(), reason });
        }
        Ok(())
    }

    /// Nothing of others, and nothing of ours that may be needed. Some when it is a volume that was formatted for this
    /// deployment and never came to belong.
    pub(super) fn check_contents(
        &self,
        members: &Members,
        path: &Path,
    ) -> Result<Option<()>, MembershipError> {
        let refused = |reason: String| MembershipError::Path { path: path.to_owned(), reason };
        let names = match self.disk.list(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            listed => listed.map_err(|error| refused(error.to_string()))?,
        };
        match Volume::open(std::sync::Arc::clone(&self.disk), path) {
            Ok(volume) => {
                let known = members.roster().member(volume.id()).is_some();
                let has_parts = volume.list(None, 1).map_or(true, |parts| !parts.is_empty());
                match volume.deployment() == members.roster().deployment && !known && !has_parts {
                    true => Ok(Some(())),
                    false => Err(refused(format!(
                        "it is the volume {} already; empty the directory to use the disk anew",
                        volume.id()
                    ))),
                }
            }
            Err(error) if !matches!(error.kind(), Kind::Missing) => Err(refused(error.to_string())),
            Err(_) => match names.iter().find(|name| is_foreign(name) || *name == super::METADATA) {
                Some(entry) => Err(refused(format!("it holds {entry:?}; give an empty or new directory"))),
                None if has_parts(self, path).map_err(|error| refused(error.to_string()))? => {
                    Err(refused("it holds parts, but its identity file is gone; empty it first".to_owned()))
                }
                None => Ok(None),
            },
        }
    }

    /// Copies on one file system are lost together.
    pub(super) fn warn_about_neighbours(&self, members: &Members, path: &Path) {
        let Ok(system) = machine::file_system_of(path) else { return };
        let others = members.slots().iter().filter(|slot| slot.volume().is_some());
        for slot in
            others.filter(|slot| machine::file_system_of(slot.path()).is_ok_and(|other| other == system))
        {
            tracing::warn!(
                path = %path.display(), other = %slot.path().display(),
                "both are on the same file system: their copies are lost together"
            );
        }
    }

    /// Volumes enough for the copies that the operator asked for, and one at the least.
    pub(super) fn check_enough_left(&self, roster: &Roster) -> Result<(), MembershipError> {
        let active = roster.belonging().filter(|member| member.state == VolumeState::Active).count();
        let replicas = if self.is_fixed { self.wanted } else { 1 };
        match active >= replicas {
            true => Ok(()),
            false => Err(MembershipError::TooFewLeft { active, replicas }),
        }
    }

    /// As many copies of each part as now. Where their number follows the volumes, one volume fewer may lower it, and
    /// copies that are good would be deleted: an operator who asks for a volume to go did not ask for that.
    pub(super) fn check_as_many_copies(
        &self,
        members: &Members,
        roster: &Roster,
    ) -> Result<(), MembershipError> {
        let active = roster.belonging().filter(|member| member.state == VolumeState::Active).count();
        let (now, then) = (members.replicas(), self.wanted.min(active));
        match then >= now {
            true => Ok(()),
            false => Err(MembershipError::FewerCopies { active, now, then }),
        }
    }

    /// Without `volume`, the other replicas of the metadata hold everything that was acknowledged.
    pub(super) fn check_metadata_elsewhere(
        &self,
        members: &Members,
        volume: VolumeId,
    ) -> Result<(), MembershipError> {
        if !members.roster().member(volume).is_some_and(|member| member.metadata) {
            return Ok(());
        }
        let replicas = self.meta.replicas();
        let is_current = |id: VolumeId| {
            let name = id.to_string();
            let replica = replicas.iter().find(|replica| replica.name == name);
            replica.is_some_and(|replica| matches!(replica.role, Role::Leader | Role::Follower))
        };
        let others = members.roster().voters().filter(|member| member.volume != volume);
        let (mut voters, mut current) = (0, 0);
        for member in others {
            voters += 1;
            current += usize::from(is_current(member.volume));
        }
        // A majority of those that stay, so that commits go on; and at the next start, when half of two is enough to
        // read, both.
        let needed = if voters == 2 { 2 } else { voters / 2 + 1 };
        match voters > 0 && current >= needed {
            true => Ok(()),
            false => Err(MembershipError::Metadata(volume)),
        }
    }
}

/// Whether part files lie in a directory without an identity. What cannot be listed may hold some: that is an error.
fn has_parts(membership: &Membership, path: &Path) -> io::Result<bool> {
    let list = |path: &Path| match membership.disk.list(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed,
    };
    let parts = path.join("blobs");
    for directory in list(&parts)? {
        if !list(&parts.join(directory))?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Store {
    /// A volume that may go without force: it answers, takes no copies any more, and holds none that some row names, nor
    /// one that is being written. That others have copies too is for repair and rebalance to know, which read them.
    pub(super) async fn check_removable(&self, volume: VolumeId) -> Result<(), MembershipError> {
        let members = self.parts.members();
        let slot = members.slot(volume).ok_or(MembershipError::Unknown(volume))?;
        if !slot.health().is_usable() {
            return Err(MembershipError::Silent(volume));
        }
        if members.state(volume) != VolumeState::Draining {
            return Err(MembershipError::Active(volume));
        }
        let mut after = None;
        loop {
            let listed = self.parts.list(volume, after, BATCH).await?;
            for blob in &listed {
                if self.is_named(*blob).await? {
                    return Err(MembershipError::Needed { volume, blob: *blob });
                }
            }
            match listed.last() {
                Some(last) => after = Some(*last),
                None => return Ok(()),
            }
        }
    }
}
