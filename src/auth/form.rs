//! POST forms: who signed one, and whether its policy allows it
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html>).

use super::AuthError;
use crate::base::Identity;
use crate::s3::error_code::ErrorCode;

/// The fields of a POST form that came before its file.
#[derive(Debug, Clone, Copy)]
pub struct FormFields<'a> {
    /// The bucket of the URL; a field of that name never chooses one.
    pub bucket: &'a str,
    /// Names in lower case and values, in order, with `${filename}` already expanded: policies are held against what
    /// will be stored.
    pub fields: &'a [(&'a str, &'a str)],
}

/// Proof that a form is from whom it says and that its policy allows its fields. Only [`super::Verifier`] makes it.
#[derive(Debug)]
pub struct AuthenticatedForm {
    pub(super) identity: Identity,
    /// Bounds of the file's length in bytes, both included.
    pub(super) length: Option<(u64, u64)>,
}

impl AuthenticatedForm {
    /// Who signed it.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The most bytes the file may have, to stop reading a longer one early.
    pub fn length_max(&self) -> Option<u64> {
        self.length.map(|(_, most)| most)
    }

    /// Holds the length of the file, in bytes, to the policy's `content-length-range`.
    ///
    /// # Errors
    /// `EntityTooSmall` or `EntityTooLarge`.
    pub fn check_length(&self, length: u64) -> Result<(), AuthError> {
        match self.length {
            Some((least, _)) if length < least => Err(AuthError::of(ErrorCode::EntityTooSmall)
                .with("ProposedSize", length.to_string())
                .with("MinSizeAllowed", least.to_string())),
            Some((_, most)) if length > most => Err(AuthError::of(ErrorCode::EntityTooLarge)
                .with("ProposedSize", length.to_string())
                .with("MaxSizeAllowed", most.to_string())),
            _ => Ok(()),
        }
    }
}
