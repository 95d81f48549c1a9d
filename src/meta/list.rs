//! Listing a bucket: a range scan that seeks over common prefixes, so that a page costs the same wherever it begins
//! and however many keys lie under a prefix.

use super::Error;
use super::Reader;
use super::codec;
use super::keys;
use super::records::Object;
use super::records::ObjectHead;
use crate::base::BucketId;

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Keys that begin with this.
    pub prefix: String,
    /// Keys that have it behind the prefix are rolled up to it.
    pub delimiter: Option<String>,
    /// Begin behind this key; when it is itself a common prefix, behind everything under it.
    pub after: Option<String>,
    /// Keys and common prefixes together.
    pub limit: usize,
}

/// One line of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListItem {
    /// An object.
    Object(String, ObjectHead),
    /// At least one object lies under this prefix.
    CommonPrefix(String),
}

impl ListItem {
    /// The key or prefix; where the next page begins behind.
    pub fn name(&self) -> &str {
        match self {
            Self::Object(key, _) => key,
            Self::CommonPrefix(prefix) => prefix,
        }
    }
}

/// A page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPage {
    /// In the order of their names' bytes.
    pub items: Vec<ListItem>,
    /// Whether something lies behind.
    pub truncated: bool,
}

/// The common prefix that `key` is rolled up to, if any.
pub(super) fn common_prefix<'a>(key: &'a str, prefix: &str, delimiter: Option<&str>) -> Option<&'a str> {
    let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty())?;
    let rest = key.get(prefix.len()..)?;
    let at = rest.find(delimiter)?;
    Some(&key[..prefix.len() + at + delimiter.len()])
}

impl Reader {
    /// A page of the bucket's current objects.
    pub fn list(&self, bucket: BucketId, query: &ListQuery) -> Result<ListPage, Error> {
        let start = keys::current(bucket, &query.prefix);
        let mut cursor = self.cursor(&start)?;
        match query.after.as_deref().filter(|after| *after >= query.prefix.as_str()) {
            Some(after) => cursor.seek(behind(bucket, after, query)),
            None => cursor.seek(start.bytes()),
        }
        let mut page = ListPage::default();
        while let Some((bytes, row)) = cursor.item() {
            if page.items.len() == query.limit {
                page.truncated = true;
                break;
            }
            let key = std::str::from_utf8(&bytes[8..])
                .map_err(|_| Error::corrupt(start.describe(), "a key is not UTF-8"))?;
            if let Some(prefix) = common_prefix(key, &query.prefix, query.delimiter.as_deref()) {
                let prefix = prefix.to_owned();
                let next = keys::successor(keys::current(bucket, &prefix).bytes());
                page.items.push(ListItem::CommonPrefix(prefix));
                match next {
                    Some(next) => cursor.seek(next),
                    None => break,
                }
            } else {
                let row_key = keys::Key::from_parts(keys::Family::Current, bytes.to_vec());
                let (_, record) = codec::split::<Object>(&row_key, row)?;
                let (head, _) = postcard::take_from_bytes::<ObjectHead>(record)
                    .map_err(|_| Error::corrupt(row_key.describe(), "the head of an object"))?;
                page.items.push(ListItem::Object(key.to_owned(), head));
                cursor.next();
            }
        }
        cursor.status().map_err(|error| Error::rocksdb("list", start.describe(), &error))?;
        Ok(page)
    }
}

/// Where a page behind `after` begins.
fn behind(bucket: BucketId, after: &str, query: &ListQuery) -> Vec<u8> {
    let key = keys::current(bucket, after);
    let rolled_up = common_prefix(after, &query.prefix, query.delimiter.as_deref()) == Some(after);
    match keys::successor(key.bytes()) {
        Some(next) if rolled_up => next,
        _ => [key.bytes(), &[0]].concat(),
    }
}
