//! What operators see of the volumes.

use std::path::PathBuf;
use std::time::Duration;

use super::METADATA;
use super::Membership;
use super::VolumeState;
use crate::base::Timestamp;
use crate::base::VolumeId;
use crate::meta::ReplicaStatus;
use crate::meta::Role;
use crate::sys::metrics::VolumeFigures;
use crate::volume::Member;

/// How a volume is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeHealth {
    /// It answers.
    Healthy,
    /// It failed once or twice in a row, and is still asked.
    Suspect,
    /// What it has can be read, and it takes no writes.
    ReadOnly,
    /// It failed too often in a row and is left alone for a while.
    Failed,
    /// It failed, and is being tried again.
    Probing,
    /// Its disk is not there.
    Absent,
}

impl VolumeHealth {
    /// Its name in interfaces and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Suspect => "suspect",
            Self::ReadOnly => "read_only",
            Self::Failed => "failed",
            Self::Probing => "probing",
            Self::Absent => "absent",
        }
    }

    /// Whether requests use it.
    pub(super) const fn is_usable(self) -> bool {
        matches!(self, Self::Healthy | Self::Suspect)
    }
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
    /// When it was last seen to come or to go away; at first, the start of the server.
    pub since: Timestamp,
    /// Why it is not there, when that is known.
    pub reason: Option<String>,
    /// Whether it has been away for so long that its copies are made elsewhere.
    pub is_out: bool,
    /// Size of its disk in bytes; of an absent one, what it was when it was last there.
    pub capacity_bytes: u64,
    /// Room on its disk in bytes, seconds old at the most; `None` while it does not tell.
    pub available_bytes: Option<u64>,
    /// How long it takes of late to read a chunk of a part; 0 while it was not asked.
    pub read_latency: Duration,
    /// How long it takes of late to make a part durable; 0 while it was not asked.
    pub sync_latency: Duration,
    /// The replica of the metadata that it holds, if any.
    pub metadata: Option<ReplicaStatus>,
    /// Copies it has of blobs that a row names, as counted since volumes last changed; `None` while that is not known.
    pub copies: Option<u64>,
}

impl VolumeStatus {
    /// Whether it was drained and nothing is left on it: it can be removed. What an absent one holds cannot be known.
    pub fn is_drained(&self) -> bool {
        self.state == VolumeState::Draining && self.health.is_usable() && self.copies == Some(0)
    }
}

impl Membership {
    /// Every volume that belongs, in the order in which they came.
    pub(super) fn status(&self) -> Vec<VolumeStatus> {
        let members = self.parts.members();
        let replicas = self.meta.replicas();
        let presence = self.seen.lock();
        let status = |member: &Member| {
            let slot = members.slot(member.volume)?;
            let seen = presence.of(member.volume);
            let space = slot.room().space().filter(|_| slot.volume().is_some());
            let name = member.volume.to_string();
            let away = || ReplicaStatus {
                name: name.clone(),
                path: slot.path().join(METADATA),
                role: Role::Absent,
                commit: 0,
                voter: true,
            };
            let replica = replicas.iter().find(|replica| replica.name == name).cloned();
            Some(VolumeStatus {
                id: member.volume,
                path: slot.path().to_owned(),
                state: member.state,
                health: slot.health(),
                since: seen.since,
                reason: seen.reason.clone(),
                is_out: seen.is_out,
                capacity_bytes: space.map_or(member.capacity_bytes, |space| space.total_bytes),
                available_bytes: space.map(|space| space.available_bytes),
                read_latency: slot.latencies().reads(),
                sync_latency: slot.latencies().syncs(),
                metadata: replica.or_else(|| member.metadata.then(away)),
                copies: None,
            })
        };
        members.roster().belonging().filter_map(status).collect()
    }

    /// Puts the volumes into the metrics.
    pub(super) fn show(&self) {
        let figures = |status: VolumeStatus| VolumeFigures {
            volume: status.id.to_string(),
            path: status.path.display().to_string(),
            state: status.state.name(),
            health: status.health.name(),
            capacity_bytes: status.capacity_bytes,
            available_bytes: status.available_bytes,
            read_seconds: status.read_latency.as_secs_f64(),
            sync_seconds: status.sync_latency.as_secs_f64(),
        };
        self.metrics.volumes(&self.status().into_iter().map(figures).collect::<Vec<_>>());
    }
}
