//! The life of volumes: which belong, how each is doing, and every way in which that changes.

use std::path::PathBuf;

use super::Store;
use crate::base::Timestamp;
use crate::base::VolumeId;

/// What an operator wants of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeState {
    /// It takes copies.
    Active,
    /// It takes no new copies, and those it has move to others.
    Draining,
    /// It does not belong any more.
    Removed,
}

/// How a volume is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeHealth {
    /// It answers.
    Healthy,
    /// It failed once or twice in a row, and is still asked.
    Suspect,
    /// It failed too often in a row and is left alone for a while.
    Failed,
    /// It failed, and is being tried again.
    Probing,
    /// Its disk is not there.
    Absent,
}

/// One volume, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeStatus {
    /// Which.
    pub id: VolumeId,
    /// Where it is mounted, or should be.
    pub path: PathBuf,
    /// What is wanted of it.
    pub state: VolumeState,
    /// How it is doing.
    pub health: VolumeHealth,
    /// When its health last became or ceased to be [`VolumeHealth::Absent`]; at first, the start of the server.
    pub since: Timestamp,
    /// Size of its disk in bytes; of an absent one, what it was when it was last there.
    pub capacity_bytes: u64,
    /// Room on its disk in bytes, seconds old at the most; `None` when it did not tell.
    pub available_bytes: Option<u64>,
    /// Whether it votes on commits: it holds one of the replicas of the metadata.
    pub is_voter: bool,
}

impl VolumeState {
    /// Its name in interfaces and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Draining => "draining",
            Self::Removed => "removed",
        }
    }
}

impl VolumeHealth {
    /// Its name in interfaces and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Suspect => "suspect",
            Self::Failed => "failed",
            Self::Probing => "probing",
            Self::Absent => "absent",
        }
    }
}

impl Store {
    /// Every volume that belongs. Asks no disk.
    pub fn volumes(&self) -> Vec<VolumeStatus> {
        let status = |(number, slot): (usize, &std::sync::Arc<super::local::Slot>)| VolumeStatus {
            id: slot.id(),
            path: slot.path().to_owned(),
            state: VolumeState::Active,
            health: slot.health(),
            since: self.started,
            capacity_bytes: slot.space().map_or(0, |space| space.total_bytes),
            available_bytes: slot.space().map(|space| space.available_bytes),
            is_voter: number == 0,
        };
        self.parts.members().slots().iter().enumerate().map(status).collect()
    }

    /// The volumes that belong, absent ones too.
    pub fn volume_ids(&self) -> Vec<VolumeId> {
        self.parts.members().slots().iter().map(|slot| slot.id()).collect()
    }
}
