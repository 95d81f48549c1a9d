//! ListObjectsV2, page after page, over and over.

use std::fmt::Write as _;
use std::rc::Rc;

use memchr::memmem;
use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::utf8_percent_encode;

use super::Field;
use crate::cli::bench::client::Body;
use crate::cli::bench::client::Call;
use crate::cli::bench::client::Connection;
use crate::cli::bench::client::Failure;
use crate::cli::bench::client::Keep;

/// What Signature Version 4 leaves as it is.
pub(super) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Lists the prepared objects and counts them.
pub struct List {
    field: Rc<Field>,
    bucket_path: String,
    prefix: String,
    token: Option<String>,
    seen: u64,
}

impl List {
    pub(super) fn new(field: &Rc<Field>) -> Self {
        let bucket_path = format!("/{}", field.bucket);
        let prefix = field.workload.prefix();
        Self { field: Rc::clone(field), bucket_path, prefix, token: None, seen: 0 }
    }

    pub(super) async fn step(&mut self, connection: &mut Connection) -> Result<u64, Failure> {
        let page = list_page(connection, &self.bucket_path, &self.prefix, self.token.as_deref()).await;
        if page.is_err() {
            self.token = None;
            self.seen = 0;
        }
        let page = page?;
        self.seen += page.keys;
        self.token = page.next;
        if self.token.is_none() {
            let seen = std::mem::take(&mut self.seen);
            if seen != self.field.workload.objects {
                return Err(Failure::Wrong("number of keys in the listing"));
            }
        }
        Ok(page.bytes)
    }
}

/// A page of a listing.
struct Page {
    keys: u64,
    /// Length of the document.
    bytes: u64,
    /// Asks for the next page; `None` when this is the last.
    next: Option<String>,
}

/// Asks for up to 1,000 keys that begin with `prefix`.
async fn list_page(
    connection: &mut Connection,
    bucket_path: &str,
    prefix: &str,
    token: Option<&str>,
) -> Result<Page, Failure> {
    let mut query = String::new();
    if let Some(token) = token {
        let _ = write!(query, "continuation-token={}&", utf8_percent_encode(token, ENCODED));
    }
    let _ = write!(query, "list-type=2&max-keys=1000&prefix={}", utf8_percent_encode(prefix, ENCODED));
    let call = Call { method: "GET", path: bucket_path, query: &query, body: Body::Empty, keep: Keep::Body };
    let reply = connection.send(&call).await?;
    let document = connection.body();
    let truncated = memmem::find(document, b"<IsTruncated>true</IsTruncated>").is_some();
    let next = match truncated {
        true => {
            Some(text_of(document, "NextContinuationToken").ok_or(Failure::Wrong("no continuation token"))?)
        }
        false => None,
    };
    let keys = memmem::find_iter(document, b"<Key>").count() as u64;
    Ok(Page { keys, bytes: reply.body_bytes, next })
}

/// The text of the first element of this name. Scanned for, not parsed: a page has thousands of elements, and the
/// client's time is the server's on a shared machine.
fn text_of(document: &[u8], name: &str) -> Option<String> {
    let open = format!("<{name}>");
    let start = memmem::find(document, open.as_bytes())? + open.len();
    let length = memmem::find(&document[start..], b"</")?;
    let element =
        [open.as_bytes(), &document[start..start + length], format!("</{name}>").as_bytes()].concat();
    Some(crate::s3::xml::read::parse(&element).ok()?.text)
}
