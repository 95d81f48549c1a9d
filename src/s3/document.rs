//! The documents of requests, as typed values.

use super::checksum::Checksum;
use super::checksum::ChecksumAlgorithm;
use super::xml::read::Element;
use super::xml::read::Malformed;
use super::xml::read::parse;

/// One part named by CompleteMultipartUpload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedPart {
    /// Part number as sent; the operation checks its bounds.
    pub number: i64,
    /// Entity tag as sent, with or without quotes.
    pub etag: String,
    /// The checksum the client remembers of it.
    pub checksum: Option<Checksum>,
}

/// Reads `CompleteMultipartUpload`
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>). An upload of no parts is malformed.
pub fn complete_multipart_upload(document: &[u8]) -> Result<Vec<CompletedPart>, Malformed> {
    let root = parse(document)?;
    if root.name != "CompleteMultipartUpload" {
        return Err(Malformed);
    }
    let parts: Vec<CompletedPart> = root.all("Part").map(completed_part).collect::<Result<_, _>>()?;
    if parts.is_empty() { Err(Malformed) } else { Ok(parts) }
}

fn completed_part(part: &Element) -> Result<CompletedPart, Malformed> {
    let number = part.text_of("PartNumber").and_then(|text| text.trim().parse().ok()).ok_or(Malformed)?;
    let etag = part.text_of("ETag").ok_or(Malformed)?.trim().to_owned();
    let mut checksum = None;
    for algorithm in ChecksumAlgorithm::ALL {
        if let Some(text) = part.text_of(algorithm.element()) {
            checksum = Some(Checksum::from_base64(algorithm, text).ok_or(Malformed)?);
        }
    }
    Ok(CompletedPart { number, etag, checksum })
}

/// One object named by DeleteObjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedObject {
    /// Its key, as sent.
    pub key: String,
    /// Its version, when named.
    pub version: Option<String>,
    /// Delete only when the object has this tag.
    pub etag: Option<String>,
}

/// The body of DeleteObjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete {
    /// Report errors alone.
    pub quiet: bool,
    /// What to delete, in order.
    pub objects: Vec<DeletedObject>,
    /// A condition that some object has and that we do not know: to delete all the same would lose what the client
    /// wanted kept.
    pub unknown_condition: Option<&'static str>,
}

/// Conditions of directory buckets.
const UNKNOWN_CONDITIONS: [&str; 2] = ["LastModifiedTime", "Size"];

/// The most objects that one DeleteObjects may name.
pub const DELETE_OBJECTS_MAX: usize = 1000;

/// Reads `Delete` (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>).
pub fn delete(document: &[u8]) -> Result<Delete, Malformed> {
    let root = parse(document)?;
    if root.name != "Delete" {
        return Err(Malformed);
    }
    let objects: Vec<DeletedObject> = root.all("Object").map(deleted_object).collect::<Result<_, _>>()?;
    if objects.is_empty() || objects.len() > DELETE_OBJECTS_MAX {
        return Err(Malformed);
    }
    let has = |name: &&str| root.all("Object").any(|object| object.child(name).is_some());
    Ok(Delete {
        quiet: root.text_of("Quiet").is_some_and(|text| text.trim() == "true"),
        objects,
        unknown_condition: UNKNOWN_CONDITIONS.into_iter().find(has),
    })
}

fn deleted_object(object: &Element) -> Result<DeletedObject, Malformed> {
    let key = object.text_of("Key").ok_or(Malformed)?.to_owned();
    let given =
        |name| object.text_of(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    Ok(DeletedObject { key, version: given("VersionId"), etag: given("ETag") })
}

/// The body of CreateBucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateBucketConfiguration {
    /// `LocationConstraint`, when it names one.
    pub location: Option<String>,
    /// What else it asks for: another kind of bucket, or tags.
    pub unknown: Option<&'static str>,
}

/// Reads `CreateBucketConfiguration`
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>). An empty body is an empty configuration.
pub fn create_bucket_configuration(document: &[u8]) -> Result<CreateBucketConfiguration, Malformed> {
    if document.trim_ascii().is_empty() {
        return Ok(CreateBucketConfiguration::default());
    }
    let root = parse(document)?;
    if root.name != "CreateBucketConfiguration" {
        return Err(Malformed);
    }
    let location = root.text_of("LocationConstraint").map(|text| text.trim().to_owned());
    let unknown = ["Bucket", "Location", "Tags"].into_iter().find(|name| root.child(name).is_some());
    Ok(CreateBucketConfiguration { location: location.filter(|text| !text.is_empty()), unknown })
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
