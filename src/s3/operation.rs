//! Every operation of S3 that has a place on the wire: its name, the permission it needs, whether we do it.

macro_rules! operations {
    ($($operation:ident $action:literal;)*) => {
        /// An operation of S3 (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Operation {
            $(#[doc = concat!("`", stringify!($operation), "`, permitted by `", $action, "`.")] $operation,)*
        }

        impl Operation {
            /// Every operation, in the order of the table.
            pub const ALL: &[Operation] = &[$(Operation::$operation,)*];

            /// The name in AWS's documentation, and in our logs and metrics.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$operation => stringify!($operation),)* }
            }

            /// The IAM action that permits it
            /// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>).
            pub const fn action(self) -> &'static str {
                match self { $(Self::$operation => $action,)* }
            }
        }
    };
}

operations! {
    ListBuckets "s3:ListAllMyBuckets";
    CreateBucket "s3:CreateBucket";
    HeadBucket "s3:ListBucket";
    DeleteBucket "s3:DeleteBucket";
    GetBucketLocation "s3:GetBucketLocation";
    ListObjects "s3:ListBucket";
    ListObjectsV2 "s3:ListBucket";
    ListObjectVersions "s3:ListBucketVersions";
    PutObject "s3:PutObject";
    PostObject "s3:PutObject";
    GetObject "s3:GetObject";
    HeadObject "s3:GetObject";
    DeleteObject "s3:DeleteObject";
    DeleteObjects "s3:DeleteObject";
    CopyObject "s3:PutObject";
    GetObjectAttributes "s3:GetObjectAttributes";
    CreateMultipartUpload "s3:PutObject";
    UploadPart "s3:PutObject";
    UploadPartCopy "s3:PutObject";
    CompleteMultipartUpload "s3:PutObject";
    AbortMultipartUpload "s3:AbortMultipartUpload";
    ListParts "s3:ListMultipartUploadParts";
    ListMultipartUploads "s3:ListBucketMultipartUploads";
    GetBucketVersioning "s3:GetBucketVersioning";
    PutBucketVersioning "s3:PutBucketVersioning";
    GetBucketAcl "s3:GetBucketAcl";
    PutBucketAcl "s3:PutBucketAcl";
    GetBucketPolicy "s3:GetBucketPolicy";
    PutBucketPolicy "s3:PutBucketPolicy";
    DeleteBucketPolicy "s3:DeleteBucketPolicy";
    GetBucketPolicyStatus "s3:GetBucketPolicyStatus";
    GetPublicAccessBlock "s3:GetBucketPublicAccessBlock";
    PutPublicAccessBlock "s3:PutBucketPublicAccessBlock";
    DeletePublicAccessBlock "s3:PutBucketPublicAccessBlock";
    GetBucketOwnershipControls "s3:GetBucketOwnershipControls";
    PutBucketOwnershipControls "s3:PutBucketOwnershipControls";
    DeleteBucketOwnershipControls "s3:PutBucketOwnershipControls";
    GetBucketCors "s3:GetBucketCORS";
    PutBucketCors "s3:PutBucketCORS";
    DeleteBucketCors "s3:PutBucketCORS";
    GetBucketEncryption "s3:GetEncryptionConfiguration";
    PutBucketEncryption "s3:PutEncryptionConfiguration";
    DeleteBucketEncryption "s3:PutEncryptionConfiguration";
    GetBucketLifecycleConfiguration "s3:GetLifecycleConfiguration";
    PutBucketLifecycleConfiguration "s3:PutLifecycleConfiguration";
    DeleteBucketLifecycle "s3:PutLifecycleConfiguration";
    GetBucketTagging "s3:GetBucketTagging";
    PutBucketTagging "s3:PutBucketTagging";
    DeleteBucketTagging "s3:PutBucketTagging";
    GetBucketWebsite "s3:GetBucketWebsite";
    PutBucketWebsite "s3:PutBucketWebsite";
    DeleteBucketWebsite "s3:DeleteBucketWebsite";
    GetBucketLogging "s3:GetBucketLogging";
    PutBucketLogging "s3:PutBucketLogging";
    GetBucketNotificationConfiguration "s3:GetBucketNotification";
    PutBucketNotificationConfiguration "s3:PutBucketNotification";
    GetBucketReplication "s3:GetReplicationConfiguration";
    PutBucketReplication "s3:PutReplicationConfiguration";
    DeleteBucketReplication "s3:PutReplicationConfiguration";
    GetBucketRequestPayment "s3:GetBucketRequestPayment";
    PutBucketRequestPayment "s3:PutBucketRequestPayment";
    GetBucketAccelerateConfiguration "s3:GetAccelerateConfiguration";
    PutBucketAccelerateConfiguration "s3:PutAccelerateConfiguration";
    GetObjectLockConfiguration "s3:GetBucketObjectLockConfiguration";
    PutObjectLockConfiguration "s3:PutBucketObjectLockConfiguration";
    BucketAnalytics "s3:PutAnalyticsConfiguration";
    BucketIntelligentTiering "s3:PutIntelligentTieringConfiguration";
    BucketInventory "s3:PutInventoryConfiguration";
    BucketMetrics "s3:PutMetricsConfiguration";
    BucketMetadata "s3:CreateBucketMetadataTableConfiguration";
    BucketAbac "s3:PutBucketAbac";
    CreateSession "s3express:CreateSession";
    GetObjectAcl "s3:GetObjectAcl";
    PutObjectAcl "s3:PutObjectAcl";
    GetObjectTagging "s3:GetObjectTagging";
    PutObjectTagging "s3:PutObjectTagging";
    DeleteObjectTagging "s3:DeleteObjectTagging";
    GetObjectRetention "s3:GetObjectRetention";
    PutObjectRetention "s3:PutObjectRetention";
    GetObjectLegalHold "s3:GetObjectLegalHold";
    PutObjectLegalHold "s3:PutObjectLegalHold";
    GetObjectTorrent "s3:GetObjectTorrent";
    RestoreObject "s3:RestoreObject";
    SelectObjectContent "s3:GetObject";
    RenameObject "s3:RenameObject";
    ObjectAnnotation "s3:PutObjectAnnotation";
    UpdateObjectEncryption "s3:UpdateObjectEncryption";
    Preflight "s3:Preflight";
    Iam "iam:*";
}
