//! Replies about what a bucket or an object could have and has not: clients ask for these before they use a bucket,
//! and the answer "there is none" is the truth.

use crate::ops::Error;
use crate::s3::error_code::ErrorCode;
use crate::s3::operation::Operation;
use crate::s3::xml::write::Writer;

use super::Reply;
use super::list::write_owner;

/// What a bucket that has no such configuration answers. `None` when the operation is no question of this kind.
pub fn of_bucket(operation: Operation, owner: &str) -> Option<Result<Reply, Error>> {
    let empty = |root: &str| Some(Ok(Reply::document(Writer::document(root, 256).finish(root))));
    let none = |code: ErrorCode| Some(Err(Error::new(code)));
    match operation {
        Operation::GetBucketVersioning => empty("VersioningConfiguration"),
        Operation::GetBucketLogging => empty("BucketLoggingStatus"),
        Operation::GetBucketNotificationConfiguration => empty("NotificationConfiguration"),
        Operation::GetBucketAccelerateConfiguration => empty("AccelerateConfiguration"),
        Operation::GetBucketRequestPayment => Some(Ok(request_payment())),
        Operation::GetBucketAcl => Some(Ok(acl(owner))),
        Operation::GetBucketPolicy | Operation::GetBucketPolicyStatus => none(ErrorCode::NoSuchBucketPolicy),
        Operation::GetPublicAccessBlock => none(ErrorCode::NoSuchPublicAccessBlockConfiguration),
        Operation::GetBucketOwnershipControls => none(ErrorCode::OwnershipControlsNotFoundError),
        Operation::GetBucketCors => none(ErrorCode::NoSuchCORSConfiguration),
        Operation::GetBucketEncryption => none(ErrorCode::ServerSideEncryptionConfigurationNotFoundError),
        Operation::GetBucketLifecycleConfiguration => none(ErrorCode::NoSuchLifecycleConfiguration),
        Operation::GetBucketTagging => none(ErrorCode::NoSuchTagSet),
        Operation::GetBucketWebsite => none(ErrorCode::NoSuchWebsiteConfiguration),
        Operation::GetBucketReplication => none(ErrorCode::ReplicationConfigurationNotFoundError),
        Operation::GetObjectLockConfiguration => none(ErrorCode::ObjectLockConfigurationNotFoundError),
        _ => None,
    }
}

/// What an object that has no such thing answers. `None` when the operation is no question of this kind.
pub fn of_object(operation: Operation, owner: &str) -> Option<Result<Reply, Error>> {
    match operation {
        Operation::GetObjectAcl => Some(Ok(acl(owner))),
        Operation::GetObjectTagging => Some(Ok(tagging())),
        Operation::GetObjectRetention | Operation::GetObjectLegalHold => {
            let message = "Bucket is missing Object Lock Configuration";
            Some(Err(Error::with(ErrorCode::InvalidRequest, message)))
        }
        _ => None,
    }
}

fn request_payment() -> Reply {
    let mut writer = Writer::document("RequestPaymentConfiguration", 256);
    writer.text("Payer", "BucketOwner");
    Reply::document(writer.finish("RequestPaymentConfiguration"))
}

fn tagging() -> Reply {
    let mut writer = Writer::document("Tagging", 256);
    writer.open("TagSet").close("TagSet");
    Reply::document(writer.finish("Tagging"))
}

/// The owner has full control and nobody else any.
fn acl(owner: &str) -> Reply {
    let mut writer = Writer::document("AccessControlPolicy", 1024);
    write_owner(&mut writer, "Owner", owner);
    writer.open("AccessControlList").open("Grant");
    let instance = "http://www.w3.org/2001/XMLSchema-instance";
    writer.open_with("Grantee", &format!("xmlns:xsi=\"{instance}\" xsi:type=\"CanonicalUser\""));
    writer.text("ID", owner).text("DisplayName", owner).close("Grantee");
    writer.text("Permission", "FULL_CONTROL").close("Grant").close("AccessControlList");
    Reply::document(writer.finish("AccessControlPolicy"))
}
