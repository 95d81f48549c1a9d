//! Who is calling and may they: finds keys for `auth`, asks `policy`, yields [`Granted`].

use super::Error;
use super::Service;
use crate::auth::Identity;
use crate::auth::Key;
use crate::auth::Keys;
use crate::policy;
use crate::policy::Access;
use crate::policy::Granted;
use crate::s3::error_code::ErrorCode;
use crate::s3::name::BucketName;
use crate::s3::name::ObjectKey;
use crate::s3::operation::Operation;

impl Keys for Service {
    fn find(&self, access_key: &str) -> Option<Key> {
        (access_key == self.root.access_key).then(|| Key {
            secret: self.root.secret_key.clone(),
            identity: Identity::Root { access_key: self.root.access_key.clone() },
        })
    }
}

impl Service {
    /// Whether `identity` may do `operation` to the target and, for a copy, read its source. Decided before any
    /// condition is looked at and before a byte of the body is read, so that a refusal tells nothing of what exists.
    pub fn authorize(
        &self,
        identity: &Identity,
        operation: Operation,
        target: (Option<&BucketName>, Option<&ObjectKey>),
        source: Option<(&BucketName, &ObjectKey)>,
    ) -> Result<Granted, Error> {
        let mut accesses = vec![Access::new(operation.action(), target.0, target.1)];
        if let Some((bucket, key)) = source {
            accesses.push(Access::new(Operation::GetObject.action(), Some(bucket), Some(key)));
        }
        policy::decide(identity, &accesses).map_err(|_| Error::new(ErrorCode::AccessDenied))
    }
}
