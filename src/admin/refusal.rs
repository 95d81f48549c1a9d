//! Why a request of the admin API is not obeyed: a status, a code for programs, a sentence for people.

use actix_web::http::StatusCode;

use super::wire;
use crate::auth::AuthError;

/// What is wrong with a request, or with the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub(super) kind: Kind,
    /// The code of S3 where the refusal is one that S3 has, that of the kind otherwise.
    code: &'static str,
    message: String,
}

/// The sorts of refusal, each with its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request makes no sense.
    Invalid,
    /// It is not signed.
    Unsigned,
    /// Its signature is not one that counts here.
    Forbidden,
    /// There is no such thing.
    Unknown,
    /// There is, but not with this method.
    WrongMethod,
    /// The body did not come.
    Timeout,
    /// What is stored, or the state of a volume, stands against it.
    Conflict,
    /// The body is too long.
    TooLarge,
    /// The body is not JSON by its own word.
    MediaType,
    /// The server has a defect.
    Internal,
    /// This release cannot do that.
    NotImplemented,
    /// Not now.
    Unavailable,
}

impl Kind {
    const fn code(self) -> (u16, &'static str) {
        match self {
            Self::Invalid => (400, "InvalidRequest"),
            Self::Unsigned => (401, "AccessDenied"),
            Self::Forbidden => (403, "AccessDenied"),
            Self::Unknown => (404, "NotFound"),
            Self::WrongMethod => (405, "MethodNotAllowed"),
            Self::Timeout => (408, "RequestTimeout"),
            Self::Conflict => (409, "Conflict"),
            Self::TooLarge => (413, "EntityTooLarge"),
            Self::MediaType => (415, "UnsupportedMediaType"),
            Self::Internal => (500, "InternalError"),
            Self::NotImplemented => (501, "NotImplemented"),
            Self::Unavailable => (503, "ServiceUnavailable"),
        }
    }
}

impl Refusal {
    /// A refusal with the code of its kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, code: kind.code().1, message: message.into() }
    }

    /// Something that is not there.
    pub(super) fn unknown(message: impl Into<String>) -> Self {
        Self::new(Kind::Unknown, message)
    }

    /// A request that makes no sense.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// The status it travels with.
    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.code().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What the client reads.
    pub(super) fn document(&self) -> wire::Error {
        wire::Error { code: self.code.to_owned(), message: self.message.clone() }
    }
}

/// The refusals of the signature have the codes of S3, which clients know.
impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        let kind = if error.code.status() == 403 { Kind::Forbidden } else { Kind::Invalid };
        Self { kind, code: error.code.as_str(), message: error.message.into_owned() }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
