//! ListObjects, the first version (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html>).

use crate::ops::Call;
use crate::ops::Error;
use crate::s3::name::BucketName;
use crate::store::ListItem;
use crate::store::ListQuery;

/// The most keys and prefixes in one page.
pub const MAX_KEYS: usize = 1000;

/// What to list.
#[derive(Debug, Clone)]
pub struct Input {
    /// Where.
    pub bucket: BucketName,
    /// Keys that begin with this.
    pub prefix: String,
    /// Roll up what lies behind it.
    pub delimiter: Option<String>,
    /// Begin behind this key or common prefix.
    pub marker: String,
    /// Keys and prefixes in the page, at most [`MAX_KEYS`].
    pub max_keys: usize,
}

/// A page.
#[derive(Debug, Clone)]
pub struct Output {
    /// Keys and common prefixes in the order of their bytes.
    pub items: Vec<ListItem>,
    /// Whether something lies behind.
    pub is_truncated: bool,
    /// The last key or prefix, when something lies behind.
    pub next_marker: Option<String>,
}

/// Lists a page.
pub async fn run(call: &Call<'_>, input: &Input) -> Result<Output, Error> {
    let after = (!input.marker.is_empty()).then(|| input.marker.clone());
    page(call, input, after).await
}

/// A page that begins behind `after`. A page of no keys is never truncated, as on AWS.
pub(super) async fn page(call: &Call<'_>, input: &Input, after: Option<String>) -> Result<Output, Error> {
    let bucket = call.bucket(&input.bucket).await?;
    let limit = input.max_keys.min(MAX_KEYS);
    if limit == 0 {
        return Ok(Output { items: Vec::new(), is_truncated: false, next_marker: None });
    }
    let query = ListQuery { prefix: input.prefix.clone(), delimiter: input.delimiter.clone(), after, limit };
    let page = call.store().list_objects(bucket.record.id, query).await?;
    let next_marker = page.truncated.then(|| page.items.last().map(|item| item.name().to_owned())).flatten();
    Ok(Output { items: page.items, is_truncated: page.truncated, next_marker })
}
