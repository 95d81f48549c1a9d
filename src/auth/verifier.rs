//! The one door: every request comes in through [`Verifier`], whichever way it is authenticated.

use super::AuthError;
use super::Keys;
use super::Payload;
use super::RequestHead;
use super::form::AuthenticatedForm;
use super::form::FormFields;
use super::signing_key::KeyCache;
use crate::base::Identity;
use crate::base::Timestamp;
use crate::s3::error_code::ErrorCode;

/// What the operator chose about authentication.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The region this server says it is, such as `us-east-1`.
    pub region: String,
    /// Take signatures for any region, as a server of one region that clients reach under any name. Default: true.
    pub any_region: bool,
}

/// Checks signatures. One for the whole server: it holds the cache of signing keys.
pub struct Verifier {
    pub(super) settings: Settings,
    pub(super) keys: KeyCache,
}

/// Proof that a request is from whom it says, or from nobody in particular. Only [`Verifier`] makes it.
pub struct Authenticated {
    identity: Identity,
    payload: Payload,
}

impl Authenticated {
    /// Who is calling.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What the body must be held to.
    pub fn into_payload(self) -> Payload {
        self.payload
    }
}

impl Verifier {
    /// A verifier with an empty cache.
    pub fn new(settings: Settings) -> Self {
        Self { settings, keys: KeyCache::new() }
    }

    /// Finds out who sent a request: by its `Authorization` header, by its query, or nobody in particular.
    ///
    /// # Errors
    /// What S3 answers (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>); never a 5xx.
    pub fn authenticate(
        &self,
        head: &RequestHead<'_>,
        keys: &dyn Keys,
        now: Timestamp,
    ) -> Result<Authenticated, AuthError> {
        let _ = (head, keys, now, &self.settings);
        Err(AuthError::of(ErrorCode::NotImplemented))
    }

    /// Finds out who signed a POST form, and holds the form to its policy. A form without policy is anonymous.
    ///
    /// # Errors
    /// As [`Self::authenticate`]; `AccessDenied` when the policy does not allow the form.
    pub fn authenticate_form(
        &self,
        form: &FormFields<'_>,
        keys: &dyn Keys,
        now: Timestamp,
    ) -> Result<AuthenticatedForm, AuthError> {
        let _ = (form, keys, now, &self.settings);
        Err(AuthError::of(ErrorCode::NotImplemented))
    }
}
