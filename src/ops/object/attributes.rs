//! GetObjectAttributes (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html>).

use crate::ops::Call;
use crate::ops::Error;
use crate::s3::checksum::Checksum;
use crate::s3::name::BucketName;
use crate::s3::name::ObjectKey;
use crate::store::OpenError;
use crate::store::records::PartEntry;

use super::Facts;

/// What to look at.
#[derive(Debug, Clone)]
pub struct Input {
    /// Where.
    pub bucket: BucketName,
    /// Which object.
    pub key: ObjectKey,
    /// Whether the parts are wanted.
    pub with_parts: bool,
    /// `x-amz-max-parts`.
    pub max_parts: usize,
    /// `x-amz-part-number-marker`: begin behind this part.
    pub part_marker: u16,
}

/// One part.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its number.
    pub number: u16,
    /// Its length in bytes.
    pub size: u64,
    /// Its checksum.
    pub checksum: Option<Checksum>,
}

/// A page of the parts of a multipart object.
#[derive(Debug, Clone)]
pub struct Parts {
    /// How many the object has.
    pub total: usize,
    /// In order.
    pub page: Vec<Part>,
    /// Whether something lies behind.
    pub is_truncated: bool,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Output {
    /// The object.
    pub facts: Facts,
    /// Its parts, when it is a multipart object and they were wanted.
    pub parts: Option<Parts>,
}

/// Often enough for any object that is not overwritten all the time.
const ATTEMPTS_MAX: usize = 16;

/// Looks at an object and its parts.
pub async fn run(call: &Call<'_>, input: &Input) -> Result<Output, Error> {
    for _ in 0..ATTEMPTS_MAX {
        let (_, object) = call.object(&input.bucket, &input.key).await?;
        let facts = Facts::of(&object.record);
        if !input.with_parts || facts.parts_count.is_none() {
            return Ok(Output { facts, parts: None });
        }
        match call.store().parts_of(&object.record).await {
            Ok(entries) => {
                return Ok(Output { facts, parts: Some(page(&entries, input)) });
            }
            Err(OpenError::Changed) => {}
            Err(OpenError::Store(error)) => return Err(error.into()),
        }
    }
    Err(OpenError::Changed.into())
}

fn page(entries: &[PartEntry], input: &Input) -> Parts {
    // Parts of a finished object are counted from one, whatever numbers they were uploaded under.
    let behind = || (1_u16..).zip(entries).skip(usize::from(input.part_marker));
    let page: Vec<Part> = behind()
        .take(input.max_parts)
        .map(|(number, entry)| Part { number, size: entry.size, checksum: entry.checksum.clone() })
        .collect();
    Parts { total: entries.len(), is_truncated: behind().count() > page.len(), page }
}
