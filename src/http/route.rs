//! Which operation a request means, and on what: method, host, path, query and one header in, a typed route out.
//!
//! Pure, and one table. A path is decoded once, byte for byte, into the key that is both authorized and stored:
//! `//`, `.` and `..` are parts of keys, never steps of a path.

use super::error::Error;
use super::query::Query;
use super::query::decoded;
use crate::s3::error_code::ErrorCode;
use crate::s3::name::BucketName;
use crate::s3::name::InvalidKey;
use crate::s3::name::KEY_BYTES_MAX;
use crate::s3::name::ObjectKey;
use crate::s3::operation::Operation;

/// What of a request decides where it goes.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// `Host`, perhaps with a port.
    pub host: Option<&'a str>,
    /// The path as sent, still encoded.
    pub path: &'a str,
    /// Whether `x-amz-copy-source` was sent.
    pub copies: bool,
}

/// What an operation works on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// The bucket; `None` for the service itself.
    pub bucket: Option<BucketName>,
    /// The object; `None` for the bucket itself.
    pub key: Option<ObjectKey>,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The operation meant.
    pub operation: Operation,
    /// What it works on.
    pub target: Target,
}

/// A sub-resource: what each method on `?name` means. `None` is 405.
struct SubResource {
    name: &'static str,
    get: Option<Operation>,
    put: Option<Operation>,
    post: Option<Operation>,
    delete: Option<Operation>,
}

/// One row a sub-resource: `name: get, put, post, delete`, `-` where there is no such operation.
macro_rules! sub_resources {
    ($table:ident { $($name:literal: $get:tt $put:tt $post:tt $delete:tt;)* }) => {
        const $table: &[SubResource] = &[$(SubResource {
            name: $name,
            get: sub_resources!(@ $get),
            put: sub_resources!(@ $put),
            post: sub_resources!(@ $post),
            delete: sub_resources!(@ $delete),
        },)*];
    };
    (@ -) => { None };
    (@ $operation:ident) => { Some(Operation::$operation) };
}

sub_resources! { OF_BUCKETS {
    // name                     GET                                PUT                                POST           DELETE
    "abac":                     BucketAbac                         BucketAbac                         -              -;
    "accelerate":               GetBucketAccelerateConfiguration   PutBucketAccelerateConfiguration   -              -;
    "acl":                      GetBucketAcl                       PutBucketAcl                       -              -;
    "analytics":                BucketAnalytics                    BucketAnalytics                    -              BucketAnalytics;
    "cors":                     GetBucketCors                      PutBucketCors                      -              DeleteBucketCors;
    "delete":                   -                                  -                                  DeleteObjects  -;
    "encryption":               GetBucketEncryption                PutBucketEncryption                -              DeleteBucketEncryption;
    "intelligent-tiering":      BucketIntelligentTiering           BucketIntelligentTiering           -              BucketIntelligentTiering;
    "inventory":                BucketInventory                    BucketInventory                    -              BucketInventory;
    "lifecycle":                GetBucketLifecycleConfiguration    PutBucketLifecycleConfiguration    -              DeleteBucketLifecycle;
    "location":                 GetBucketLocation                  -                                  -              -;
    "logging":                  GetBucketLogging                   PutBucketLogging                   -              -;
    "metadataConfiguration":    BucketMetadata                     -                                  BucketMetadata BucketMetadata;
    "metadataInventoryTable":   -                                  BucketMetadata                     -              -;
    "metadataJournalTable":     -                                  BucketMetadata                     -              -;
    "metadataTable":            BucketMetadata                     -                                  BucketMetadata BucketMetadata;
    "metrics":                  BucketMetrics                      BucketMetrics                      -              BucketMetrics;
    "notification":             GetBucketNotificationConfiguration PutBucketNotificationConfiguration -              -;
    "object-lock":              GetObjectLockConfiguration         PutObjectLockConfiguration         -              -;
    "ownershipControls":        GetBucketOwnershipControls         PutBucketOwnershipControls         -              DeleteBucketOwnershipControls;
    "policy":                   GetBucketPolicy                    PutBucketPolicy                    -              DeleteBucketPolicy;
    "policyStatus":             GetBucketPolicyStatus              -                                  -              -;
    "publicAccessBlock":        GetPublicAccessBlock               PutPublicAccessBlock               -              DeletePublicAccessBlock;
    "replication":              GetBucketReplication               PutBucketReplication               -              DeleteBucketReplication;
    "requestPayment":           GetBucketRequestPayment            PutBucketRequestPayment            -              -;
    "session":                  CreateSession                      -                                  -              -;
    "tagging":                  GetBucketTagging                   PutBucketTagging                   -              DeleteBucketTagging;
    "uploads":                  ListMultipartUploads               -                                  -              -;
    "versioning":               GetBucketVersioning                PutBucketVersioning                -              -;
    "versions":                 ListObjectVersions                 -                                  -              -;
    "website":                  GetBucketWebsite                   PutBucketWebsite                   -              DeleteBucketWebsite;
}}

sub_resources! { OF_OBJECTS {
    // name         GET                  PUT                    POST                    DELETE
    "acl":          GetObjectAcl         PutObjectAcl           -                       -;
    "annotation":   ObjectAnnotation     ObjectAnnotation       -                       ObjectAnnotation;
    "annotations":  ObjectAnnotation     -                      -                       -;
    "attributes":   GetObjectAttributes  -                      -                       -;
    "encryption":   -                    UpdateObjectEncryption -                       -;
    "legal-hold":   GetObjectLegalHold   PutObjectLegalHold     -                       -;
    "renameObject": -                    RenameObject           -                       -;
    "restore":      -                    -                      RestoreObject           -;
    "retention":    GetObjectRetention   PutObjectRetention     -                       -;
    "select":       -                    -                      SelectObjectContent     -;
    "tagging":      GetObjectTagging     PutObjectTagging       -                       DeleteObjectTagging;
    "torrent":      GetObjectTorrent     -                      -                       -;
    "uploadId":     ListParts            UploadPart             CompleteMultipartUpload AbortMultipartUpload;
    "uploads":      -                    -                      CreateMultipartUpload   -;
}}

/// Decides where a request goes. `domains` are those whose subdomains name buckets, in lower case.
pub fn route(line: &Line<'_>, query: &Query<'_>, domains: &[String]) -> Result<Route, Error> {
    let target = target(line, domains)?;
    let operation = match (&target.bucket, &target.key) {
        _ if line.method == "OPTIONS" => Operation::Preflight,
        (None, _) => of_service(line.method, query)?,
        (Some(_), None) => of_bucket(line.method, query)?,
        (Some(_), Some(_)) => of_object(line, query)?,
    };
    Ok(Route { operation, target })
}

fn of_service(method: &str, query: &Query<'_>) -> Result<Operation, Error> {
    if let Some(name) = query.names().find(|name| row(OF_BUCKETS, name).is_some()) {
        return Err(not_allowed(method, name));
    }
    match method {
        "POST" => Ok(Operation::Iam),
        "GET" if query.has("Action") => Ok(Operation::Iam),
        "GET" => Ok(Operation::ListBuckets),
        _ => Err(not_allowed(method, "SERVICE")),
    }
}

fn of_bucket(method: &str, query: &Query<'_>) -> Result<Operation, Error> {
    if let Some(operation) = of_sub_resource(method, query, OF_BUCKETS, OF_OBJECTS)? {
        return Ok(operation);
    }
    match method {
        "GET" => match query.get("list-type") {
            None => Ok(Operation::ListObjects),
            Some("2") => Ok(Operation::ListObjectsV2),
            Some(other) => {
                Err(Error::invalid_argument("list-type", other, "Invalid List Type specified in Request"))
            }
        },
        "HEAD" => Ok(Operation::HeadBucket),
        "PUT" => Ok(Operation::CreateBucket),
        "POST" => Ok(Operation::PostObject),
        "DELETE" => Ok(Operation::DeleteBucket),
        _ => Err(not_allowed(method, "BUCKET")),
    }
}

fn of_object(line: &Line<'_>, query: &Query<'_>) -> Result<Operation, Error> {
    let method = line.method;
    if method == "PUT" && query.has("partNumber") != query.has("uploadId") {
        let message = "partNumber and uploadId must be specified together";
        let (name, value) = match query.get("partNumber") {
            Some(number) => ("partNumber", number),
            None => ("uploadId", query.get("uploadId").unwrap_or_default()),
        };
        return Err(Error::invalid_argument(name, value, message));
    }
    if let Some(operation) = of_sub_resource(method, query, OF_OBJECTS, OF_BUCKETS)? {
        return Ok(match operation {
            Operation::UploadPart if line.copies => Operation::UploadPartCopy,
            operation => operation,
        });
    }
    match method {
        "GET" => Ok(Operation::GetObject),
        "HEAD" => Ok(Operation::HeadObject),
        "PUT" if line.copies => Ok(Operation::CopyObject),
        "PUT" => Ok(Operation::PutObject),
        "DELETE" => Ok(Operation::DeleteObject),
        _ => Err(not_allowed(method, "OBJECT")),
    }
}

/// The operation that a sub-resource makes of a request, if it names one. A sub-resource of `others` is known but
/// has no place here; what is in neither table is no sub-resource and of no consequence, as for AWS.
fn of_sub_resource(
    method: &str,
    query: &Query<'_>,
    table: &'static [SubResource],
    others: &'static [SubResource],
) -> Result<Option<Operation>, Error> {
    let mut found: Option<&SubResource> = None;
    for name in query.names() {
        match (row(table, name), found) {
            (Some(row), Some(first)) if row.name != first.name => {
                let message = format!("Conflicting query string parameters: {}, {}", first.name, row.name);
                return Err(Error::invalid_argument("ResourceType", first.name, message));
            }
            (Some(row), _) => found = Some(row),
            (None, _) if row(others, name).is_some() => return Err(not_allowed(method, name)),
            (None, _) => {}
        }
    }
    let Some(row) = found else { return Ok(None) };
    let operation = match method {
        "GET" => row.get,
        "PUT" => row.put,
        "POST" => row.post,
        "DELETE" => row.delete,
        _ => None,
    };
    operation.map(Some).ok_or_else(|| not_allowed(method, row.name))
}

fn row(table: &'static [SubResource], name: &str) -> Option<&'static SubResource> {
    table.iter().find(|row| row.name == name)
}

fn not_allowed(method: &str, resource: &str) -> Error {
    Error::new(ErrorCode::MethodNotAllowed)
        .element("Method", method)
        .element("ResourceType", resource.to_ascii_uppercase())
}

/// Bucket and key from host and path.
fn target(line: &Line<'_>, domains: &[String]) -> Result<Target, Error> {
    let path = line.path.strip_prefix('/').ok_or_else(|| Error::new(ErrorCode::InvalidURI))?;
    if let Some(bucket) = line.host.and_then(|host| bucket_of_host(host, domains)) {
        return Ok(Target { bucket: Some(bucket_name(&bucket)?), key: object_key(path)? });
    }
    if path.is_empty() {
        return Ok(Target::default());
    }
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    Ok(Target { bucket: Some(bucket_name(&decoded(bucket)?)?), key: object_key(key)? })
}

/// The bucket in `bucket.domain[:port]`; names of hosts have no case.
fn bucket_of_host(host: &str, domains: &[String]) -> Option<String> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    // The longest domain first: one may be a subdomain of another.
    let mut of: Option<&str> = None;
    for domain in domains {
        let bucket = name.strip_suffix(domain.as_str()).and_then(|rest| rest.strip_suffix('.'));
        if let Some(bucket) = bucket.filter(|bucket| !bucket.is_empty())
            && of.is_none_or(|longer| bucket.len() < longer.len())
        {
            of = Some(bucket);
        }
    }
    of.filter(|_| !domains.contains(&name)).map(str::to_owned)
}

/// The name of a bucket, or `InvalidBucketName`.
pub fn bucket_name(name: &str) -> Result<BucketName, Error> {
    BucketName::new(name).map_err(|_| Error::new(ErrorCode::InvalidBucketName).element("BucketName", name))
}

/// The key in an encoded path; `None` when it is empty.
fn object_key(path: &str) -> Result<Option<ObjectKey>, Error> {
    match ObjectKey::new(decoded(path)?) {
        Ok(key) => Ok(Some(key)),
        Err(InvalidKey::Empty) => Ok(None),
        Err(InvalidKey::TooLong) => Err(key_too_long(decoded(path)?.len())),
    }
}

/// `KeyTooLongError`, with the sizes that AWS tells.
pub fn key_too_long(size: usize) -> Error {
    Error::new(ErrorCode::KeyTooLongError)
        .element("Size", size.to_string())
        .element("MaxSizeAllowed", KEY_BYTES_MAX.to_string())
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
