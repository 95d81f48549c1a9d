//! HeadBucket and GetBucketLocation: both tell where a bucket is
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html>).

use crate::base::Timestamp;
use crate::ops::Call;
use crate::ops::Error;
use crate::s3::name::BucketName;

/// What is known of a bucket.
#[derive(Debug, Clone)]
pub struct Output {
    /// The region it was created in.
    pub region: String,
    /// Canonical id of its owner.
    pub owner: String,
    /// When it was created.
    pub created: Timestamp,
}

/// Looks at a bucket.
pub async fn run(call: &Call<'_>, bucket: &BucketName) -> Result<Output, Error> {
    let bucket = call.bucket(bucket).await?;
    let record = &bucket.record;
    Ok(Output { region: record.region.clone(), owner: record.owner.clone(), created: record.created })
}
