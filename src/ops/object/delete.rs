//! DeleteObject (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>).

use crate::ops::Call;
use crate::ops::Error;
use crate::s3::condition::WriteConditions;
use crate::s3::name::BucketName;
use crate::s3::name::ObjectKey;
use crate::store::Bucket;

use super::check;

/// What to delete.
#[derive(Debug, Clone)]
pub struct Input {
    /// Where.
    pub bucket: BucketName,
    /// Which object.
    pub key: ObjectKey,
    /// `If-Match`.
    pub if_match: Option<String>,
}

/// Deletes an object. One that does not exist is deleted already.
pub async fn run(call: &Call<'_>, input: &Input) -> Result<(), Error> {
    let bucket = call.bucket(&input.bucket).await?;
    one(call, &bucket, &input.key, input.if_match.clone()).await
}

/// Deletes one object of a bucket, when its tag is the one named.
pub(super) async fn one(
    call: &Call<'_>,
    bucket: &Bucket,
    key: &ObjectKey,
    if_match: Option<String>,
) -> Result<(), Error> {
    let conditions = WriteConditions { if_match, if_none_match: None };
    let deleted = call.store().delete_object(bucket, key, |current| check(&conditions, key, current)).await;
    deleted.map(|_| ()).map_err(Error::from)
}
