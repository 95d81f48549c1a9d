//! What all listings share: names as the client asked for them, and the entries of objects.

use std::borrow::Cow;

use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::utf8_percent_encode;

use crate::s3::xml::write::Writer;
use crate::store::ListItem;
use crate::store::records::ObjectHead;

/// Everything but unreserved characters and the slash, as S3 encodes names for `encoding-type=url`.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'*');

/// How a listing writes names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// As they are, control characters as references.
    #[default]
    Plain,
    /// Percent-encoded, so that every XML parser can read them: `encoding-type=url`.
    Url,
}

impl Encoding {
    /// The name, as this encoding writes it.
    pub fn name<'a>(self, name: &'a str) -> Cow<'a, str> {
        match self {
            Self::Plain => name.into(),
            Self::Url => utf8_percent_encode(name, ENCODED).into(),
        }
    }

    /// An element with a name.
    pub fn write(self, writer: &mut Writer, element: &str, name: &str) {
        writer.text(element, &self.name(name));
    }

    /// An element with a name, when there is one.
    pub fn write_optional(self, writer: &mut Writer, element: &str, name: Option<&str>) {
        if let Some(name) = name {
            self.write(writer, element, name);
        }
    }

    /// `EncodingType`, when it was asked for.
    pub fn declare(self, writer: &mut Writer) {
        if self == Self::Url {
            writer.text("EncodingType", "url");
        }
    }
}

/// What an entry of an object tells beside key, date, tag and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryForm {
    /// The element: `Contents` or `Version`.
    pub element: &'static str,
    /// How its key is written.
    pub encoding: Encoding,
    /// Whether the owner is told.
    pub owner: bool,
}

/// The keys of a page, then its common prefixes, as S3 orders them.
pub fn write_items(writer: &mut Writer, items: &[ListItem], form: EntryForm) {
    for item in items {
        if let ListItem::Object(key, head) = item {
            write_entry(writer, key, head, form);
        }
    }
    for item in items {
        if let ListItem::CommonPrefix(prefix) = item {
            write_common_prefix(writer, prefix, form.encoding);
        }
    }
}

/// One common prefix.
pub fn write_common_prefix(writer: &mut Writer, prefix: &str, encoding: Encoding) {
    writer.open("CommonPrefixes");
    encoding.write(writer, "Prefix", prefix);
    writer.close("CommonPrefixes");
}

fn write_entry(writer: &mut Writer, key: &str, head: &ObjectHead, form: EntryForm) {
    writer.open(form.element);
    form.encoding.write(writer, "Key", key);
    if form.element == "Version" {
        writer.text("VersionId", "null").boolean("IsLatest", true);
    }
    writer.date("LastModified", head.modified).etag("ETag", &head.etag);
    if let Some((algorithm, kind)) = head.checksum {
        writer.text("ChecksumAlgorithm", algorithm.name()).text("ChecksumType", kind.name());
    }
    writer.number("Size", head.size);
    if form.owner {
        write_owner(writer, "Owner", &head.owner);
    }
    let class = if head.storage_class.is_empty() { "STANDARD" } else { head.storage_class.as_str() };
    writer.text("StorageClass", class).close(form.element);
}

/// The canonical id of an owner or initiator, which has no other name here.
pub fn write_owner(writer: &mut Writer, element: &str, id: &str) {
    writer.open(element).text("ID", id).text("DisplayName", id).close(element);
}
