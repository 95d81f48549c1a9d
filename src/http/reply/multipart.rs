//! Replies about multipart uploads.

use actix_web::http::StatusCode;

use super::Reply;
use super::list::Encoding;
use super::list::write_common_prefix;
use super::list::write_owner;
use super::object::write_checksum;
use super::object::write_part_checksum;
use crate::http::route::Target;
use crate::ops::multipart::complete;
use crate::ops::multipart::copy_part;
use crate::ops::multipart::create;
use crate::ops::multipart::list_parts;
use crate::ops::multipart::list_uploads;
use crate::ops::multipart::upload_part;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::checksum::ChecksumType;
use crate::s3::xml::write::Writer;
use crate::store::UploadPage;

/// The reply to CreateMultipartUpload.
pub fn create(output: &create::Output, target: &Target) -> Reply {
    let mut writer = Writer::document("InitiateMultipartUploadResult", 512);
    write_target(&mut writer, target);
    writer.text("UploadId", &output.upload_id.to_string());
    let mut reply = Reply::document(writer.finish("InitiateMultipartUploadResult"));
    if let Some((algorithm, kind)) = output.checksum {
        reply.set("x-amz-checksum-algorithm", algorithm.name());
        reply.set("x-amz-checksum-type", kind.name());
    }
    reply
}

fn write_target(writer: &mut Writer, target: &Target) {
    writer.optional("Bucket", target.bucket.as_ref().map(|bucket| bucket.as_str()));
    writer.optional("Key", target.key.as_ref().map(|key| key.as_str()));
}

/// The reply to UploadPart.
pub fn upload_part(output: &upload_part::Output) -> Reply {
    let mut reply = Reply::empty(StatusCode::OK);
    reply.set("etag", &format!("\"{}\"", output.etag));
    reply.set(output.checksum.algorithm().header(), &output.checksum.to_base64());
    reply
}

/// The reply to UploadPartCopy.
pub fn copy_part(output: &copy_part::Output) -> Reply {
    let mut writer = Writer::document("CopyPartResult", 512);
    writer.etag("ETag", &output.etag).date("LastModified", output.modified);
    write_part_checksum(&mut writer, Some(&output.checksum));
    Reply::document(writer.finish("CopyPartResult"))
}

/// The reply to CompleteMultipartUpload; `location` is the URL of the object.
pub fn complete(output: &complete::Output, target: &Target, location: &str) -> Reply {
    let mut writer = Writer::document("CompleteMultipartUploadResult", 1024);
    writer.text("Location", location);
    write_target(&mut writer, target);
    writer.etag("ETag", &output.etag);
    write_checksum(&mut writer, output.checksum.as_ref());
    Reply::document(writer.finish("CompleteMultipartUploadResult"))
}

fn write_kind(writer: &mut Writer, checksum: Option<(ChecksumAlgorithm, ChecksumType)>) {
    if let Some((algorithm, kind)) = checksum {
        writer.text("ChecksumAlgorithm", algorithm.name()).text("ChecksumType", kind.name());
    }
}

fn class(name: &str) -> &str {
    if name.is_empty() { "STANDARD" } else { name }
}

/// The reply to ListParts.
pub fn list_parts(output: &list_parts::Output, input: &list_parts::Input, target: &Target) -> Reply {
    let mut writer = Writer::document("ListPartsResult", 1024 + output.parts.len() * 256);
    write_target(&mut writer, target);
    writer.text("UploadId", &input.target.upload_id);
    write_owner(&mut writer, "Initiator", &output.owner);
    write_owner(&mut writer, "Owner", &output.owner);
    writer.text("StorageClass", class(&output.storage_class));
    write_kind(&mut writer, output.checksum);
    writer.number("PartNumberMarker", u64::from(input.marker));
    let next = output.parts.last().map_or(0, |part| part.number);
    writer.number("NextPartNumberMarker", u64::from(next));
    writer.number("MaxParts", input.max_parts as u64).boolean("IsTruncated", output.is_truncated);
    for part in &output.parts {
        writer.open("Part").number("PartNumber", u64::from(part.number));
        writer.date("LastModified", part.modified).etag("ETag", &part.etag).number("Size", part.size);
        write_part_checksum(&mut writer, part.checksum.as_ref());
        writer.close("Part");
    }
    Reply::document(writer.finish("ListPartsResult"))
}

/// The reply to ListMultipartUploads.
pub fn list_uploads(page: &UploadPage, input: &list_uploads::Input, encoding: Encoding) -> Reply {
    let mut writer = Writer::document("ListMultipartUploadsResult", 1024 + page.uploads.len() * 512);
    writer.text("Bucket", input.bucket.as_str());
    encoding.write(&mut writer, "KeyMarker", input.key_marker.as_deref().unwrap_or_default());
    writer.text("UploadIdMarker", input.upload_id_marker.as_deref().unwrap_or_default());
    if page.truncated
        && let Some((key, upload)) = &page.last
    {
        encoding.write(&mut writer, "NextKeyMarker", key);
        writer.text("NextUploadIdMarker", &upload.map(|id| id.to_string()).unwrap_or_default());
    }
    encoding.write_optional(&mut writer, "Delimiter", input.delimiter.as_deref());
    encoding.write(&mut writer, "Prefix", &input.prefix);
    encoding.declare(&mut writer);
    writer.number("MaxUploads", input.max_uploads as u64).boolean("IsTruncated", page.truncated);
    for upload in &page.uploads {
        writer.open("Upload");
        encoding.write(&mut writer, "Key", &upload.key);
        writer.text("UploadId", &upload.id.to_string());
        write_owner(&mut writer, "Initiator", &upload.owner);
        write_owner(&mut writer, "Owner", &upload.owner);
        writer.text("StorageClass", class(&upload.storage_class)).date("Initiated", upload.initiated);
        write_kind(&mut writer, upload.checksum);
        writer.close("Upload");
    }
    for prefix in &page.common_prefixes {
        write_common_prefix(&mut writer, prefix, encoding);
    }
    Reply::document(writer.finish("ListMultipartUploadsResult"))
}
