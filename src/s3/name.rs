//! Names of buckets and keys, valid by construction.

use std::fmt;

/// Why a bucket name was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the specified bucket is not valid")]
pub struct InvalidBucketName;

/// Why a key was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Longer than 1,024 bytes of UTF-8.
    #[error("your key is too long")]
    TooLong,
    /// The empty key names the bucket.
    #[error("the key is empty")]
    Empty,
}

/// A bucket's name by the rules for general purpose buckets
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(String);

/// Prefixes and suffixes that AWS keeps for names with another meaning.
const RESERVED_PREFIXES: [&str; 2] = ["xn--", "sthree-"];
const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

impl BucketName {
    /// Checks `name`: 3 to 63 lower-case letters, digits, dots and hyphens, each label beginning and ending with a
    /// letter or digit, not shaped like an IPv4 address, none of the reserved affixes.
    pub fn new(name: &str) -> Result<Self, InvalidBucketName> {
        let valid = (3..=63).contains(&name.len())
            && name.split('.').all(is_label)
            && !is_ipv4(name)
            && !RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            && !RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
        if valid { Ok(Self(name.to_owned())) } else { Err(InvalidBucketName) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
}

fn is_ipv4(name: &str) -> bool {
    name.split('.').count() == 4 && name.split('.').all(|part| part.bytes().all(|b| b.is_ascii_digit()))
}

/// An object's key: 1 to 1,024 bytes of UTF-8, taken byte for byte. Nothing is normalised: `a//b`, `..` and the two
/// Unicode forms of `é` are keys of their own
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(String);

/// The longest key in bytes.
pub const KEY_BYTES_MAX: usize = 1024;

impl ObjectKey {
    /// Checks the length of `key` in bytes, not characters.
    pub fn new(key: impl Into<String>) -> Result<Self, InvalidKey> {
        let key = key.into();
        match key.len() {
            0 => Err(InvalidKey::Empty),
            1..=KEY_BYTES_MAX => Ok(Self(key)),
            _ => Err(InvalidKey::TooLong),
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
#[path = "name_tests.rs"]
mod tests;
