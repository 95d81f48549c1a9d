//! Entity tags: the MD5 of a plain object, or the MD5 of the parts' MD5s and their number.

use std::fmt;
use std::str::FromStr;

use crate::base::Md5Digest;

/// The entity tag of an object or part, without quotes
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct ETag {
    md5: Md5Digest,
    /// Zero for an object written in one piece.
    parts: u16,
}

/// The text is no entity tag of ours, so it matches none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeignETag;

impl ETag {
    /// The tag of bytes written in one piece.
    pub const fn plain(md5: Md5Digest) -> Self {
        Self { md5, parts: 0 }
    }

    /// The tag of a multipart object: MD5 of the concatenated MD5s of its parts.
    pub fn multipart(parts: impl ExactSizeIterator<Item = Md5Digest>) -> Self {
        use md5::Digest as _;
        let count = u16::try_from(parts.len()).unwrap_or(u16::MAX);
        let mut digest = md5::Md5::new();
        parts.for_each(|md5| digest.update(md5));
        Self { md5: digest.finalize().into(), parts: count }
    }

    /// The MD5 inside.
    pub const fn md5(&self) -> Md5Digest {
        self.md5
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0_u8; 32];
        hex::encode_to_slice(self.md5, &mut text).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)?;
        if self.parts > 0 { write!(f, "-{}", self.parts) } else { Ok(()) }
    }
}

impl FromStr for ETag {
    type Err = ForeignETag;

    /// Takes the tag with or without quotes, as clients send both.
    fn from_str(text: &str) -> Result<Self, ForeignETag> {
        let text = text.trim();
        let bare = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
        let (digest, parts) = match bare.split_once('-') {
            Some((digest, parts)) => (digest, parts.parse().map_err(|_| ForeignETag)?),
            None => (bare, 0),
        };
        let mut md5 = Md5Digest::default();
        hex::decode_to_slice(digest, &mut md5).map_err(|_| ForeignETag)?;
        Ok(Self { md5, parts })
    }
}

#[cfg(test)]
#[path = "etag_tests.rs"]
mod tests;
