//! Replies about buckets and their listings.

use actix_web::http::StatusCode;

use super::Reply;
use super::list::EntryForm;
use super::list::write_items;
use super::list::write_owner;
use crate::ops::bucket::create;
use crate::ops::bucket::head;
use crate::ops::bucket::list as list_buckets;
use crate::ops::object::list;
use crate::ops::object::list_v2;
use crate::s3::xml::write::Writer;

pub use super::list::Encoding;

/// The reply to ListBuckets.
pub fn list(output: &list_buckets::Output) -> Reply {
    let mut writer = Writer::document("ListAllMyBucketsResult", 512 + output.buckets.len() * 160);
    write_owner(&mut writer, "Owner", &output.owner);
    writer.open("Buckets");
    for bucket in &output.buckets {
        writer.open("Bucket").text("Name", &bucket.name).date("CreationDate", bucket.created);
        writer.text("BucketRegion", &bucket.region).close("Bucket");
    }
    writer.close("Buckets");
    writer.optional("ContinuationToken", output.next_token.as_deref());
    writer.optional("Prefix", output.prefix.as_deref());
    Reply::document(writer.finish("ListAllMyBucketsResult"))
}

/// The reply to CreateBucket.
pub fn create(output: &create::Output) -> Reply {
    let mut reply = Reply::empty(StatusCode::OK);
    reply.set("location", &output.location);
    reply
}

/// The reply to HeadBucket.
pub fn head(output: &head::Output) -> Reply {
    let mut reply = Reply::empty(StatusCode::OK);
    reply.set("x-amz-bucket-region", &output.region);
    reply.set("x-amz-access-point-alias", "false");
    reply
}

/// The reply to GetBucketLocation; `us-east-1` has no name there.
pub fn location(output: &head::Output) -> Reply {
    let mut writer = Writer::document("LocationConstraint", 256);
    writer.content(if output.region == "us-east-1" { "" } else { &output.region });
    Reply::document(writer.finish("LocationConstraint"))
}

/// How a listing is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListForm {
    /// `encoding-type`.
    pub encoding: Encoding,
    /// `fetch-owner` of the second version; the first always tells owners.
    pub owner: bool,
}

/// About what an entry takes, so that the buffer seldom grows.
const ENTRY_BYTES: usize = 320;

/// The reply to ListObjects.
pub fn objects(output: &list::Output, input: &list::Input, form: ListForm) -> Reply {
    let encoding = form.encoding;
    let mut writer = Writer::document("ListBucketResult", 512 + output.items.len() * ENTRY_BYTES);
    writer.text("Name", input.bucket.as_str());
    // As it was sent: botocore decodes every name of this reply but this one.
    writer.text("Prefix", &input.prefix);
    encoding.write(&mut writer, "Marker", &input.marker);
    writer.number("MaxKeys", input.max_keys as u64);
    encoding.write_optional(&mut writer, "Delimiter", input.delimiter.as_deref());
    encoding.declare(&mut writer);
    writer.boolean("IsTruncated", output.is_truncated);
    // AWS tells it only with a delimiter; without one it is the last key, which clients take themselves.
    let next = output.next_marker.as_deref().filter(|_| input.delimiter.is_some());
    encoding.write_optional(&mut writer, "NextMarker", next);
    write_items(&mut writer, &output.items, EntryForm { element: "Contents", encoding, owner: true });
    Reply::document(writer.finish("ListBucketResult"))
}

/// The reply to ListObjectsV2.
pub fn objects_v2(output: &list_v2::Output, input: &list_v2::Input, form: ListForm) -> Reply {
    let (encoding, base) = (form.encoding, &input.base);
    let mut writer = Writer::document("ListBucketResult", 512 + output.items.len() * ENTRY_BYTES);
    writer.text("Name", base.bucket.as_str());
    encoding.write(&mut writer, "Prefix", &base.prefix);
    encoding.write_optional(
        &mut writer,
        "StartAfter",
        Some(base.marker.as_str()).filter(|after| !after.is_empty()),
    );
    writer.optional("ContinuationToken", input.token.as_deref());
    writer.optional("NextContinuationToken", output.next_token.as_deref());
    writer.number("KeyCount", output.items.len() as u64).number("MaxKeys", base.max_keys as u64);
    encoding.write_optional(&mut writer, "Delimiter", base.delimiter.as_deref());
    encoding.declare(&mut writer);
    writer.boolean("IsTruncated", output.is_truncated);
    write_items(&mut writer, &output.items, EntryForm { element: "Contents", encoding, owner: form.owner });
    Reply::document(writer.finish("ListBucketResult"))
}

/// The reply to ListObjectVersions of a bucket that has never been versioned: each object is the one version of its
/// key, `null`.
pub fn versions(
    output: &list::Output,
    input: &list::Input,
    version_marker: Option<&str>,
    encoding: Encoding,
) -> Reply {
    let mut writer = Writer::document("ListVersionsResult", 512 + output.items.len() * ENTRY_BYTES);
    writer.text("Name", input.bucket.as_str());
    encoding.write(&mut writer, "Prefix", &input.prefix);
    encoding.write(&mut writer, "KeyMarker", &input.marker);
    writer.text("VersionIdMarker", version_marker.unwrap_or_default());
    if let Some(next) = &output.next_marker {
        encoding.write(&mut writer, "NextKeyMarker", next);
        writer.text("NextVersionIdMarker", "null");
    }
    writer.number("MaxKeys", input.max_keys as u64);
    encoding.write_optional(&mut writer, "Delimiter", input.delimiter.as_deref());
    encoding.declare(&mut writer);
    writer.boolean("IsTruncated", output.is_truncated);
    write_items(&mut writer, &output.items, EntryForm { element: "Version", encoding, owner: true });
    Reply::document(writer.finish("ListVersionsResult"))
}
