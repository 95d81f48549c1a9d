//! The roster file: which volumes belong together, where they are, and what is wanted of each.
//!
//! Every volume has a copy. The copy with the highest revision is the truth; a change is made when a majority of the
//! members have it. Revision 0 is written before a first start formats anything, and means that it has not ended.

use std::path::Path;
use std::path::PathBuf;

use crate::base::DeploymentId;
use crate::base::Timestamp;
use crate::base::VolumeId;
use crate::sys::disk::Disk;
use crate::sys::disk::read_file;
use crate::sys::disk::replace_file;

use super::Error;
use super::Kind;

/// Its name, at the root of the volume.
pub(super) const NAME: &str = "holdall-roster.json";
/// What it is called while it is written.
pub(super) const NEW_NAME: &str = "holdall-roster.new";
/// The newest format we write and read.
const FORMAT: u16 = 1;

/// Volumes that vote on commits of metadata: each holds a replica of it.
pub const VOTERS_MAX: usize = 3;

/// Points on the ring of a volume of average size when a deployment is made: the share of each then deviates by about
/// 1/sqrt(512), under 5 %.
const POINTS_AVERAGE: u64 = 512;

/// What is wanted of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VolumeState {
    /// It takes copies.
    Active,
    /// It takes no new copies, and those it has move to others.
    Draining,
    /// It does not belong any more.
    Removed,
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

/// One volume of the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub volume: VolumeId,
    /// Where it was last seen, from the root of the file system.
    pub path: PathBuf,
    /// What is wanted of it.
    pub state: VolumeState,
    /// Whether it votes on commits of metadata.
    pub metadata: bool,
    /// Size of its disk in bytes: its weight on the ring.
    pub capacity_bytes: u64,
    /// Whose points on the ring it has: its own, or those of the volume whose place it took.
    pub place: VolumeId,
    /// When it came.
    pub added: Timestamp,
}

impl Member {
    /// A volume that comes now, with points of its own.
    pub const fn new(volume: VolumeId, path: PathBuf, capacity_bytes: u64, added: Timestamp) -> Self {
        let state = VolumeState::Active;
        Self { volume, path, state, metadata: false, capacity_bytes, place: volume, added }
    }

    /// Whether it belongs still.
    pub const fn belongs(&self) -> bool {
        !matches!(self.state, VolumeState::Removed)
    }
}

/// Which volumes belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    /// What they make up.
    pub deployment: DeploymentId,
    /// Grows by one with every change; 0 while the first start is forming the deployment.
    pub revision: u64,
    /// Capacity behind one point on the ring, in bytes. It stays, so that a volume that comes or goes changes nobody
    /// else's points.
    pub point_bytes: u64,
    /// All that ever belonged; removed ones stay, so that a removed disk is known when it is seen again.
    pub members: Vec<Member>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Document {
    format: u16,
    /// CRC-32 over the JSON of `roster`, without spaces.
    crc32: u32,
    roster: Body,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Body {
    deployment: String,
    revision: u64,
    point_bytes: u64,
    members: Vec<MemberBody>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct MemberBody {
    volume: String,
    path: String,
    state: VolumeState,
    metadata: bool,
    capacity_bytes: u64,
    place: String,
    added_ms: u64,
}

impl Roster {
    /// The roster of a deployment that is being formed of these volumes.
    pub fn forming(deployment: DeploymentId, members: Vec<Member>) -> Self {
        let total: u64 = members.iter().map(|member| member.capacity_bytes).fold(0, u64::saturating_add);
        let point_bytes = (total / (POINTS_AVERAGE * members.len().max(1) as u64)).max(1);
        Self { deployment, revision: 0, point_bytes, members }
    }

    /// Those that belong, in the order in which they came.
    pub fn belonging(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.belongs())
    }

    /// Those that vote on commits of metadata.
    pub fn voters(&self) -> impl Iterator<Item = &Member> {
        self.belonging().filter(|member| member.metadata)
    }

    /// One volume, removed or not.
    pub fn member(&self, volume: VolumeId) -> Option<&Member> {
        self.members.iter().find(|member| member.volume == volume)
    }

    /// One volume, removed or not, for changing it.
    pub fn member_mut(&mut self, volume: VolumeId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.volume == volume)
    }

    /// How many of those that belong must have a change for it to be made.
    pub fn majority(&self) -> usize {
        self.belonging().count() / 2 + 1
    }

    /// Writes the volume's copy so that a crash leaves the old one or the new one.
    pub(super) fn write(&self, disk: &dyn Disk, root: &Path) -> Result<(), Error> {
        let path = root.join(NAME);
        let unwritable =
            |_| Error::new("write", &path, Kind::Corrupt("the roster cannot be written as JSON"));
        let roster = self.body();
        let crc32 = crc32(&roster).map_err(unwritable)?;
        let document = Document { format: FORMAT, crc32, roster };
        let text = serde_json::to_string_pretty(&document).map_err(unwritable)?;
        replace_file(disk, &path, text.as_bytes()).map_err(|error| Error::io("write", &path, error))
    }

    /// Reads a volume's copy; `None` when there is none.
    pub fn read(disk: &dyn Disk, root: &Path) -> Result<Option<Self>, Error> {
        let path = root.join(NAME);
        let bytes = match read_file(disk, &path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| Error::io("read", &path, error))?,
        };
        let corrupt = || Error::new("read", &path, Kind::Corrupt("the roster file is not readable"));
        let format: FormatOnly = serde_json::from_slice(&bytes).map_err(|_| corrupt())?;
        if format.format > FORMAT {
            return Err(Error::new("read", &path, Kind::Newer(format.format)));
        }
        let document: Document = serde_json::from_slice(&bytes).map_err(|_| corrupt())?;
        if crc32(&document.roster).ok() != Some(document.crc32) {
            return Err(corrupt());
        }
        Self::from_body(document.roster).ok_or_else(corrupt).map(Some)
    }

    fn body(&self) -> Body {
        let member = |member: &Member| MemberBody {
            volume: member.volume.to_string(),
            path: member.path.to_string_lossy().into_owned(),
            state: member.state,
            metadata: member.metadata,
            capacity_bytes: member.capacity_bytes,
            place: member.place.to_string(),
            added_ms: member.added.as_millis(),
        };
        Body {
            deployment: self.deployment.to_string(),
            revision: self.revision,
            point_bytes: self.point_bytes,
            members: self.members.iter().map(member).collect(),
        }
    }

    fn from_body(body: Body) -> Option<Self> {
        let member = |member: MemberBody| {
            Some(Member {
                volume: member.volume.parse().ok()?,
                path: member.path.into(),
                state: member.state,
                metadata: member.metadata,
                capacity_bytes: member.capacity_bytes,
                place: member.place.parse().ok()?,
                added: Timestamp::from_millis(member.added_ms),
            })
        };
        Some(Self {
            deployment: body.deployment.parse().ok()?,
            revision: body.revision,
            point_bytes: body.point_bytes.max(1),
            members: body.members.into_iter().map(member).collect::<Option<_>>()?,
        })
    }
}

/// What every format has.
#[derive(serde::Deserialize)]
struct FormatOnly {
    format: u16,
}

fn crc32(body: &Body) -> Result<u32, serde_json::Error> {
    Ok(crc32fast::hash(&serde_json::to_vec(body)?))
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
