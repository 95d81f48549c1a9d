//! Why a request was refused before anybody looked at what it wants.

use std::borrow::Cow;

use crate::s3::error_code::ErrorCode;

/// A refusal, with everything AWS would put into the error document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthError {
    /// The S3 error code.
    pub code: ErrorCode,
    /// The message for the client.
    pub message: Cow<'static, str>,
    /// Further elements of the error document, in order: name and text.
    pub extra: Vec<(&'static str, String)>,
}

impl AuthError {
    /// A refusal with a message of its own.
    pub(crate) fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), extra: Vec::new() }
    }

    /// A refusal with the code's usual message.
    pub(crate) fn of(code: ErrorCode) -> Self {
        Self::new(code, code.message())
    }

    /// Adds an element to the error document.
    pub(crate) fn with(mut self, element: &'static str, text: impl Into<String>) -> Self {
        self.extra.push((element, text.into()));
        self
    }
}

impl std::fmt::Display for AuthError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for AuthError {}
