//! What can go wrong below `ops`, sorted by what the caller should do.

use crate::base::BlobId;

/// A failure of the store. `ops::error` turns it into an S3 code.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fewer volumes than the quorum answer, or metadata has stopped: try again later.
    #[error("unavailable: {reason}")]
    Unavailable {
        /// What is missing, for the log and the operator.
        reason: String,
    },
    /// A bounded queue is full: slow down.
    #[error("too much work is waiting")]
    Overloaded,
    /// The reserve for metadata and deletes has been reached.
    #[error("no space left below the reserve")]
    NoSpace,
    /// No good copy of these bytes is left.
    #[error("blob {blob} has no good copy: {reason}")]
    Damaged {
        /// Which blob.
        blob: BlobId,
        /// What the last copy answered.
        reason: String,
    },
    /// Metadata could not be read.
    #[error(transparent)]
    Metadata(#[from] crate::meta::Error),
    /// A bug or a machine that misbehaves.
    #[error("{operation}: {reason}")]
    Internal {
        /// What was being done.
        operation: &'static str,
        /// What happened.
        reason: String,
    },
}

impl Error {
    pub(super) fn internal(operation: &'static str, reason: impl Into<String>) -> Self {
        Self::Internal { operation, reason: reason.into() }
    }

    pub(super) fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into() }
    }
}
