//! The head of a request, as the later stages read it.

use std::borrow::Cow;

use actix_web::HttpRequest;

use super::error::Error;
use super::query::Query;

/// The head of a request: what was sent, not yet interpreted.
pub struct Request<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The path, still encoded.
    pub path: &'a str,
    /// The query as sent, without the question mark.
    pub raw_query: &'a str,
    /// The query, taken apart.
    pub query: Query<'a>,
    /// Names in lower case, values as sent.
    pub headers: Vec<(&'a str, &'a [u8])>,
    /// Parameters of a presigned URL that stand for headers, in the same form.
    pub hoisted: Vec<(String, String)>,
}

/// Parameters that sign a URL; every other `x-amz-` one of it stands for the header of its name.
const SIGNING: [&str; 7] = [
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];

impl<'a> Request<'a> {
    /// Reads the head that actix parsed. A query that cannot be decoded is `InvalidURI`.
    pub fn new(request: &'a HttpRequest) -> Result<Self, Error> {
        let raw_query = request.uri().query().unwrap_or_default();
        let query = Query::parse(raw_query)?;
        Ok(Self {
            method: request.method().as_str(),
            path: request.uri().path(),
            raw_query,
            hoisted: hoisted(&query),
            query,
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_bytes()))
                .collect(),
        })
    }

    /// The first value of a header, as sent.
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.values(name).next()
    }

    /// The names of all headers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| *name).chain(self.hoisted.iter().map(|(name, _)| name.as_str()))
    }

    /// All values of a header, as sent.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let sent = self.headers.iter().filter(move |(given, _)| *given == name).map(|(_, value)| *value);
        let hoisted = self.hoisted.iter().filter(move |(given, _)| given == name);
        sent.chain(hoisted.map(|(_, value)| value.as_bytes()))
    }

    /// Whether a header was sent.
    pub fn has(&self, name: &str) -> bool {
        self.bytes(name).is_some()
    }

    /// A header whose value is text of the protocol, without surrounding white space. One that came twice is refused.
    pub fn text(&self, name: &'static str) -> Result<Option<&str>, Error> {
        let mut values = self.values(name);
        let Some(value) = values.next() else { return Ok(None) };
        // The signature covers all of them: to obey one alone would do what nobody signed.
        if values.next().is_some() {
            return Err(Error::invalid_argument(name, &latin1(value), "The header was sent more than once"));
        }
        match std::str::from_utf8(value) {
            Ok(text) => Ok(Some(text.trim())),
            Err(_) => Err(Error::invalid_argument(name, &latin1(value), "The header is not valid UTF-8")),
        }
    }

    /// All values of a header that is kept and given back, as one text of a `char` per byte.
    pub fn kept(&self, name: &str) -> Option<String> {
        let mut values = self.values(name);
        let mut text = latin1(values.next()?).into_owned();
        for more in values {
            text.push(',');
            text.push_str(&latin1(more));
        }
        Some(text)
    }

    /// All headers, with values that are no UTF-8 read as ISO 8859-1; `None` when there are none of those.
    pub fn headers_as_utf8(&self) -> Option<Vec<(&'a str, Cow<'a, str>)>> {
        let is_text = |value: &[u8]| std::str::from_utf8(value).is_ok();
        if self.headers.iter().all(|(_, value)| is_text(value)) {
            return None;
        }
        let text = |value: &'a [u8]| std::str::from_utf8(value).map_or_else(|_| latin1(value), Cow::Borrowed);
        Some(self.headers.iter().map(|(name, value)| (*name, text(value))).collect())
    }

    /// The URL that was asked for, without its query.
    pub fn url(&self) -> String {
        let host = self.bytes("host").map(latin1).unwrap_or_default();
        format!("http://{host}{}", self.path)
    }

    /// A parameter that must be a number from `min` on; one that is empty counts as absent.
    pub fn number(&self, name: &'static str, min: i64) -> Result<Option<u64>, Error> {
        let Some(text) = self.query.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        number(name, text, min).map(Some)
    }
}

/// Presigners of some SDKs move headers into the query, where the signature covers them
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>).
fn hoisted(query: &Query<'_>) -> Vec<(String, String)> {
    if !query.names().any(|name| name.eq_ignore_ascii_case("x-amz-signature")) {
        return Vec::new();
    }
    let parameters = query.parameters().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    let is_header = |name: &str| name.starts_with("x-amz-") && !SIGNING.contains(&name);
    parameters.filter(|(name, _)| is_header(name)).collect()
}

/// Reads a number from `min` to the largest that AWS takes, 2^31 - 1.
pub fn number(name: &'static str, text: &str, min: i64) -> Result<u64, Error> {
    match text.parse::<i64>() {
        Ok(number) if (min..=i64::from(i32::MAX)).contains(&number) => Ok(number.unsigned_abs()),
        Ok(_) => {
            let message = format!("Argument {name} must be an integer between {min} and {}", i32::MAX);
            Err(Error::invalid_argument(name, text, message))
        }
        Err(_) => Err(Error::invalid_argument(
            name,
            text,
            format!("Provided {name} not an integer or within integer range"),
        )),
    }
}

/// Bytes of a header as text of a `char` per byte (ISO 8859-1): whatever encoding a client uses, it gets the same
/// bytes back.
pub fn latin1(bytes: &[u8]) -> Cow<'_, str> {
    match bytes.is_ascii() {
        true => String::from_utf8_lossy(bytes),
        false => bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into(),
    }
}

/// The bytes behind a text that [`latin1`] made.
pub fn latin1_bytes(text: &str) -> Cow<'_, [u8]> {
    match text.is_ascii() {
        true => text.as_bytes().into(),
        false => {
            let byte = |c: char| u8::try_from(u32::from(c)).unwrap_or(b'?');
            text.chars().map(byte).collect::<Vec<u8>>().into()
        }
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
