//! DeleteBucket (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html>).

use crate::ops::Call;
use crate::ops::Error;
use crate::s3::error_code::ErrorCode;
use crate::s3::name::BucketName;
use crate::store::DeleteBucket;

/// Deletes an empty bucket.
pub async fn run(call: &Call<'_>, bucket: &BucketName) -> Result<(), Error> {
    match call.store().delete_bucket(bucket).await? {
        DeleteBucket::Deleted => Ok(()),
        DeleteBucket::NoSuchBucket => Err(Error::no_such_bucket(bucket.as_str())),
        DeleteBucket::NotEmpty => {
            Err(Error::new(ErrorCode::BucketNotEmpty).element("BucketName", bucket.as_str()))
        }
    }
}
