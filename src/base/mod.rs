//! Values without behaviour of their own: identifiers, identities and points in time.
//!
//! Everybody may use them; they know nobody. Random identifiers are made from bytes that `sys::entropy` gives.

mod id;
mod identity;
mod time;

pub use id::BlobId;
pub use id::BucketId;
pub use id::DeploymentId;
pub use id::ParseIdError;
pub use id::RequestId;
pub use id::UploadId;
pub use id::VolumeId;
pub use identity::Identity;
pub use time::Timestamp;

/// An MD5 digest, the plain ETag of an object (RFC 1321).
pub type Md5Digest = [u8; 16];
/// A SHA-256 digest (FIPS 180-4).
pub type Sha256Digest = [u8; 32];
