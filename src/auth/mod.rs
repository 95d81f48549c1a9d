//! Who is calling: Signature Version 4 in headers, in queries and in POST forms, and the signatures of chunks.
//!
//! What is always true: an [`Authenticated`] or [`AuthenticatedForm`] comes from a [`Verifier`] alone, after the
//! signature was checked over the request as it arrived; every way in checks the signature, whatever the request says
//! about its payload; signatures and secrets are compared in constant time; secrets have no `Debug`. Pure: no I/O, no
//! clock of its own, no HTTP types; the time and the keys are given.
//!
//! `http` calls [`Verifier`], `ops` implements [`Keys`], `cli` and tests sign with [`sign`]. It does not know what
//! a request wants or whether its sender may have it
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>).

mod canonical;
mod chunk;
mod claim;
mod error;
mod form;
mod form_policy;
mod head;
mod payload;
mod presigned;
mod refusal;
mod secret;
pub mod sign;
mod signing_key;
mod verifier;

pub use crate::base::Identity;
pub use chunk::ChunkSigner;
pub use chunk::SignatureMismatch;
pub use error::AuthError;
pub use form::AuthenticatedForm;
pub use form::FormFields;
pub use head::RequestHead;
pub use payload::Chunked;
pub use payload::Payload;
pub use secret::Secret;
pub use verifier::Authenticated;
pub use verifier::Settings;
pub use verifier::Verifier;

/// Where the secrets are. Called for every request: it must not block.
pub trait Keys {
    /// The key of this id; `None` when there is none or it is disabled.
    fn find(&self, access_key: &str) -> Option<Key>;
}

/// An access key's secret and whose it is.
pub struct Key {
    /// What requests are signed with.
    pub secret: Secret,
    /// Who signs with it.
    pub identity: Identity,
}

#[cfg(test)]
mod fixture;

#[cfg(test)]
#[path = "oracle_tests.rs"]
mod oracle_tests;
