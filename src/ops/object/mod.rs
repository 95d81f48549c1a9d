//! Operations on objects, one file each, and what they share: the facts of an object and its new attributes.

pub mod attributes;
pub mod copy;
pub mod delete;
pub mod delete_many;
pub mod get;
pub mod head;
pub mod list;
pub mod list_v2;
pub mod put;
pub mod token;

use crate::base::Timestamp;
use crate::ops::Call;
use crate::ops::Error;
use crate::s3::checksum::ObjectChecksum;
use crate::s3::condition::WriteConditions;
use crate::s3::error_code::ErrorCode;
use crate::s3::etag::ETag;
use crate::s3::name::BucketName;
use crate::s3::name::ObjectKey;
use crate::store::Bucket;
use crate::store::NewObject;
use crate::store::Object;
use crate::store::records;
use crate::store::records::BlobOwner;
use crate::store::records::ObjectHead;

pub use crate::store::records::ContentHeaders;

/// The largest object in bytes: 5 TiB
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
pub const OBJECT_BYTES_MAX: u64 = 5 << 40;

/// The largest body of one request, and so of one part, in bytes: 5 GiB.
pub const BODY_BYTES_MAX: u64 = 5 << 30;

/// What a client says about a new object beside its bytes.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    /// `Content-Type` and its kin.
    pub headers: ContentHeaders,
    /// `x-amz-meta-…`: names in lower case without the prefix, in the order sent.
    pub user_metadata: Vec<(String, String)>,
    /// `x-amz-storage-class`; `None` for `STANDARD`.
    pub storage_class: Option<String>,
}

/// What a client may know about an object beside its bytes.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Length in bytes.
    pub size: u64,
    /// Entity tag.
    pub etag: ETag,
    /// When it was written.
    pub modified: Timestamp,
    /// `Content-Type` and its kin.
    pub headers: ContentHeaders,
    /// `x-amz-meta-…`: names without the prefix.
    pub user_metadata: Vec<(String, String)>,
    /// Its storage class; `None` for `STANDARD`.
    pub storage_class: Option<String>,
    /// Its checksum.
    pub checksum: Option<ObjectChecksum>,
    /// Number of parts of a multipart object.
    pub parts_count: Option<usize>,
}

impl Facts {
    fn of(object: &records::Object) -> Self {
        let (head, body) = (&object.head, &object.body);
        Self {
            size: head.size,
            etag: head.etag,
            modified: head.modified,
            headers: body.headers.clone(),
            user_metadata: body.user_metadata.clone(),
            storage_class: (!head.storage_class.is_empty()).then(|| head.storage_class.clone()),
            checksum: body.checksum.clone(),
            parts_count: body.layout.parts_count(),
        }
    }
}

/// The classes a client may name. They are kept and echoed; every object is kept the same way and can be read at
/// once.
const STORAGE_CLASSES: [&str; 8] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "GLACIER_IR",
    "DEEP_ARCHIVE",
];

/// The class as rows keep it: empty for `STANDARD`.
fn storage_class(named: Option<&str>) -> Result<String, Error> {
    match named {
        None | Some("STANDARD") => Ok(String::new()),
        Some(class) if STORAGE_CLASSES.contains(&class) => Ok(class.to_owned()),
        Some(class) => {
            Err(Error::new(ErrorCode::InvalidStorageClass).element("StorageClassRequested", class))
        }
    }
}

impl Call<'_> {
    /// The attributes as the store takes them, owned by the caller.
    pub(super) fn new_object(&self, attributes: Attributes) -> Result<NewObject, Error> {
        Ok(NewObject {
            storage_class: storage_class(attributes.storage_class.as_deref())?,
            headers: attributes.headers,
            user_metadata: attributes.user_metadata,
            owner: self.owner(),
        })
    }

    /// What a part file of this object says about itself.
    pub(super) fn blob_owner(&self, bucket: &Bucket, key: &ObjectKey, new: &NewObject) -> BlobOwner {
        BlobOwner {
            bucket: bucket.record.id,
            bucket_name: bucket.record.name.clone(),
            key: key.as_str().to_owned(),
            part: None,
            begun: self.service.clock.now(),
            owner: new.owner.clone(),
            headers: new.headers.clone(),
            user_metadata: new.user_metadata.clone(),
            storage_class: new.storage_class.clone(),
            checksum: None,
        }
    }

    /// The current object under a key, or `NoSuchBucket`, or `NoSuchKey`.
    pub(super) async fn object(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
    ) -> Result<(std::sync::Arc<Bucket>, Object), Error> {
        let bucket = self.bucket(bucket).await?;
        match self.store().object(bucket.record.id, key).await? {
            Some(object) => Ok((bucket, object)),
            None => Err(Error::no_such_key(key.as_str())),
        }
    }

    /// Refuses a conditional write that cannot succeed before its body is read. The commit decides again.
    async fn check_early(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        conditions: &WriteConditions,
    ) -> Result<(), Error> {
        if conditions.is_empty() {
            return Ok(());
        }
        let current = self.store().object(bucket.record.id, key).await?;
        check(conditions, key, current.as_ref().map(|current| &current.record.head))
    }
}

/// Decides a conditional write over what is there now.
pub(super) fn check(
    conditions: &WriteConditions,
    key: &ObjectKey,
    current: Option<&ObjectHead>,
) -> Result<(), Error> {
    let refused = |refusal| Error::write_refusal(refusal, key.as_str());
    conditions.write(current.map(|head| &head.etag)).map_err(refused)
}
