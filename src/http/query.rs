//! The query of a request, taken apart once.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::error::Error;
use crate::s3::error_code::ErrorCode;

/// The parameters of a query in the order sent, names and values decoded. A parameter without `=` has an empty
/// value, as for AWS. When a name comes twice, the first counts.
#[derive(Debug, Default)]
pub struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Takes apart `raw`, which has no question mark. A `+` is a space, as HTML forms write it; percent-encoding
    /// that is broken or no UTF-8 is `InvalidURI`.
    pub fn parse(raw: &'a str) -> Result<Self, Error> {
        let mut parameters = Vec::new();
        for parameter in raw.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            parameters.push((form_decoded(name)?, form_decoded(value)?));
        }
        Ok(Self(parameters))
    }

    /// The value of `name`; empty when it was sent without one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_ref())
    }

    /// Whether `name` was sent.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Names and values in the order sent.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// The names in the order sent.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }
}

fn form_decoded(text: &str) -> Result<Cow<'_, str>, Error> {
    if text.contains('+') {
        return decoded(&text.replace('+', " ")).map(|text| Cow::Owned(text.into_owned()));
    }
    decoded(text)
}

/// Decodes percent-encoding once, byte for byte; `InvalidURI` when it is broken or not UTF-8.
pub fn decoded(text: &str) -> Result<Cow<'_, str>, Error> {
    let invalid = || Error::new(ErrorCode::InvalidURI);
    let mut rest = text.as_bytes();
    while let Some(at) = memchr::memchr(b'%', rest) {
        let digits = rest.get(at + 1..at + 3).ok_or_else(invalid)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(invalid());
        }
        rest = &rest[at + 3..];
    }
    percent_decode_str(text).decode_utf8().map_err(|_| invalid())
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
