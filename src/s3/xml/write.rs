//! Writes the documents of replies straight into one buffer: a page of a thousand keys is one allocation.

use crate::base::Timestamp;
use crate::s3::date;

/// The namespace of S3's documents.
pub const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// A document under construction. Elements are closed by the caller in the reverse order of opening.
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// Begins a document whose root carries the S3 namespace.
    pub fn document(root: &str, capacity: usize) -> Self {
        let mut writer = Self::bare(capacity);
        writer.raw("<");
        writer.raw(root);
        writer.raw(" xmlns=\"");
        writer.raw(NAMESPACE);
        writer.raw("\">");
        writer
    }

    /// Begins a document with the XML declaration alone; error documents have no namespace.
    pub fn bare(capacity: usize) -> Self {
        let mut writer = Self { out: Vec::with_capacity(capacity) };
        writer.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        writer
    }

    /// Opens an element.
    pub fn open(&mut self, name: &str) -> &mut Self {
        self.raw("<");
        self.raw(name);
        self.raw(">");
        self
    }

    /// Opens an element with attributes that are already escaped, such as a namespace declaration.
    pub fn open_with(&mut self, name: &str, attributes: &str) -> &mut Self {
        self.raw("<");
        self.raw(name);
        self.raw(" ");
        self.raw(attributes);
        self.raw(">");
        self
    }

    /// Closes an element.
    pub fn close(&mut self, name: &str) -> &mut Self {
        self.raw("</");
        self.raw(name);
        self.raw(">");
        self
    }

    /// An element with text.
    pub fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.open(name);
        self.escaped(text);
        self.close(name)
    }

    /// Text directly inside the element that is open.
    pub fn content(&mut self, text: &str) -> &mut Self {
        self.escaped(text);
        self
    }

    /// An element with text, when there is any.
    pub fn optional(&mut self, name: &str, text: Option<&str>) -> &mut Self {
        if let Some(text) = text {
            self.text(name, text);
        }
        self
    }

    /// An element with a number.
    pub fn number(&mut self, name: &str, number: u64) -> &mut Self {
        self.open(name);
        self.raw(itoa::Buffer::new().format(number));
        self.close(name)
    }

    /// An element with `true` or `false`.
    pub fn boolean(&mut self, name: &str, value: bool) -> &mut Self {
        self.text(name, if value { "true" } else { "false" })
    }

    /// An element with a date.
    pub fn date(&mut self, name: &str, at: Timestamp) -> &mut Self {
        self.open(name);
        date::write_iso(at, &mut self.out);
        self.close(name)
    }

    /// An element with a quoted entity tag.
    pub fn etag(&mut self, name: &str, etag: &crate::s3::etag::ETag) -> &mut Self {
        use std::io::Write as _;
        self.open(name);
        // Writing to a vector cannot fail.
        let _ = write!(self.out, "&quot;{etag}&quot;");
        self.close(name)
    }

    /// The finished document.
    pub fn finish(mut self, root: &str) -> Vec<u8> {
        self.close(root);
        self.out
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Escapes what XML gives a meaning, and the control characters it cannot carry (as references, which is what
    /// S3 does; clients that may meet them ask for `encoding-type=url`).
    fn escaped(&mut self, text: &str) {
        let mut plain = 0;
        for (at, byte) in text.bytes().enumerate() {
            let escape = match byte {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                b'\r' => "&#13;",
                0..=8 | 11 | 12 | 14..=31 => {
                    self.out.extend_from_slice(&text.as_bytes()[plain..at]);
                    self.raw("&#x");
                    self.raw(&format!("{byte:x};"));
                    plain = at + 1;
                    continue;
                }
                _ => continue,
            };
            self.out.extend_from_slice(&text.as_bytes()[plain..at]);
            self.raw(escape);
            plain = at + 1;
        }
        self.out.extend_from_slice(&text.as_bytes()[plain..]);
    }
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
