//! Why the server does not start, in words for an operator.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::plan::Refusal;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address cannot be listened on.
    #[error("the {which} listener cannot use {address}: {error}{}", hint(error))]
    Listener {
        /// S3 or admin.
        which: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// Another process has a volume open.
    #[error("{} is in use by another process: is a server already running on it?", .0.display())]
    Locked(PathBuf),
    /// A volume's directory cannot be looked at or prepared.
    #[error("the volume {} cannot be used: {error}{}", path.display(), directory_hint(error))]
    Directory {
        /// The volume.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The volumes are not what they should be.
    #[error(transparent)]
    Volumes(#[from] Refusal),
    /// A volume cannot be opened or formatted.
    #[error("volume: {0}")]
    Volume(#[from] crate::volume::Error),
    /// Metadata cannot be opened.
    #[error(transparent)]
    Metadata(#[from] crate::meta::Error),
    /// Metadata and volumes do not fit together.
    #[error("store: {0}")]
    Store(#[from] crate::store::Error),
    /// The file with generated credentials cannot be used.
    #[error("the root credentials in {} cannot be used: {reason}", path.display())]
    Credentials {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A thread or a metric could not be made.
    #[error("{0}")]
    Other(String),
}

/// What usually helps with a directory.
fn directory_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "; make it belong to the user that runs the server",
        io::ErrorKind::ReadOnlyFilesystem => "; its file system is mounted read-only",
        io::ErrorKind::NotADirectory => "; a volume is a directory, and something on that path is none",
        _ => "",
    }
}

/// What usually helps.
fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "; stop what listens there, or choose another with --address and --admin-address"
        }
        io::ErrorKind::AddrNotAvailable => "; this machine does not have that address",
        io::ErrorKind::PermissionDenied => "; ports below 1024 need the capability CAP_NET_BIND_SERVICE",
        _ => "",
    }
}
