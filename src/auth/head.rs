//! The head of a request, as it arrived.

/// The head of a request as it arrived: nothing decoded, nothing added, nothing normalised.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The path, still percent-encoded, beginning with a slash.
    pub path: &'a str,
    /// The query, still percent-encoded, without the question mark; empty when there is none.
    pub query: &'a str,
    /// Names in lower case and raw values, in the order of the wire.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> RequestHead<'a> {
    /// The values of a header, in the order of the wire.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |(given, _)| *given == name).map(|(_, value)| *value)
    }

    /// The first value of a header.
    pub(crate) fn value(&self, name: &str) -> Option<&'a [u8]> {
        self.values(name).next()
    }
}
