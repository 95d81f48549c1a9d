//! Operations on multipart uploads, one file each
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>).

pub mod abort;
pub mod complete;
pub mod copy_part;
pub mod create;
pub mod list_parts;
pub mod list_uploads;
pub mod upload_part;

use std::sync::Arc;

use crate::base::UploadId;
use crate::ops::Call;
use crate::ops::Error;
use crate::s3::name::BucketName;
use crate::s3::name::ObjectKey;
use crate::store::Bucket;
use crate::store::NewObject;
use crate::store::PARTS_MAX;
use crate::store::records::BlobOwner;
use crate::store::records::Upload;

/// An upload as a request names it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where.
    pub bucket: BucketName,
    /// The key of the object to be.
    pub key: ObjectKey,
    /// `uploadId`, as sent.
    pub upload_id: String,
}

/// An upload that is open, and its bucket.
struct Open {
    bucket: Arc<Bucket>,
    id: UploadId,
    upload: Upload,
}

impl Call<'_> {
    /// The upload, or `NoSuchBucket`, or `NoSuchUpload`: also for an id that cannot be one.
    async fn open_upload(&self, target: &Target) -> Result<Open, Error> {
        let bucket = self.bucket(&target.bucket).await?;
        let missing = || Error::no_such_upload(&target.upload_id);
        let id: UploadId = target.upload_id.parse().map_err(|_| missing())?;
        let upload = self.store().upload(bucket.record.id, &target.key, &id).await?.ok_or_else(missing)?;
        Ok(Open { bucket, id, upload: upload.record })
    }

    /// What the part file of a part says about itself.
    fn part_owner(&self, open: &Open, key: &ObjectKey, number: u16) -> BlobOwner {
        let upload = &open.upload;
        let new = NewObject {
            headers: upload.headers.clone(),
            user_metadata: upload.user_metadata.clone(),
            storage_class: upload.storage_class.clone(),
            owner: upload.owner.clone(),
        };
        let owner = self.blob_owner(&open.bucket, key, &new);
        BlobOwner { part: Some((open.id, number)), begun: upload.initiated, ..owner }
    }
}

/// A part number between 1 and 10,000.
fn part_number(number: i64) -> Result<u16, Error> {
    match u16::try_from(number) {
        Ok(number @ 1..) if usize::from(number) <= PARTS_MAX => Ok(number),
        _ => Err(Error::invalid_argument(
            "partNumber",
            &number.to_string(),
            "Part number must be an integer between 1 and 10000, inclusive",
        )),
    }
}

#[cfg(test)]
#[path = "part_number_tests.rs"]
mod tests;
