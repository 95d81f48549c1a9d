//! GetObject (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>).

use std::ops::Range;

use crate::ops::Call;
use crate::ops::Error;
use crate::s3::checksum::Checksum;
use crate::s3::condition::Conditions;
use crate::s3::condition::Verdict;
use crate::s3::error_code::ErrorCode;
use crate::s3::name::BucketName;
use crate::s3::name::ObjectKey;
use crate::s3::range;
use crate::s3::range::Resolved;
use crate::store::Object;
use crate::store::ObjectReader;
use crate::store::OpenError;

use super::Facts;

/// Which bytes of the object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Selection {
    /// All of them.
    #[default]
    Whole,
    /// Those that a `Range` header names.
    Range(String),
    /// Those of one part: `partNumber`.
    Part(u16),
}

/// What to get.
#[derive(Debug, Clone)]
pub struct Input {
    /// Where.
    pub bucket: BucketName,
    /// Which object.
    pub key: ObjectKey,
    /// Which of its bytes.
    pub selection: Selection,
    /// `If-Match` and its kin.
    pub conditions: Conditions,
}

/// What was found.
pub enum Output {
    /// 304: the client has it already.
    NotModified(Box<Facts>),
    /// The bytes.
    Found(Box<Facts>, Selected, ObjectReader),
}

/// The bytes that a selection comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// They lie here.
    pub range: Range<u64>,
    /// Whether the reply is 206 with a `Content-Range`.
    pub is_partial: bool,
    /// The checksum of exactly these bytes: the part's, or the object's when they are all of it.
    pub checksum: Option<Checksum>,
}

/// Often enough for any object that is not overwritten all the time.
const ATTEMPTS_MAX: usize = 16;

/// Opens an object for reading. The bytes are those of one version, however often it is overwritten meanwhile.
pub async fn run(call: &Call<'_>, input: &Input) -> Result<Output, Error> {
    for _ in 0..ATTEMPTS_MAX {
        let (bucket, object) = call.object(&input.bucket, &input.key).await?;
        let Some(selected) = evaluate(call, &object, &input.conditions, &input.selection).await? else {
            return Ok(Output::NotModified(Box::new(Facts::of(&object.record))));
        };
        match call.store().open(bucket.record.id, &input.key, &object, selected.range.clone()).await {
            Ok(reader) => {
                return Ok(Output::Found(Box::new(Facts::of(&object.record)), selected, reader));
            }
            Err(OpenError::Changed) => {}
            Err(OpenError::Store(error)) => return Err(error.into()),
        }
    }
    Err(OpenError::Changed.into())
}

/// Conditions first, then the selection, as S3 does; `None` for not modified.
pub(super) async fn evaluate(
    call: &Call<'_>,
    object: &Object,
    conditions: &Conditions,
    selection: &Selection,
) -> Result<Option<Selected>, Error> {
    let head = &object.record.head;
    match conditions.read(&head.etag, head.modified) {
        Verdict::Holds => {}
        Verdict::NotModified => return Ok(None),
        Verdict::Failed(condition) => return Err(Error::precondition(condition)),
    }
    select(call, object, selection).await.map(Some)
}

async fn select(call: &Call<'_>, object: &Object, selection: &Selection) -> Result<Selected, Error> {
    let size = object.record.head.size;
    match selection {
        Selection::Whole => Ok(run_of(object, 0..size, false)),
        Selection::Range(header) => match range::resolve(header, size) {
            Resolved::Whole => Ok(run_of(object, 0..size, false)),
            Resolved::Part(range) => Ok(run_of(object, range, true)),
            Resolved::Unsatisfiable => Err(Error::new(ErrorCode::InvalidRange)
                .element("RangeRequested", header.as_str())
                .element("ActualObjectSize", size.to_string())),
        },
        Selection::Part(number) => part(call, object, *number).await,
    }
}

/// A run of bytes of no particular part. A checksum of the whole says nothing of less.
fn run_of(object: &Object, range: Range<u64>, is_partial: bool) -> Selected {
    let is_whole = range == (0..object.record.head.size);
    let checksum = object.record.body.checksum.as_ref().filter(|_| is_whole);
    Selected { range, is_partial, checksum: checksum.map(|checksum| checksum.checksum.clone()) }
}

/// Where a part lies. An object written in one piece is its own part 1; those of a finished multipart object are
/// counted from one, whatever numbers they were uploaded under.
async fn part(call: &Call<'_>, object: &Object, number: u16) -> Result<Selected, Error> {
    if object.record.body.layout.parts_count().is_none() {
        let size = object.record.head.size;
        return if number == 1 { Ok(run_of(object, 0..size, true)) } else { Err(no_such_part(number, 1)) };
    }
    let parts = call.store().parts_of(&object.record).await?;
    let index = usize::from(number).wrapping_sub(1);
    let part = parts.get(index).ok_or_else(|| no_such_part(number, parts.len()))?;
    let begin: u64 = parts.iter().take(index).map(|part| part.size).sum();
    Ok(Selected { range: begin..begin + part.size, is_partial: true, checksum: part.checksum.clone() })
}

fn no_such_part(number: u16, count: usize) -> Error {
    Error::with(ErrorCode::InvalidPart, "The requested part does not exist.")
        .element("PartNumberRequested", number.to_string())
        .element("ActualPartCount", count.to_string())
}
