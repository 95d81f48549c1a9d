//! DeleteObjects (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>).

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::ops::Call;
use crate::ops::Error;
use crate::s3::document::Delete;
use crate::s3::document::DeletedObject;
use crate::s3::error_code::ErrorCode;
use crate::s3::name::BucketName;
use crate::s3::name::InvalidKey;
use crate::s3::name::ObjectKey;
use crate::store::Bucket;

use super::delete;

/// Deletes under way at once: enough to share the syncs of the commit, few enough to leave room for others.
const AT_ONCE: usize = 128;

/// One line of the reply.
pub struct Line {
    /// What the request named.
    pub object: DeletedObject,
    /// Whether it is gone.
    pub result: Result<(), Error>,
}

/// Deletes every object named; the lines come in the order of the request.
pub async fn run(call: &Call<'_>, bucket: &BucketName, delete: Delete) -> Result<Vec<Line>, Error> {
    if let Some(condition) = delete.unknown_condition {
        return Err(Error::new(ErrorCode::NotImplemented).element("Parameter", condition));
    }
    let bucket = call.bucket(bucket).await?;
    let lines = stream::iter(delete.objects).map(|object| one(call, &bucket, object)).buffered(AT_ONCE);
    Ok(lines.collect().await)
}

async fn one(call: &Call<'_>, bucket: &Bucket, object: DeletedObject) -> Line {
    let result = match (ObjectKey::new(object.key.as_str()), object.version.as_deref()) {
        (Err(InvalidKey::TooLong), _) => Err(Error::new(ErrorCode::KeyTooLongError)),
        (Err(InvalidKey::Empty), _) => Err(Error::with(ErrorCode::MalformedXML, "A key may not be empty.")),
        // The null version is the only one there is while buckets are not versioned.
        (Ok(_), Some(version)) if version != "null" => Err(Error::new(ErrorCode::NoSuchVersion)),
        (Ok(key), _) => delete::one(call, bucket, &key, object.etag.clone()).await,
    };
    Line { object, result }
}
