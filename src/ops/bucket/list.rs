//! ListBuckets (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>).

use crate::base::Timestamp;
use crate::ops::Call;
use crate::ops::Error;
use crate::ops::object::token;
use crate::s3::error_code::ErrorCode;

/// The most buckets in one page; also what is given when the caller names no number.
pub const MAX_BUCKETS: usize = 10_000;

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// Names that begin with this.
    pub prefix: Option<String>,
    /// `continuation-token`, as an earlier page gave it.
    pub token: Option<String>,
    /// 1 to [`MAX_BUCKETS`]; `None` for all in pages of that size.
    pub max_buckets: Option<usize>,
    /// Only buckets of this region.
    pub region: Option<String>,
}

/// One bucket of a page.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// When it was created.
    pub created: Timestamp,
    /// The region it was created in.
    pub region: String,
}

/// A page of buckets.
#[derive(Debug, Clone)]
pub struct Output {
    /// Canonical id of the caller, who owns them.
    pub owner: String,
    /// In the order of their names.
    pub buckets: Vec<Entry>,
    /// Where the next page begins; `None` when this is the last.
    pub next_token: Option<String>,
    /// The prefix that was asked for.
    pub prefix: Option<String>,
}

/// Buckets read in one step while those of other regions are passed over.
const BATCH: usize = 1000;

/// Lists the caller's buckets.
pub async fn run(call: &Call<'_>, input: Input) -> Result<Output, Error> {
    let limit = input.max_buckets.unwrap_or(MAX_BUCKETS).min(MAX_BUCKETS);
    let invalid = || Error::with(ErrorCode::InvalidArgument, "The continuation token provided is incorrect");
    let mut after = match &input.token {
        Some(text) => Some(token::decode(text).ok_or_else(invalid)?),
        None => None,
    };
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let mut buckets: Vec<Entry> = Vec::new();
    loop {
        let (rows, more) = call.store().list_buckets(after.as_deref(), prefix, BATCH).await?;
        after = rows.last().map(|row| row.name.clone());
        for row in rows {
            if input.region.as_ref().is_some_and(|region| *region != row.region) {
                continue;
            }
            if buckets.len() == limit {
                let next_token = buckets.last().map(|last| token::encode(&last.name));
                return Ok(Output { owner: call.owner(), buckets, next_token, prefix: input.prefix });
            }
            buckets.push(Entry { name: row.name, created: row.created, region: row.region });
        }
        if !more {
            return Ok(Output { owner: call.owner(), buckets, next_token: None, prefix: input.prefix });
        }
    }
}
