//! What each S3 operation means: no HTTP, no files.
//!
//! One file per operation with its `Input`, its `Output` and `run`. Every operation takes a [`Call`], which holds a
//! [`Granted`]: the proof that somebody was authenticated and may do this. There is no other way in, so an unchecked
//! operation does not compile.
//!
//! What is always true: a refusal changed nothing; a client's mistake is a code of the 400s; a failure below is
//! logged here, once, with its cause, and told to the client without it.
//!
//! `http` calls it. It does not know jobs, volumes or RocksDB: everything goes through [`Store`].

pub mod access;
pub mod bucket;
mod error;
pub mod multipart;
pub mod object;

use std::sync::Arc;

use crate::auth::Secret;
use crate::policy::Granted;
use crate::s3::name::BucketName;
use crate::store::Bucket;
use crate::store::Store;
use crate::sys::clock::Clock;

pub use error::Error;

/// The root credentials: the one identity there is until users arrive.
pub struct RootCredentials {
    /// The access key id.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: Secret,
}

/// What an operator may choose about the operations.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The region this server says it is.
    pub region: String,
    /// Take buckets with any location constraint, as a server of one region that clients reach under any name.
    pub any_region: bool,
}

/// Everything the operations share.
pub struct Service {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    root: RootCredentials,
    settings: Settings,
}

/// One request on its way through an operation.
pub struct Call<'a> {
    /// Where the data is.
    pub service: &'a Service,
    /// That the caller may.
    pub granted: &'a Granted,
}

impl Service {
    /// Puts the service together.
    pub fn new(store: Arc<Store>, clock: Arc<dyn Clock>, root: RootCredentials, settings: Settings) -> Self {
        Self { store, clock, root, settings }
    }

    /// The region this server says it is.
    pub fn region(&self) -> &str {
        &self.settings.region
    }

    /// The wall clock that dates of requests are compared with.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }
}

impl Call<'_> {
    fn store(&self) -> &Store {
        &self.service.store
    }

    /// The bucket, or `NoSuchBucket`.
    async fn bucket(&self, name: &BucketName) -> Result<Arc<Bucket>, Error> {
        match self.store().bucket(name).await? {
            Some(bucket) => Ok(bucket),
            None => Err(Error::no_such_bucket(name.as_str())),
        }
    }

    /// Canonical id of the caller, the owner of what it creates.
    fn owner(&self) -> String {
        self.granted.canonical_id().to_owned()
    }
}
