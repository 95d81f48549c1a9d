//! The operation that was asked for, with its input read and its reply written: one line each, in one exhaustive
//! match. What we do not have is named here too, and answers 501.

use super::body::document::DOCUMENT_BYTES_MAX;
use super::body::document::LIST_BYTES_MAX;
use super::error::Error;
use super::extract;
use super::extract::bucket_of;
use super::extract::key_of;
use super::extract::not_implemented;
use super::incoming::Incoming;
use super::reply;
use super::reply::Reply;
use super::request::Request;
use super::route::Route;
use crate::auth::Payload;
use crate::ops::Call;
use crate::ops::bucket;
use crate::ops::multipart;
use crate::ops::object;
use crate::s3::document;
use crate::s3::error_code::ErrorCode;
use crate::s3::operation::Operation;
use crate::store::ByteSource as _;

use actix_web::http::StatusCode;

/// A request that was authenticated and allowed.
pub struct Admitted<'a> {
    /// Its head.
    pub request: &'a Request<'a>,
    /// What it means.
    pub route: &'a Route,
    /// That it may.
    pub call: Call<'a>,
    /// Whether somebody signed it.
    pub is_signed: bool,
    /// What the signature says about the body.
    pub payload: Payload,
}

/// Does what was asked.
#[rustfmt::skip] // One table: an operation a line, those we lack packed.
pub async fn dispatch(admitted: Admitted<'_>, incoming: &mut Incoming) -> Result<Reply, Error> {
    use Operation as O;
    let operation = admitted.route.operation;
    match operation {
        O::ListBuckets => list_buckets(&admitted).await,
        O::CreateBucket => create_bucket(admitted, incoming).await,
        O::HeadBucket => head_bucket(&admitted).await,
        O::DeleteBucket => delete_bucket(&admitted).await,
        O::GetBucketLocation => bucket_location(&admitted).await,
        O::ListObjects => list_objects(&admitted).await,
        O::ListObjectsV2 => list_objects_v2(&admitted).await,
        O::ListObjectVersions => list_object_versions(&admitted).await,
        O::PutObject => put_object(admitted, incoming).await,
        O::GetObject => get_object(&admitted).await,
        O::HeadObject => head_object(&admitted).await,
        O::DeleteObject => delete_object(&admitted).await,
        O::DeleteObjects => delete_objects(admitted, incoming).await,
        O::CopyObject => copy_object(&admitted).await,
        O::GetObjectAttributes => object_attributes(&admitted).await,
        O::CreateMultipartUpload => create_upload(&admitted).await,
        O::UploadPart => upload_part(admitted, incoming).await,
        O::UploadPartCopy => copy_part(&admitted).await,
        O::CompleteMultipartUpload => complete_upload(admitted, incoming).await,
        O::AbortMultipartUpload => abort_upload(&admitted).await,
        O::ListParts => list_parts(&admitted).await,
        O::ListMultipartUploads => list_uploads(&admitted).await,

        O::GetBucketVersioning | O::GetBucketAcl | O::GetBucketPolicy | O::GetBucketPolicyStatus
        | O::GetPublicAccessBlock | O::GetBucketOwnershipControls | O::GetBucketCors | O::GetBucketEncryption
        | O::GetBucketLifecycleConfiguration | O::GetBucketTagging | O::GetBucketWebsite | O::GetBucketLogging
        | O::GetBucketNotificationConfiguration | O::GetBucketReplication | O::GetBucketRequestPayment
        | O::GetBucketAccelerateConfiguration | O::GetObjectLockConfiguration => probe_bucket(&admitted).await,

        O::GetObjectAcl | O::GetObjectTagging | O::GetObjectRetention
        | O::GetObjectLegalHold => probe_object(&admitted).await,

        // A form says in itself who signed it, so `pipeline` takes it another way.
        O::PostObject
        | O::PutBucketVersioning | O::PutBucketAcl | O::PutBucketPolicy | O::DeleteBucketPolicy
        | O::PutPublicAccessBlock | O::DeletePublicAccessBlock | O::PutBucketOwnershipControls
        | O::DeleteBucketOwnershipControls | O::PutBucketCors | O::DeleteBucketCors | O::PutBucketEncryption
        | O::DeleteBucketEncryption | O::PutBucketLifecycleConfiguration | O::DeleteBucketLifecycle
        | O::PutBucketTagging | O::DeleteBucketTagging | O::PutBucketWebsite | O::DeleteBucketWebsite
        | O::PutBucketLogging | O::PutBucketNotificationConfiguration | O::PutBucketReplication
        | O::DeleteBucketReplication | O::PutBucketRequestPayment | O::PutBucketAccelerateConfiguration
        | O::PutObjectLockConfiguration | O::BucketAnalytics | O::BucketIntelligentTiering | O::BucketInventory
        | O::BucketMetrics | O::BucketMetadata | O::BucketAbac | O::CreateSession | O::PutObjectAcl
        | O::PutObjectTagging | O::DeleteObjectTagging | O::PutObjectRetention | O::PutObjectLegalHold
        | O::GetObjectTorrent | O::RestoreObject | O::SelectObjectContent | O::RenameObject | O::ObjectAnnotation
        | O::UpdateObjectEncryption | O::Preflight | O::Iam => Err(not_implemented("Operation", operation.name())),
    }
}

async fn list_buckets(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let input = extract::bucket::list(admitted.request)?;
    Ok(reply::bucket::list(&bucket::list::run(&admitted.call, input).await?))
}

async fn create_bucket(admitted: Admitted<'_>, incoming: &mut Incoming) -> Result<Reply, Error> {
    let Admitted { request, route, call, payload, .. } = admitted;
    let document = incoming.document(request, payload, DOCUMENT_BYTES_MAX).await?;
    let input = extract::bucket::create(&route.target, &document)?;
    Ok(reply::bucket::create(&bucket::create::run(&call, input).await?))
}

async fn head_bucket(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let name = bucket_of(&admitted.route.target)?;
    Ok(reply::bucket::head(&bucket::head::run(&admitted.call, &name).await?))
}

async fn delete_bucket(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    bucket::delete::run(&admitted.call, &bucket_of(&admitted.route.target)?).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

async fn bucket_location(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let name = bucket_of(&admitted.route.target)?;
    Ok(reply::bucket::location(&bucket::head::run(&admitted.call, &name).await?))
}

async fn list_objects(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let (input, form) = extract::bucket::objects(admitted.request, &admitted.route.target)?;
    Ok(reply::bucket::objects(&object::list::run(&admitted.call, &input).await?, &input, form))
}

async fn list_objects_v2(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let (input, form) = extract::bucket::objects_v2(admitted.request, &admitted.route.target)?;
    Ok(reply::bucket::objects_v2(&object::list_v2::run(&admitted.call, &input).await?, &input, form))
}

/// No bucket has been versioned yet, so its objects are its versions.
async fn list_object_versions(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let (input, encoding) = extract::bucket::versions(admitted.request, &admitted.route.target)?;
    let output = object::list::run(&admitted.call, &input).await?;
    let marker = admitted.request.query.get("version-id-marker");
    Ok(reply::bucket::versions(&output, &input, marker, encoding))
}

async fn put_object(admitted: Admitted<'_>, incoming: &mut Incoming) -> Result<Reply, Error> {
    let Admitted { request, route, call, payload, .. } = admitted;
    let input = extract::object::put(request, &route.target)?;
    let body = incoming.body(request, payload)?;
    Ok(reply::object::put(&object::put::run(&call, input, body).await?))
}

async fn get_object(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let (input, wish) = extract::object::get(admitted.request, &admitted.route.target, admitted.is_signed)?;
    Ok(reply::object::get(object::get::run(&admitted.call, &input).await?, &wish))
}

async fn head_object(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let (input, wish) = extract::object::get(admitted.request, &admitted.route.target, admitted.is_signed)?;
    Ok(reply::object::head(&object::head::run(&admitted.call, &input).await?, &wish))
}

async fn delete_object(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let input = extract::object::delete(admitted.request, &admitted.route.target)?;
    object::delete::run(&admitted.call, &input).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

async fn delete_objects(admitted: Admitted<'_>, incoming: &mut Incoming) -> Result<Reply, Error> {
    let Admitted { request, route, call, payload, .. } = admitted;
    let bucket = bucket_of(&route.target)?;
    let body = incoming.body(request, payload)?;
    let promises = body.promises();
    if promises.md5.is_none() && promises.algorithm.is_none() {
        let message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
        return Err(Error::with(ErrorCode::InvalidRequest, message));
    }
    let text = super::body::document::read(body, LIST_BYTES_MAX).await?;
    let delete = document::delete(&text)?;
    let quiet = delete.quiet;
    Ok(reply::object::delete_many(&object::delete_many::run(&call, &bucket, delete).await?, quiet))
}

async fn copy_object(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let input = extract::object::copy(admitted.request, &admitted.route.target)?;
    Ok(reply::object::copy(&object::copy::run(&admitted.call, &input).await?))
}

async fn object_attributes(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let (input, wanted) = extract::object::attributes(admitted.request, &admitted.route.target)?;
    let output = object::attributes::run(&admitted.call, &input).await?;
    Ok(reply::object::attributes(&output, &input, wanted))
}

async fn create_upload(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let target = &admitted.route.target;
    let input = extract::multipart::create(admitted.request, target)?;
    Ok(reply::multipart::create(&multipart::create::run(&admitted.call, input).await?, target))
}

async fn upload_part(admitted: Admitted<'_>, incoming: &mut Incoming) -> Result<Reply, Error> {
    let Admitted { request, route, call, payload, .. } = admitted;
    let body = incoming.body(request, payload)?;
    let input = extract::multipart::upload_part(request, &route.target, body.promises().algorithm)?;
    Ok(reply::multipart::upload_part(&multipart::upload_part::run(&call, input, body).await?))
}

async fn copy_part(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let input = extract::multipart::copy_part(admitted.request, &admitted.route.target)?;
    Ok(reply::multipart::copy_part(&multipart::copy_part::run(&admitted.call, &input).await?))
}

async fn complete_upload(admitted: Admitted<'_>, incoming: &mut Incoming) -> Result<Reply, Error> {
    let Admitted { request, route, call, payload, .. } = admitted;
    let document = incoming.list_of_parts(request, payload).await?;
    let input = extract::multipart::complete(request, &route.target, &document)?;
    let output = multipart::complete::run(&call, &input).await?;
    Ok(reply::multipart::complete(&output, &route.target, &request.url()))
}

async fn abort_upload(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let target = extract::multipart::target(admitted.request, &admitted.route.target)?;
    multipart::abort::run(&admitted.call, &target).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

async fn list_parts(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let target = &admitted.route.target;
    let input = extract::multipart::list_parts(admitted.request, target)?;
    let output = multipart::list_parts::run(&admitted.call, &input).await?;
    Ok(reply::multipart::list_parts(&output, &input, target))
}

async fn list_uploads(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let (input, encoding) = extract::multipart::list_uploads(admitted.request, &admitted.route.target)?;
    let page = multipart::list_uploads::run(&admitted.call, &input).await?;
    Ok(reply::multipart::list_uploads(&page, &input, encoding))
}

/// `NoSuchBucket` first: only a bucket that is there has no configuration.
async fn probe_bucket(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let found = bucket::head::run(&admitted.call, &bucket_of(&admitted.route.target)?).await?;
    let operation = admitted.route.operation;
    reply::probe::of_bucket(operation, &found.owner)
        .unwrap_or_else(|| Err(not_implemented("Operation", operation.name())))
}

/// `NoSuchBucket` and `NoSuchKey` first.
async fn probe_object(admitted: &Admitted<'_>) -> Result<Reply, Error> {
    let operation = admitted.route.operation;
    let input = object::get::Input {
        bucket: bucket_of(&admitted.route.target)?,
        key: key_of(&admitted.route.target)?,
        selection: object::get::Selection::default(),
        conditions: crate::s3::condition::Conditions::default(),
    };
    object::head::run(&admitted.call, &input).await?;
    reply::probe::of_object(operation, admitted.call.granted.canonical_id())
        .unwrap_or_else(|| Err(not_implemented("Operation", operation.name())))
}
