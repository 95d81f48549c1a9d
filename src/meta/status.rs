//! Where replicas are, and how they fare.

use std::path::PathBuf;

/// Where a replica lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaPlace {
    /// Its name, unique in the deployment and for ever: the id of its volume.
    pub name: String,
    /// Its directory. Beside it, `.new` and `.old` of the same name are the replica's too.
    pub path: PathBuf,
}

impl ReplicaPlace {
    /// A place.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), path: path.into() }
    }
}

/// What a replica does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Reads come from it.
    Leader,
    /// It has every commit, or will in a moment.
    Follower,
    /// It is sound, and catches up.
    Lagging {
        /// Commits that it lacks.
        behind: u64,
    },
    /// It is made anew from the leader.
    Rebuilding {
        /// Bytes copied.
        done_bytes: u64,
        /// Bytes to copy, in all.
        total_bytes: u64,
    },
    /// It cannot be used now; this is tried again every few seconds.
    Failed {
        /// Why.
        reason: String,
    },
    /// A voter whose volume is not there.
    Absent,
}

/// A replica as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaStatus {
    /// Its name: the id of its volume.
    pub name: String,
    /// Its directory.
    pub path: PathBuf,
    /// What it does.
    pub role: Role,
    /// The number of the newest commit that is durable in it.
    pub commit: u64,
    /// Whether its word counts for the majority.
    pub voter: bool,
}
