//! UploadPart (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>).

use crate::ops::Call;
use crate::ops::Error;
use crate::ops::object::BODY_BYTES_MAX;
use crate::s3::checksum::Checksum;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::error_code::ErrorCode;
use crate::s3::etag::ETag;
use crate::store::ByteSource;
use crate::store::PutPart;
use crate::store::StagePlan;
use crate::store::Staged;

use super::Open;
use super::Target;
use super::part_number;

/// What to upload.
#[derive(Debug, Clone)]
pub struct Input {
    /// The upload.
    pub target: Target,
    /// `partNumber`.
    pub number: i64,
    /// The checksum the body announces, if any.
    pub algorithm: Option<ChecksumAlgorithm>,
}

/// The part.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its entity tag.
    pub etag: ETag,
    /// Its checksum.
    pub checksum: Checksum,
}

/// Takes the body and makes it the part of this number.
pub async fn run(call: &Call<'_>, input: Input, body: &mut dyn ByteSource) -> Result<Output, Error> {
    let number = part_number(input.number)?;
    let open = call.open_upload(&input.target).await?;
    let algorithm = algorithm(&open, input.algorithm)?;
    let owner = call.part_owner(&open, &input.target.key, number);
    let plan = StagePlan { max_bytes: BODY_BYTES_MAX, algorithm, owner };
    let staged = call.store().stage(body, plan).await?;
    let (etag, checksum) = (ETag::plain(staged.digests.md5), staged.digests.checksum.clone());
    commit(call, &open, &input.target, number, staged).await?;
    Ok(Output { etag, checksum })
}

/// The upload's algorithm, which the part must not contradict; the part's own when the upload named none.
fn algorithm(open: &Open, sent: Option<ChecksumAlgorithm>) -> Result<Option<ChecksumAlgorithm>, Error> {
    match (open.upload.checksum, sent) {
        (Some((of_upload, _)), Some(sent)) if of_upload != sent => {
            let message = format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                of_upload.name().to_lowercase(),
                sent.name().to_lowercase()
            );
            Err(Error::with(ErrorCode::InvalidRequest, message))
        }
        (Some((of_upload, _)), _) => Ok(Some(of_upload)),
        (None, sent) => Ok(sent),
    }
}

/// Makes staged bytes the part.
pub(super) async fn commit(
    call: &Call<'_>,
    open: &Open,
    target: &Target,
    number: u16,
    staged: Staged,
) -> Result<crate::base::Timestamp, Error> {
    match call.store().put_part(open.bucket.record.id, &target.key, &open.id, number, staged).await? {
        PutPart::Done { modified } => Ok(modified),
        PutPart::NoSuchUpload => Err(Error::no_such_upload(&target.upload_id)),
    }
}
