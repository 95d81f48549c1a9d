//! ListObjectsV2 (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>).

use crate::ops::Call;
use crate::ops::Error;
use crate::s3::error_code::ErrorCode;
use crate::store::ListItem;

use super::list;
use super::token;

/// What to list.
#[derive(Debug, Clone)]
pub struct Input {
    /// As the first version; its marker is `start-after`.
    pub base: list::Input,
    /// `continuation-token`; wins over `start-after`.
    pub token: Option<String>,
}

/// A page.
#[derive(Debug, Clone)]
pub struct Output {
    /// Keys and common prefixes in the order of their bytes.
    pub items: Vec<ListItem>,
    /// Whether something lies behind.
    pub is_truncated: bool,
    /// Where the next page begins.
    pub next_token: Option<String>,
}

/// Lists a page.
pub async fn run(call: &Call<'_>, input: &Input) -> Result<Output, Error> {
    let incorrect =
        || Error::with(ErrorCode::InvalidArgument, "The continuation token provided is incorrect");
    // An empty token begins at the beginning, as none does.
    let after = match input.token.as_deref() {
        Some(text) if !text.is_empty() => Some(token::decode(text).ok_or_else(incorrect)?),
        _ => (!input.base.marker.is_empty()).then(|| input.base.marker.clone()),
    };
    let page = list::page(call, &input.base, after).await?;
    let next_token = page.next_marker.map(|last| token::encode(&last));
    Ok(Output { items: page.items, is_truncated: page.is_truncated, next_token })
}
