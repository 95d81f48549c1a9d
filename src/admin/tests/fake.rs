//! A server that remembers what it was asked.

use std::path::Path;

use parking_lot::Mutex;

use super::ACCESS_KEY;
use super::SECRET_KEY;
use crate::admin::Answer;
use crate::admin::Change;
use crate::admin::Control;
use crate::admin::Kind;
use crate::admin::Refusal;
use crate::admin::wire;
use crate::auth::Key;
use crate::auth::Keys;
use crate::auth::Secret;
use crate::base::Identity;
use crate::base::VolumeId;
use crate::jobs::Command;

/// The root user.
pub struct OneKey;

impl Keys for OneKey {
    fn find(&self, access_key: &str) -> Option<Key> {
        (access_key == ACCESS_KEY).then(|| Key {
            secret: Secret::new(SECRET_KEY.to_owned()),
            identity: Identity::Root { access_key: ACCESS_KEY.to_owned() },
        })
    }
}

/// A server of volumes that are only numbers.
pub struct Fake {
    pub volumes: Mutex<Vec<wire::Volume>>,
    pub jobs: Mutex<Vec<wire::Job>>,
    pub redundancy: Mutex<wire::Redundancy>,
    pub changes: Mutex<Vec<Change>>,
    pub commands: Mutex<Vec<(String, Command)>>,
    /// What the next change is refused with.
    pub refusal: Mutex<Option<Refusal>>,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            volumes: Mutex::new(
                (1..=3).map(|number| volume(number, &format!("/mnt/disk{number}"))).collect(),
            ),
            jobs: Mutex::new(["scrub", "repair", "rebalance"].map(job).to_vec()),
            redundancy: Mutex::new(redundancy()),
            changes: Mutex::default(),
            commands: Mutex::default(),
            refusal: Mutex::default(),
        }
    }
}

pub fn id(number: u8) -> VolumeId {
    VolumeId::from_bytes([number; 16])
}

pub fn volume(number: u8, path: &str) -> wire::Volume {
    wire::Volume {
        id: id(number).to_string(),
        path: path.to_owned(),
        state: "active".to_owned(),
        health: "healthy".to_owned(),
        since: Some("2026-01-01T00:00:00.000Z".to_owned()),
        reason: None,
        replaced_elsewhere: false,
        capacity_bytes: 1 << 40,
        available_bytes: Some(1 << 39),
        metadata: Some(replica(if number == 1 { "leader" } else { "follower" })),
        progress: None,
    }
}

pub fn replica(role: &str) -> wire::Replica {
    wire::Replica {
        role: role.to_owned(),
        voter: true,
        commit: 7,
        behind: None,
        done_bytes: None,
        total_bytes: None,
        reason: None,
    }
}

pub fn job(name: &str) -> wire::Job {
    wire::Job {
        name: name.to_owned(),
        state: "idle".to_owned(),
        rate_bytes_per_second: 0,
        done_bytes: 0,
        total_bytes: 0,
        done_items: 0,
        total_items: 0,
        started: None,
        eta_seconds: None,
        last_finished: None,
        last_error: None,
    }
}

pub fn redundancy() -> wire::Redundancy {
    wire::Redundancy {
        replicas: 3,
        blobs_by_copies: Some(vec![0, 0, 0, 12]),
        queued: 0,
        queue_by_missing: Vec::new(),
        lost: 0,
        misplaced_copies: 0,
        quarantined_files: 0,
        last_census: Some("2026-01-31T11:00:00.000Z".to_owned()),
        last_scrub: Some(wire::Scrub {
            began: "2026-01-30T00:00:00.000Z".to_owned(),
            ended: "2026-01-30T01:00:00.000Z".to_owned(),
            files: 36,
            bytes: 36 << 20,
            bad: 0,
            unread: 0,
        }),
    }
}

impl Fake {
    fn set(&self, id: VolumeId, set: impl FnOnce(&mut wire::Volume)) -> Result<VolumeId, Refusal> {
        let mut volumes = self.volumes.lock();
        let found = volumes.iter_mut().find(|volume| volume.id == id.to_string());
        found.map(set).ok_or_else(|| Refusal::new(Kind::Unknown, "there is no such volume"))?;
        Ok(id)
    }

    fn add(&self, path: &Path) -> VolumeId {
        let mut volumes = self.volumes.lock();
        let number = volumes.len() as u8 + 1;
        volumes.push(volume(number, path.to_str().unwrap()));
        id(number)
    }

    fn apply(&self, change: Change) -> Result<VolumeId, Refusal> {
        self.changes.lock().push(change.clone());
        if let Some(refusal) = self.refusal.lock().take() {
            return Err(refusal);
        }
        match change {
            Change::Add(path) => Ok(self.add(&path)),
            Change::Drain(id, _) => self.set(id, |volume| "draining".clone_into(&mut volume.state)),
            Change::Undrain(id) => self.set(id, |volume| "active".clone_into(&mut volume.state)),
            Change::Remove(id, _) => {
                self.volumes.lock().retain(|volume| volume.id != id.to_string());
                Ok(id)
            }
            Change::Replace(id, path) => {
                self.volumes.lock().retain(|volume| volume.id != id.to_string());
                Ok(self.add(&path))
            }
        }
    }
}

impl Control for Fake {
    fn volumes(&self) -> Answer<'_, Vec<wire::Volume>> {
        Box::pin(async { Ok(self.volumes.lock().clone()) })
    }

    fn redundancy(&self) -> Answer<'_, wire::Redundancy> {
        Box::pin(async { Ok(self.redundancy.lock().clone()) })
    }

    fn metadata_replicas_max(&self) -> usize {
        3
    }

    fn jobs(&self) -> Result<Vec<wire::Job>, Refusal> {
        Ok(self.jobs.lock().clone())
    }

    fn command(&self, job: &str, command: Command) -> Result<(), Refusal> {
        self.commands.lock().push((job.to_owned(), command));
        Ok(())
    }

    fn change(&self, change: Change) -> Answer<'_, VolumeId> {
        Box::pin(async { self.apply(change) })
    }
}
