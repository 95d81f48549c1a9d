//! ListMultipartUploads (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>).

use crate::base::UploadId;
use crate::ops::Call;
use crate::ops::Error;
use crate::s3::name::BucketName;
use crate::store::UploadPage;
use crate::store::UploadQuery;

/// The most uploads and prefixes in one page.
pub const MAX_UPLOADS: usize = 1000;

/// What to list.
#[derive(Debug, Clone)]
pub struct Input {
    /// Where.
    pub bucket: BucketName,
    /// Keys that begin with this.
    pub prefix: String,
    /// Roll up what lies behind it.
    pub delimiter: Option<String>,
    /// `key-marker`.
    pub key_marker: Option<String>,
    /// `upload-id-marker`; counts only beside a key marker.
    pub upload_id_marker: Option<String>,
    /// Uploads and prefixes in the page, at most [`MAX_UPLOADS`].
    pub max_uploads: usize,
}

/// Lists a page of the uploads in progress.
pub async fn run(call: &Call<'_>, input: &Input) -> Result<UploadPage, Error> {
    let bucket = call.bucket(&input.bucket).await?;
    let limit = input.max_uploads.min(MAX_UPLOADS);
    if limit == 0 {
        return Ok(UploadPage::default());
    }
    let query = UploadQuery {
        prefix: input.prefix.clone(),
        delimiter: input.delimiter.clone(),
        key_marker: input.key_marker.clone(),
        upload_marker: upload_marker(input)?,
        limit,
    };
    Ok(call.store().list_uploads(bucket.record.id, query).await?)
}

fn upload_marker(input: &Input) -> Result<Option<UploadId>, Error> {
    let (Some(_), Some(text)) = (&input.key_marker, &input.upload_id_marker) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(id) => Ok(Some(id)),
        Err(_) => Err(Error::invalid_argument("upload-id-marker", text, "Invalid uploadId marker")),
    }
}
