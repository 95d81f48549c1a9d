//! Why the volumes stay as they are, in words for an operator.

use std::path::PathBuf;

use crate::base::BlobId;
use crate::base::VolumeId;
use crate::store;

/// Why a change of membership was not made.
#[derive(Debug, thiserror::Error)]
pub enum MembershipError {
    /// No such volume, or one that was removed.
    #[error("{0} is no volume of this deployment; `holdall volume list` shows those that are")]
    Unknown(VolumeId),
    /// The directory cannot become a volume.
    #[error("{} cannot become a volume: {reason}", path.display())]
    Path {
        /// The directory.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A volume is there and holds what would be missing without it.
    #[error(
        "{volume} is not empty yet (it holds {blob}, among others); wait until it is drained, which `holdall status` shows"
    )]
    Needed {
        /// The volume.
        volume: VolumeId,
        /// One of its blobs.
        blob: BlobId,
    },
    /// It takes copies while it is looked at.
    #[error("{0} takes copies still; drain it first, and remove it when it is empty")]
    Active(VolumeId),
    /// The volume is not there, so what it holds is not known.
    #[error(
        "{0} does not answer, so what only it holds is not known; mount it, or remove it with force, which gives up \
         what has no copy elsewhere"
    )]
    Silent(VolumeId),
    /// Force is for what cannot be asked.
    #[error("{0} answers: drain it first, and remove it without force when it is empty")]
    Answers(VolumeId),
    /// The copies would have no place.
    #[error("{replicas} copies need {replicas} volumes, and {active} would be left; add a volume first")]
    TooFewLeft {
        /// Volumes that would be left to take copies.
        active: usize,
        /// Copies of each part, as configured.
        replicas: usize,
    },
    /// Good copies would be deleted.
    #[error(
        "{active} of the volumes would be left to take copies, so that each part had {then} of them instead of {now}; \
         add a volume first, or put another disk in the place of this one (replace), or drain it with force, which \
         accepts fewer copies"
    )]
    FewerCopies {
        /// Volumes that would be left to take copies.
        active: usize,
        /// Copies of each part now.
        now: usize,
        /// Copies that each part would have.
        then: usize,
    },
    /// The metadata would be lost, or could not be committed.
    #[error(
        "{0} holds a replica of the metadata that is needed: no other one is up to date. Wait until \
         `holdall volume list` shows another one, or add a volume"
    )]
    Metadata(VolumeId),
    /// The majority was not reached. The change may yet turn out to be made after a restart.
    #[error(
        "{acks} of {members} volumes took the change, and {needed} must; mount those that are absent, or remove them \
         with force first"
    )]
    TooFew {
        /// Volumes that took it.
        acks: usize,
        /// Volumes that belong.
        members: usize,
        /// How many must take it.
        needed: usize,
    },
    /// Something else is in the way, for now.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<crate::meta::Error> for MembershipError {
    fn from(error: crate::meta::Error) -> Self {
        Self::Store(store::Error::unavailable(error.to_string()))
    }
}

impl From<MembershipError> for store::Error {
    fn from(error: MembershipError) -> Self {
        match error {
            MembershipError::Store(error) => error,
            other => Self::unavailable(other.to_string()),
        }
    }
}
