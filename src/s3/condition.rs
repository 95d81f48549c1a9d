//! Conditional requests, decided by pure functions (RFC 9110, section 13; and the pages of GetObject, PutObject,
//! CopyObject and DeleteObject for where S3 differs).

use super::etag::ETag;
use crate::base::Timestamp;

/// The four validators a request may carry, for the object itself or for the source of a copy.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// `If-Match`.
    pub if_match: Option<String>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
    /// `If-Modified-Since`; a date that cannot be read is ignored, as RFC 9110 asks.
    pub if_modified_since: Option<Timestamp>,
    /// `If-Unmodified-Since`.
    pub if_unmodified_since: Option<Timestamp>,
}

/// What the conditions say of an existing object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Holds,
    /// 304: the client has it already.
    NotModified,
    /// 412, naming the condition that failed.
    Failed(&'static str),
}

/// What a conditional write ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteRefusal {
    /// 412, naming the condition that failed.
    Failed(&'static str),
    /// `If-Match` on a key that does not exist: 404 `NoSuchKey`.
    NoSuchKey,
}

/// The conditions of a write: `If-Match` and `If-None-Match`, each with tags or `*`. AWS takes only `*` in the
/// second; the general form means what RFC 9110 says.
#[derive(Debug, Clone, Default)]
pub struct WriteConditions {
    /// `If-Match`.
    pub if_match: Option<String>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
}

impl Conditions {
    /// Whether the request carries none.
    pub const fn is_empty(&self) -> bool {
        self.if_match.is_none()
            && self.if_none_match.is_none()
            && self.if_modified_since.is_none()
            && self.if_unmodified_since.is_none()
    }

    /// Decides a read of an object in this state. Tags win over dates, as RFC 9110, section 13.2.2, orders them.
    pub fn read(&self, etag: &ETag, modified: Timestamp) -> Verdict {
        if let Some(failed) = self.precondition(etag, modified) {
            return Verdict::Failed(failed);
        }
        let unchanged = match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) => matches(tags, etag),
            (None, Some(since)) => modified.as_secs() <= since.as_secs(),
            (None, None) => false,
        };
        if unchanged { Verdict::NotModified } else { Verdict::Holds }
    }

    /// Decides the source of a copy, where "not modified" is a failure too.
    pub fn copy_source(&self, etag: &ETag, modified: Timestamp) -> Result<(), &'static str> {
        match self.read(etag, modified) {
            Verdict::Holds => Ok(()),
            Verdict::NotModified if self.if_none_match.is_some() => Err("x-amz-copy-source-If-None-Match"),
            Verdict::NotModified => Err("x-amz-copy-source-If-Modified-Since"),
            Verdict::Failed("If-Match") => Err("x-amz-copy-source-If-Match"),
            Verdict::Failed(_) => Err("x-amz-copy-source-If-Unmodified-Since"),
        }
    }

    fn precondition(&self, etag: &ETag, modified: Timestamp) -> Option<&'static str> {
        match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) => (!matches(tags, etag)).then_some("If-Match"),
            (None, Some(since)) => (modified.as_secs() > since.as_secs()).then_some("If-Unmodified-Since"),
            (None, None) => None,
        }
    }
}

impl WriteConditions {
    /// Whether the request carries none.
    pub const fn is_empty(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }

    /// Decides a write over what is there now.
    pub fn write(&self, current: Option<&ETag>) -> Result<(), WriteRefusal> {
        match (&self.if_match, current) {
            (Some(_), None) => return Err(WriteRefusal::NoSuchKey),
            (Some(tags), Some(etag)) if !matches(tags, etag) => return Err(WriteRefusal::Failed("If-Match")),
            _ => {}
        }
        match (&self.if_none_match, current) {
            (Some(tags), Some(etag)) if matches(tags, etag) => Err(WriteRefusal::Failed("If-None-Match")),
            _ => Ok(()),
        }
    }
}

/// Whether a list of tags, or `*`, names `etag`. Weak tags never come from us, but their opaque part counts.
fn matches(tags: &str, etag: &ETag) -> bool {
    tags.split(',').map(str::trim).any(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || tag.parse() == Ok(*etag)
    })
}

#[cfg(test)]
#[path = "condition_tests.rs"]
mod tests;
