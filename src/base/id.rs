//! Random identifiers. None of them carries meaning, so none of a client's bytes can reach a path through them.

use std::fmt;
use std::str::FromStr;

/// The text is not an identifier: wrong length or not hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseIdError;

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an identifier of 32 hexadecimal digits")
    }
}

impl std::error::Error for ParseIdError {}

macro_rules! id128 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The identifier made of these 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes, in the order in which they are printed.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0_u8; 32];
                hex_into(&self.0, &mut text, b"0123456789abcdef");
                f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let mut bytes = [0_u8; 16];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| ParseIdError)?;
                Ok(Self(bytes))
            }
        }
    };
}

id128! {
    /// One immutable run of bytes: a part file, or an inline value.
    BlobId
}
id128! {
    /// A volume, written in its identity file; survives a change of path.
    VolumeId
}
id128! {
    /// The set of volumes that belong together.
    DeploymentId
}
id128! {
    /// A multipart upload, opaque to clients.
    UploadId
}

/// A bucket for its lifetime: a bucket of the same name created later has another id, so rows of the old one
/// can never show up in the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct BucketId(pub u64);

/// Names one request in replies and logs: `x-amz-request-id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

fn hex_into(bytes: &[u8; 16], text: &mut [u8; 32], digits: &[u8; 16]) {
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = digits[usize::from(byte >> 4)];
        pair[1] = digits[usize::from(byte & 15)];
    }
}

#[cfg(test)]
#[path = "id_tests.rs"]
mod tests;
