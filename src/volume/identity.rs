//! The identity file: which volume a directory is, and with which others it belongs.

use std::path::Path;

use crate::base::DeploymentId;
use crate::base::Timestamp;
use crate::base::VolumeId;
use crate::sys::disk::Disk;
use crate::sys::disk::read_file;
use crate::sys::disk::replace_file;

use super::Error;
use super::Kind;

/// Its name, at the root of the volume.
const NAME: &str = "holdall-volume.json";
/// The newest format we write and read.
const FORMAT: u16 = 1;

/// Who a volume is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The volume.
    pub volume_id: VolumeId,
    /// The volumes that belong together.
    pub deployment_id: DeploymentId,
    /// When it was formatted.
    pub created: Timestamp,
}

/// The file's JSON.
#[derive(serde::Serialize, serde::Deserialize)]
struct Document {
    format: u16,
    volume_id: String,
    deployment_id: String,
    created_ms: u64,
}

/// Whether a name at the root of a directory is none of ours, so that the directory must not become a volume.
pub fn is_foreign(name: &str) -> bool {
    let ours = [
        "blobs",
        "meta",
        "quarantine",
        "probe",
        "credentials.toml",
        "credentials.new",
        "holdall-volume.new",
        super::roster::NAME,
        super::roster::NEW_NAME,
        "lost+found",
        "lock",
    ];
    !ours.contains(&name)
}

impl Identity {
    pub(super) fn write(&self, disk: &dyn Disk, root: &Path) -> Result<(), Error> {
        let document = Document {
            format: FORMAT,
            volume_id: self.volume_id.to_string(),
            deployment_id: self.deployment_id.to_string(),
            created_ms: self.created.as_millis(),
        };
        let path = root.join(NAME);
        let text = serde_json::to_string_pretty(&document).map_err(|_| {
            Error::new("write", &path, Kind::Corrupt("the identity cannot be written as JSON"))
        })?;
        replace_file(disk, &path, text.as_bytes()).map_err(|error| Error::io("write", &path, error))
    }

    /// Reads the identity of the volume at `root`. Fails with [`Kind::Missing`] where there is none.
    pub fn read(disk: &dyn Disk, root: &Path) -> Result<Self, Error> {
        let path = root.join(NAME);
        let bytes = read_file(disk, &path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::new("open", root, Kind::Missing),
            _ => Error::io("read", &path, error),
        })?;
        let corrupt = || Error::new("read", &path, Kind::Corrupt("the identity file is not readable"));
        let document: Document = serde_json::from_slice(&bytes).map_err(|_| corrupt())?;
        if document.format > FORMAT {
            return Err(Error::new("read", &path, Kind::Newer(document.format)));
        }
        Ok(Self {
            volume_id: document.volume_id.parse().map_err(|_| corrupt())?,
            deployment_id: document.deployment_id.parse().map_err(|_| corrupt())?,
            created: Timestamp::from_millis(document.created_ms),
        })
    }
}
