//! The one translation of failures below into S3 error codes.

use std::borrow::Cow;
use std::convert::Infallible;

use crate::s3::condition::WriteRefusal;
use crate::s3::error_code::ErrorCode;
use crate::s3::xml::read::Malformed;
use crate::store;
use crate::store::OpenError;
use crate::store::SourceError;
use crate::store::StageError;
use crate::store::UpdateError;

/// Why an operation was not done, in the words of S3.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code:?}: {message}")]
pub struct Error {
    /// The code, which fixes the status.
    pub code: ErrorCode,
    /// What was wrong, for the client.
    pub message: Cow<'static, str>,
    /// Further elements of the error document.
    pub extra: Vec<(&'static str, String)>,
}

impl Error {
    /// An error with the code's own message.
    pub const fn new(code: ErrorCode) -> Self {
        Self { code, message: Cow::Borrowed(code.message()), extra: Vec::new() }
    }

    /// An error with a message of its own.
    pub fn with(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), extra: Vec::new() }
    }

    /// Adds an element to the error document.
    #[must_use]
    pub fn element(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.extra.push((name, value.into()));
        self
    }

    /// An argument that is out of bounds or cannot be read.
    pub fn invalid_argument(name: &str, value: &str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::with(ErrorCode::InvalidArgument, message)
            .element("ArgumentName", name)
            .element("ArgumentValue", value)
    }

    pub(super) fn no_such_bucket(name: &str) -> Self {
        Self::new(ErrorCode::NoSuchBucket).element("BucketName", name)
    }

    pub(super) fn no_such_key(key: &str) -> Self {
        Self::new(ErrorCode::NoSuchKey).element("Key", key)
    }

    pub(super) fn no_such_upload(id: &str) -> Self {
        Self::new(ErrorCode::NoSuchUpload).element("UploadId", id)
    }

    pub(super) fn precondition(condition: &'static str) -> Self {
        Self::new(ErrorCode::PreconditionFailed).element("Condition", condition)
    }

    pub(super) fn write_refusal(refusal: WriteRefusal, key: &str) -> Self {
        match refusal {
            WriteRefusal::Failed(condition) => Self::precondition(condition),
            WriteRefusal::NoSuchKey => Self::no_such_key(key),
        }
    }
}

/// The cause goes to the log; the client learns the code.
impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        let code = match &error {
            store::Error::Unavailable { .. } => ErrorCode::ServiceUnavailable,
            store::Error::Metadata(error) if error.may_pass() => ErrorCode::ServiceUnavailable,
            store::Error::Overloaded => ErrorCode::SlowDown,
            store::Error::NoSpace => ErrorCode::InsufficientStorage,
            store::Error::Damaged { .. } | store::Error::Metadata(_) | store::Error::Internal { .. } => {
                ErrorCode::InternalError
            }
        };
        tracing::error!(code = code.as_str(), %error, "the store failed");
        Self::new(code)
    }
}

impl From<SourceError> for Error {
    fn from(error: SourceError) -> Self {
        Self { code: error.code, message: error.message, extra: error.extra }
    }
}

impl From<StageError> for Error {
    fn from(error: StageError) -> Self {
        match error {
            StageError::Source(error) => error.into(),
            StageError::TooLarge { max_bytes } => {
                Self::new(ErrorCode::EntityTooLarge).element("MaxSizeAllowed", max_bytes.to_string())
            }
            StageError::Md5Mismatch => Self::with(
                ErrorCode::BadDigest,
                "The Content-MD5 you specified did not match what we received.",
            ),
            StageError::Sha256Mismatch => Self::new(ErrorCode::XAmzContentSHA256Mismatch),
            StageError::ChecksumMismatch { algorithm } => Self::with(
                ErrorCode::BadDigest,
                format!("The {} you specified did not match the calculated checksum.", algorithm.name()),
            ),
            StageError::Store(error) => error.into(),
        }
    }
}

impl From<UpdateError<Error>> for Error {
    fn from(error: UpdateError<Error>) -> Self {
        match error {
            UpdateError::Refused(error) => error,
            UpdateError::NoSuchBucket => Self::new(ErrorCode::NoSuchBucket),
            UpdateError::Store(error) => error.into(),
        }
    }
}

impl From<UpdateError<Infallible>> for Error {
    fn from(error: UpdateError<Infallible>) -> Self {
        match error {
            UpdateError::Refused(never) => match never {},
            UpdateError::NoSuchBucket => Self::new(ErrorCode::NoSuchBucket),
            UpdateError::Store(error) => error.into(),
        }
    }
}

/// An object that changes faster than it can be opened: try again.
impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Changed => Self::new(ErrorCode::SlowDown),
            OpenError::Store(error) => error.into(),
        }
    }
}

impl From<Malformed> for Error {
    fn from(_: Malformed) -> Self {
        Self::new(ErrorCode::MalformedXML)
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
