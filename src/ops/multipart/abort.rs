//! AbortMultipartUpload (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>).

use crate::ops::Call;
use crate::ops::Error;

use super::Target;

/// Ends an upload and gives its parts back.
pub async fn run(call: &Call<'_>, target: &Target) -> Result<(), Error> {
    let open = call.open_upload(target).await?;
    match call.store().abort_upload(open.bucket.record.id, &target.key, &open.id).await? {
        true => Ok(()),
        false => Err(Error::no_such_upload(&target.upload_id)),
    }
}
