//! What went wrong, sorted by what a client would be told.

use std::any::Any;
use std::fmt;

use holdall::store::Error;
use holdall::store::OpenError;
use holdall::store::StageError;
use holdall::store::UpdateError;

/// A failure of the store that is not an answer.
#[derive(Debug, Clone)]
pub struct Failure {
    pub kind: Kind,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    NoSpace,
    Unavailable,
    Overloaded,
    Damaged,
    /// Anything else, which a client would hear of as an internal error.
    Other,
}

impl Failure {
    pub fn of<E: fmt::Debug + 'static>(error: E) -> Self {
        let kind = store_error(&error).map_or(Kind::Other, |error| match error {
            Error::NoSpace => Kind::NoSpace,
            Error::Unavailable { .. } => Kind::Unavailable,
            Error::Overloaded => Kind::Overloaded,
            Error::Damaged { .. } => Kind::Damaged,
            _ => Kind::Other,
        });
        Self { kind, text: format!("{error:?}") }
    }
}

fn store_error(error: &dyn Any) -> Option<&Error> {
    if let Some(StageError::Store(error)) = error.downcast_ref() {
        return Some(error);
    }
    if let Some(OpenError::Store(error)) = error.downcast_ref() {
        return Some(error);
    }
    if let Some(UpdateError::<std::convert::Infallible>::Store(error)) = error.downcast_ref() {
        return Some(error);
    }
    error.downcast_ref()
}

impl From<Failure> for String {
    fn from(failure: Failure) -> Self {
        failure.text
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        Self { kind: Kind::Other, text: text.to_owned() }
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self { kind: Kind::Other, text }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
