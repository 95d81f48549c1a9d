//! HeadObject (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>): GetObject without the bytes.

use crate::ops::Call;
use crate::ops::Error;

use super::Facts;
use super::get;
use super::get::Input;
use super::get::Selected;

/// What was found.
pub enum Output {
    /// 304: the client has it already.
    NotModified(Box<Facts>),
    /// What GetObject would send.
    Found(Box<Facts>, Selected),
}

/// Looks at an object.
pub async fn run(call: &Call<'_>, input: &Input) -> Result<Output, Error> {
    let (_, object) = call.object(&input.bucket, &input.key).await?;
    let selected = get::evaluate(call, &object, &input.conditions, &input.selection).await?;
    let facts = Box::new(Facts::of(&object.record));
    Ok(match selected {
        Some(selected) => Output::Found(facts, selected),
        None => Output::NotModified(facts),
    })
}
