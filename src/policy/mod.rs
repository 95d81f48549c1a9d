//! May they: turns an identity and the accesses an operation needs into [`Granted`].
//!
//! What is always true: whoever holds a [`Granted`] was authenticated and allowed, for nothing else makes one; what
//! nobody allowed is denied; every access of an operation is decided before any of it happens. Pure: no I/O, no clock.
//!
//! `ops` calls it. It does not know requests, signatures or stored objects.

use std::sync::LazyLock;

use sha2::Digest as _;
use sha2::Sha256;

use crate::base::Identity;
use crate::s3::name::BucketName;
use crate::s3::name::ObjectKey;

/// What the canonical id of root is the SHA-256 of. It depends on no access key: whoever owns the objects of a
/// deployment still owns them after a rotation of keys.
const ROOT_CANONICAL_NAME: &str = "holdall:canonical-user:root";

static ROOT_CANONICAL_ID: LazyLock<String> =
    LazyLock::new(|| hex::encode(Sha256::digest(ROOT_CANONICAL_NAME.as_bytes())));

/// The canonical user id of root: 64 hexadecimal digits, the same in every deployment and for every access key. It is
/// what `Owner` elements and grants in access control lists carry.
pub fn root_canonical_id() -> &'static str {
    &ROOT_CANONICAL_ID
}

/// The name that stands beside the canonical id of root.
pub const ROOT_DISPLAY_NAME: &str = "root";

/// One thing an operation needs: an action on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access<'a> {
    action: &'static str,
    bucket: Option<&'a BucketName>,
    key: Option<&'a ObjectKey>,
}

impl<'a> Access<'a> {
    /// `action` (such as `s3:GetObject`) on an object, a bucket, or on nothing in particular.
    pub const fn new(
        action: &'static str,
        bucket: Option<&'a BucketName>,
        key: Option<&'a ObjectKey>,
    ) -> Self {
        Self { action, bucket, key }
    }

    /// The IAM action.
    pub const fn action(&self) -> &'static str {
        self.action
    }

    /// The resource as policies name it, such as `arn:aws:s3:::bucket/key`; `*` when there is none
    /// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>).
    pub fn resource(&self) -> String {
        match (self.bucket, self.key) {
            (Some(bucket), Some(key)) => format!("arn:aws:s3:::{}/{}", bucket.as_str(), key.as_str()),
            (Some(bucket), None) => format!("arn:aws:s3:::{}", bucket.as_str()),
            (None, _) => "*".to_owned(),
        }
    }
}

/// The answer "no". It does not say why: the client may not learn which rule refused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("access denied")]
pub struct Denied;

/// Proof that somebody was authenticated and may do what [`decide`] was asked. There is no other way to make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    principal: Principal,
}

/// As whom the operation happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Principal {
    Root,
}

impl Granted {
    /// Canonical user id of the caller, the owner of what it creates: 64 hexadecimal digits.
    pub fn canonical_id(&self) -> &str {
        match self.principal {
            Principal::Root => root_canonical_id(),
        }
    }

    /// The name that stands beside the canonical id.
    pub fn display_name(&self) -> &str {
        match self.principal {
            Principal::Root => ROOT_DISPLAY_NAME,
        }
    }
}

/// Decides whether `identity` may do all of `accesses`.
///
/// Root may do everything. Anonymous callers may do nothing: no policy can allow them anything yet.
///
/// # Errors
/// [`Denied`] when one of the accesses is not allowed.
pub fn decide(identity: &Identity, accesses: &[Access<'_>]) -> Result<Granted, Denied> {
    // Nothing asked is nothing proven: an operation that forgot its plan does not run.
    if accesses.is_empty() {
        return Err(Denied);
    }
    match identity {
        Identity::Root { .. } => Ok(Granted { principal: Principal::Root }),
        Identity::Anonymous => Err(Denied),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
