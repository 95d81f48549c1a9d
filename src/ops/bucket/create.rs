//! CreateBucket (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>).

use std::collections::BTreeMap;

use crate::ops::Call;
use crate::ops::Error;
use crate::s3::error_code::ErrorCode;
use crate::s3::name::BucketName;
use crate::store::records;

/// What to create.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name.
    pub bucket: BucketName,
    /// `LocationConstraint`, when one was sent.
    pub location: Option<String>,
}

/// The new bucket.
#[derive(Debug, Clone)]
pub struct Output {
    /// Where it is, for the `Location` header.
    pub location: String,
}

/// Longer than the name of any region.
const LOCATION_BYTES_MAX: usize = 64;

/// Creates a bucket that belongs to the caller.
pub async fn run(call: &Call<'_>, input: Input) -> Result<Output, Error> {
    let region = region(call, input.location)?;
    let record = records::Bucket {
        id: call.store().new_bucket_id(),
        name: input.bucket.as_str().to_owned(),
        created: call.service.clock.now(),
        owner: call.owner(),
        region,
        documents: BTreeMap::new(),
    };
    match call.store().create_bucket(record).await? {
        Ok(()) => Ok(Output { location: format!("/{}", input.bucket) }),
        Err(existing) => {
            let is_own = existing.record.owner == call.granted.canonical_id();
            // The oldest region answers as it always has.
            if is_own && existing.record.region == "us-east-1" {
                return Ok(Output { location: format!("/{}", input.bucket) });
            }
            let code = match is_own {
                true => ErrorCode::BucketAlreadyOwnedByYou,
                false => ErrorCode::BucketAlreadyExists,
            };
            Err(Error::new(code).element("BucketName", input.bucket.as_str()))
        }
    }
}

/// The region the bucket will say it is in.
fn region(call: &Call<'_>, location: Option<String>) -> Result<String, Error> {
    let settings = &call.service.settings;
    let Some(location) = location else {
        return Ok(settings.region.clone());
    };
    let well_formed = location.len() <= LOCATION_BYTES_MAX
        && location.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !well_formed {
        return Err(Error::new(ErrorCode::InvalidLocationConstraint).element("LocationConstraint", location));
    }
    if location != settings.region && !settings.any_region {
        let message = format!(
            "The {location} location constraint is incompatible for the region specific endpoint this request was \
             sent to."
        );
        return Err(Error::with(ErrorCode::IllegalLocationConstraintException, message));
    }
    Ok(location)
}
