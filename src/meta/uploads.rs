//! Listing the uploads in progress of a bucket, by key and then by upload id.

use super::Error;
use super::Reader;
use super::codec;
use super::keys;
use super::list::common_prefix;
use super::records::Upload;
use crate::base::BucketId;
use crate::base::UploadId;

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct UploadQuery {
    /// Keys that begin with this.
    pub prefix: String,
    /// Keys that have it behind the prefix are rolled up to it.
    pub delimiter: Option<String>,
    /// Begin behind the uploads of this key …
    pub key_marker: Option<String>,
    /// … or, of that key, behind this upload.
    pub upload_marker: Option<UploadId>,
    /// Uploads and common prefixes together.
    pub limit: usize,
}

/// A page of uploads.
#[derive(Debug, Clone, Default)]
pub struct UploadPage {
    /// By key, then by upload id.
    pub uploads: Vec<Upload>,
    /// In order.
    pub common_prefixes: Vec<String>,
    /// The last key or prefix of the page, and the last upload when it was one.
    pub last: Option<(String, Option<UploadId>)>,
    /// Whether something lies behind.
    pub truncated: bool,
}

impl Reader {
    /// A page of the uploads of a bucket that are open.
    pub fn list_uploads(&self, bucket: BucketId, query: &UploadQuery) -> Result<UploadPage, Error> {
        let start = keys::open_uploads_from(bucket, &query.prefix);
        let mut cursor = self.cursor(&start)?;
        cursor.seek(self.first(bucket, query, start.bytes()));
        let mut page = UploadPage::default();
        while let Some((bytes, row)) = cursor.item() {
            if page.uploads.len() + page.common_prefixes.len() == query.limit {
                page.truncated = true;
                break;
            }
            let key = keys::Key::from_parts(keys::Family::Upload, bytes.to_vec());
            let upload = codec::decode::<Upload>(&key, row)?.record;
            if let Some(prefix) = common_prefix(&upload.key, &query.prefix, query.delimiter.as_deref()) {
                page.last = Some((prefix.to_owned(), None));
                page.common_prefixes.push(prefix.to_owned());
                match keys::successor(keys::open_uploads_from(bucket, prefix).bytes()) {
                    Some(next) => cursor.seek(next),
                    None => break,
                }
            } else {
                page.last = Some((upload.key.clone(), Some(upload.id)));
                page.uploads.push(upload);
                cursor.next();
            }
        }
        cursor.status().map_err(|error| Error::rocksdb("list", start.describe(), &error))?;
        Ok(page)
    }

    fn first(&self, bucket: BucketId, query: &UploadQuery, start: &[u8]) -> Vec<u8> {
        let Some(marker) = query.key_marker.as_deref() else {
            return start.to_vec();
        };
        let rolled_up = common_prefix(marker, &query.prefix, query.delimiter.as_deref()) == Some(marker);
        let behind = match (query.upload_marker, rolled_up) {
            (Some(id), _) => [keys::open_upload(bucket, marker, &id).bytes(), &[0]].concat(),
            (None, true) => {
                keys::successor(keys::open_uploads_from(bucket, marker).bytes()).unwrap_or_default()
            }
            (None, false) => keys::open_uploads_behind(bucket, marker).bytes().to_vec(),
        };
        behind.max(start.to_vec())
    }
}
