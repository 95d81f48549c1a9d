//! Replies about objects.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;

use super::Body;
use super::Reply;
use crate::ops::object::Facts;
use crate::ops::object::attributes;
use crate::ops::object::copy;
use crate::ops::object::delete_many;
use crate::ops::object::get;
use crate::ops::object::get::Selected;
use crate::ops::object::head;
use crate::ops::object::put;
use crate::s3::checksum::Checksum;
use crate::s3::checksum::ObjectChecksum;
use crate::s3::date;
use crate::s3::xml::write::Writer;

/// What a read asks of its reply beside the bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// `x-amz-checksum-mode: ENABLED`.
    pub checksum: bool,
    /// `partNumber` was given, so the number of parts is told.
    pub parts_count: bool,
    /// `response-content-type` and its kin: header and value.
    pub overrides: Vec<(&'static str, String)>,
}

/// The reply to PutObject.
pub fn put(output: &put::Output) -> Reply {
    let mut reply = Reply::empty(StatusCode::OK);
    reply.set("etag", &format!("\"{}\"", output.etag));
    set_checksum(&mut reply, output.checksum.as_ref());
    reply
}

/// The reply to GetObject.
pub fn get(output: get::Output, wish: &Wish) -> Reply {
    match output {
        get::Output::NotModified(facts) => not_modified(&facts),
        get::Output::Found(facts, selected, reader) => {
            let mut reply = found(&facts, &selected, wish);
            reply.body = Body::Object(reader);
            reply
        }
    }
}

/// The reply to HeadObject.
pub fn head(output: &head::Output, wish: &Wish) -> Reply {
    match output {
        head::Output::NotModified(facts) => not_modified(facts),
        head::Output::Found(facts, selected) => {
            let mut reply = found(facts, selected, wish);
            reply.body = Body::Length(selected.range.end - selected.range.start);
            reply
        }
    }
}

/// 304 with what a cache may need (RFC 9110, section 15.4.5).
fn not_modified(facts: &Facts) -> Reply {
    let mut reply = Reply::empty(StatusCode::NOT_MODIFIED);
    reply.set("etag", &format!("\"{}\"", facts.etag));
    reply.set("last-modified", &date::http(facts.modified));
    reply.set_optional("cache-control", facts.headers.cache_control.as_deref());
    reply.set_optional("expires", facts.headers.expires.as_deref());
    reply
}

fn found(facts: &Facts, selected: &Selected, wish: &Wish) -> Reply {
    let mut reply =
        Reply::empty(if selected.is_partial { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK });
    reply.set("accept-ranges", "bytes");
    reply.set("etag", &format!("\"{}\"", facts.etag));
    reply.set("last-modified", &date::http(facts.modified));
    if selected.is_partial && selected.range.start < selected.range.end {
        let (first, last) = (selected.range.start, selected.range.end - 1);
        reply.set("content-range", &format!("bytes {first}-{last}/{}", facts.size));
    }
    let headers = &facts.headers;
    reply.set("content-type", headers.content_type.as_deref().unwrap_or("binary/octet-stream"));
    reply.set_optional("cache-control", headers.cache_control.as_deref());
    reply.set_optional("content-disposition", headers.content_disposition.as_deref());
    reply.set_optional("content-encoding", headers.content_encoding.as_deref());
    reply.set_optional("content-language", headers.content_language.as_deref());
    reply.set_optional("expires", headers.expires.as_deref());
    reply.set_optional("x-amz-website-redirect-location", headers.website_redirect.as_deref());
    reply.set_optional("x-amz-storage-class", facts.storage_class.as_deref());
    for (name, value) in &facts.user_metadata {
        if let Ok(name) = HeaderName::from_bytes(format!("x-amz-meta-{name}").as_bytes()) {
            reply.set_named(name, value);
        }
    }
    for (name, value) in &wish.overrides {
        reply.set(name, value);
    }
    if wish.parts_count
        && let Some(count) = facts.parts_count
    {
        reply.set("x-amz-mp-parts-count", itoa::Buffer::new().format(count));
    }
    if wish.checksum {
        set_checksum_of(&mut reply, facts, selected);
    }
    reply
}

/// The checksum of the bytes that are sent, with the type of the object's. The whole object's is told in its own
/// form, with the number of parts behind a composite one.
fn set_checksum_of(reply: &mut Reply, facts: &Facts, selected: &Selected) {
    let (Some(whole), Some(checksum)) = (&facts.checksum, &selected.checksum) else { return };
    if whole.checksum == *checksum {
        return set_checksum(reply, Some(whole));
    }
    reply.set(checksum.algorithm().header(), &checksum.to_base64());
    reply.set("x-amz-checksum-type", whole.kind.name());
}

/// `x-amz-checksum-…` and `x-amz-checksum-type`.
pub fn set_checksum(reply: &mut Reply, checksum: Option<&ObjectChecksum>) {
    let Some(checksum) = checksum else { return };
    reply.set(checksum.checksum.algorithm().header(), &checksum.to_text());
    reply.set("x-amz-checksum-type", checksum.kind.name());
}

/// The reply to CopyObject.
pub fn copy(output: &copy::Output) -> Reply {
    let mut writer = Writer::document("CopyObjectResult", 512);
    writer.etag("ETag", &output.etag).date("LastModified", output.modified);
    write_checksum(&mut writer, output.checksum.as_ref());
    Reply::document(writer.finish("CopyObjectResult"))
}

/// `ChecksumCRC32` and its kin with `ChecksumType`.
pub(super) fn write_checksum(writer: &mut Writer, checksum: Option<&ObjectChecksum>) {
    if let Some(checksum) = checksum {
        writer.text(checksum.checksum.algorithm().element(), &checksum.to_text());
        writer.text("ChecksumType", checksum.kind.name());
    }
}

/// `ChecksumCRC32` and its kin, of a part.
pub(super) fn write_part_checksum(writer: &mut Writer, checksum: Option<&Checksum>) {
    if let Some(checksum) = checksum {
        writer.text(checksum.algorithm().element(), &checksum.to_base64());
    }
}

/// The reply to DeleteObjects; `quiet` leaves out what worked.
pub fn delete_many(lines: &[delete_many::Line], quiet: bool) -> Reply {
    let mut writer = Writer::document("DeleteResult", 128 + lines.len() * 64);
    for line in lines {
        match &line.result {
            Ok(()) if quiet => {}
            Ok(()) => {
                writer.open("Deleted").text("Key", &line.object.key);
                writer.optional("VersionId", line.object.version.as_deref()).close("Deleted");
            }
            Err(error) => {
                writer.open("Error").text("Key", &line.object.key);
                writer.optional("VersionId", line.object.version.as_deref());
                writer.text("Code", error.code.as_str()).text("Message", &error.message).close("Error");
            }
        }
    }
    Reply::document(writer.finish("DeleteResult"))
}

/// What GetObjectAttributes was asked for: `x-amz-object-attributes`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `ETag`.
    pub etag: bool,
    /// `Checksum`.
    pub checksum: bool,
    /// `ObjectParts`.
    pub parts: bool,
    /// `StorageClass`.
    pub storage_class: bool,
    /// `ObjectSize`.
    pub size: bool,
}

/// The reply to GetObjectAttributes.
pub fn attributes(output: &attributes::Output, input: &attributes::Input, wanted: Attributes) -> Reply {
    let facts = &output.facts;
    let mut writer = Writer::document("GetObjectAttributesResponse", 1024);
    if wanted.etag {
        // Without quotes, unlike everywhere else.
        writer.text("ETag", &facts.etag.to_string());
    }
    if wanted.checksum && facts.checksum.is_some() {
        writer.open("Checksum");
        write_checksum(&mut writer, facts.checksum.as_ref());
        writer.close("Checksum");
    }
    if wanted.parts
        && let Some(parts) = &output.parts
    {
        write_parts(&mut writer, parts, input);
    }
    if wanted.storage_class {
        writer.text("StorageClass", facts.storage_class.as_deref().unwrap_or("STANDARD"));
    }
    if wanted.size {
        writer.number("ObjectSize", facts.size);
    }
    let mut reply = Reply::document(writer.finish("GetObjectAttributesResponse"));
    reply.set("last-modified", &date::http(facts.modified));
    reply
}

fn write_parts(writer: &mut Writer, parts: &attributes::Parts, input: &attributes::Input) {
    writer.open("ObjectParts");
    writer.number("PartsCount", parts.total as u64);
    writer.number("PartNumberMarker", u64::from(input.part_marker));
    let next = parts.page.last().map_or(0, |part| part.number);
    writer.number("NextPartNumberMarker", u64::from(next));
    writer.number("MaxParts", input.max_parts as u64).boolean("IsTruncated", parts.is_truncated);
    for part in &parts.page {
        writer.open("Part").number("PartNumber", u64::from(part.number)).number("Size", part.size);
        write_part_checksum(writer, part.checksum.as_ref());
        writer.close("Part");
    }
    writer.close("ObjectParts");
}
