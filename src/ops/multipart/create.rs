//! CreateMultipartUpload (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>).

use crate::base::UploadId;
use crate::ops::Call;
use crate::ops::Error;
use crate::ops::object::Attributes;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::checksum::ChecksumType;
use crate::s3::error_code::ErrorCode;
use crate::s3::name::BucketName;
use crate::s3::name::ObjectKey;
use crate::store::records::Upload;

/// What to begin.
#[derive(Debug, Clone)]
pub struct Input {
    /// Where.
    pub bucket: BucketName,
    /// The key of the object to be.
    pub key: ObjectKey,
    /// Attributes of the object to be.
    pub attributes: Attributes,
    /// `x-amz-checksum-algorithm`.
    pub algorithm: Option<ChecksumAlgorithm>,
    /// `x-amz-checksum-type`.
    pub checksum_type: Option<ChecksumType>,
}

/// The upload.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its id.
    pub upload_id: UploadId,
    /// The checksum its parts will have, when the client asked for one.
    pub checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
}

/// Begins an upload.
pub async fn run(call: &Call<'_>, input: Input) -> Result<Output, Error> {
    let bucket = call.bucket(&input.bucket).await?;
    let checksum = checksum(input.algorithm, input.checksum_type)?;
    let new = call.new_object(input.attributes)?;
    let upload = Upload {
        id: call.store().new_upload_id(),
        key: input.key.as_str().to_owned(),
        initiated: call.service.clock.now(),
        owner: new.owner,
        headers: new.headers,
        user_metadata: new.user_metadata,
        storage_class: new.storage_class,
        checksum,
    };
    call.store().create_upload(&bucket, &upload).await?;
    Ok(Output { upload_id: upload.id, checksum })
}

fn checksum(
    algorithm: Option<ChecksumAlgorithm>,
    kind: Option<ChecksumType>,
) -> Result<Option<(ChecksumAlgorithm, ChecksumType)>, Error> {
    match (algorithm, kind) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Error::with(
            ErrorCode::InvalidRequest,
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
        )),
        (Some(algorithm), kind) => {
            let kind = kind.unwrap_or(algorithm.default_type());
            if !algorithm.allows(kind) {
                let (kind, algorithm) = (kind.name(), algorithm.name().to_lowercase());
                let message = format!(
                    "The {kind} checksum type cannot be used with the {algorithm} checksum algorithm."
                );
                return Err(Error::with(ErrorCode::InvalidRequest, message));
            }
            Ok(Some((algorithm, kind)))
        }
    }
}
