//! Inputs of operations on objects.

use super::algorithm;
use super::attributes::attributes as new_attributes;
use super::bucket_of;
use super::conditions;
use super::copy_source;
use super::key_of;
use crate::http::error::Error;
use crate::http::reply::object::Attributes;
use crate::http::reply::object::Wish;
use crate::http::request::Request;
use crate::http::request::number;
use crate::http::route::Target;
use crate::ops::object::attributes;
use crate::ops::object::copy;
use crate::ops::object::delete;
use crate::ops::object::get;
use crate::ops::object::get::Selection;
use crate::ops::object::put;
use crate::s3::error_code::ErrorCode;

/// The input of PutObject.
pub fn put(request: &Request<'_>, target: &Target) -> Result<put::Input, Error> {
    Ok(put::Input {
        bucket: bucket_of(target)?,
        key: key_of(target)?,
        attributes: new_attributes(request)?,
        conditions: conditions::write(request)?,
        // A checksum that is announced or sent is known to the body.
        algorithm: None,
    })
}

/// The input of GetObject and HeadObject, and what the reply shall tell. Only a signed request may override headers
/// of the reply, so that nobody can make a public object look like something else.
pub fn get(request: &Request<'_>, target: &Target, is_signed: bool) -> Result<(get::Input, Wish), Error> {
    let selection = selection(request)?;
    let wish = Wish {
        checksum: request
            .text("x-amz-checksum-mode")?
            .is_some_and(|mode| mode.eq_ignore_ascii_case("ENABLED")),
        parts_count: matches!(selection, Selection::Part(_)),
        overrides: overrides(request, is_signed)?,
    };
    let conditions = conditions::read(request)?;
    Ok((get::Input { bucket: bucket_of(target)?, key: key_of(target)?, selection, conditions }, wish))
}

fn selection(request: &Request<'_>) -> Result<Selection, Error> {
    let range = request.text("range")?;
    let Some(part) = request.query.get("partNumber") else {
        return Ok(range.map_or(Selection::Whole, |range| Selection::Range(range.to_owned())));
    };
    if range.is_some() {
        let message = "Cannot specify both Range header and partNumber query parameter";
        return Err(Error::with(ErrorCode::InvalidRequest, message));
    }
    part_number(part).map(Selection::Part)
}

/// A part number, 1 to 10,000.
pub fn part_number(text: &str) -> Result<u16, Error> {
    match text.parse::<u16>() {
        Ok(number @ 1..=10_000) => Ok(number),
        _ => {
            let message = "Part number must be an integer between 1 and 10000, inclusive";
            Err(Error::invalid_argument("partNumber", text, message))
        }
    }
}

/// `response-…` parameters and the headers they replace.
const OVERRIDES: [(&str, &str); 6] = [
    ("response-cache-control", "cache-control"),
    ("response-content-disposition", "content-disposition"),
    ("response-content-encoding", "content-encoding"),
    ("response-content-language", "content-language"),
    ("response-content-type", "content-type"),
    ("response-expires", "expires"),
];

fn overrides(request: &Request<'_>, is_signed: bool) -> Result<Vec<(&'static str, String)>, Error> {
    let mut overrides = Vec::new();
    for (parameter, header) in OVERRIDES {
        let Some(value) = request.query.get(parameter) else { continue };
        if !is_signed {
            let message = "Request specific response headers cannot be used for anonymous GET requests.";
            return Err(Error::with(ErrorCode::InvalidRequest, message));
        }
        if value.bytes().any(|byte| byte < b' ' && byte != b'\t' || byte == 127) {
            return Err(Error::invalid_argument(
                parameter,
                value,
                "Header value cannot be represented using ISO-8859-1.",
            ));
        }
        overrides.push((header, crate::http::request::latin1(value.as_bytes()).into_owned()));
    }
    Ok(overrides)
}

/// The input of DeleteObject.
pub fn delete(request: &Request<'_>, target: &Target) -> Result<delete::Input, Error> {
    Ok(delete::Input {
        bucket: bucket_of(target)?,
        key: key_of(target)?,
        if_match: conditions::delete(request)?,
    })
}

/// The input of CopyObject.
pub fn copy(request: &Request<'_>, target: &Target) -> Result<copy::Input, Error> {
    let replace_metadata = match request.text("x-amz-metadata-directive")? {
        None | Some("COPY") => false,
        Some("REPLACE") => true,
        Some(other) => {
            let message = "Unknown metadata directive.";
            return Err(Error::invalid_argument("x-amz-metadata-directive", other, message));
        }
    };
    Ok(copy::Input {
        source: copy_source::source(request)?,
        bucket: bucket_of(target)?,
        key: key_of(target)?,
        replace_metadata,
        attributes: new_attributes(request)?,
        conditions: conditions::write(request)?,
        algorithm: algorithm(request, "x-amz-checksum-algorithm")?,
    })
}

/// The most parts of one page of GetObjectAttributes.
const PARTS_PAGE_MAX: u64 = 1000;

/// The input of GetObjectAttributes, and what the reply shall tell.
pub fn attributes(request: &Request<'_>, target: &Target) -> Result<(attributes::Input, Attributes), Error> {
    let wanted = wanted(request)?;
    let max = match request.text("x-amz-max-parts")? {
        Some(text) => number("x-amz-max-parts", text, 0)?.min(PARTS_PAGE_MAX),
        None => PARTS_PAGE_MAX,
    };
    let marker = match request.text("x-amz-part-number-marker")? {
        Some(text) => number("x-amz-part-number-marker", text, 0)?,
        None => 0,
    };
    let input = attributes::Input {
        bucket: bucket_of(target)?,
        key: key_of(target)?,
        with_parts: wanted.parts,
        max_parts: max as usize,
        part_marker: u16::try_from(marker).unwrap_or(u16::MAX),
    };
    Ok((input, wanted))
}

/// `x-amz-object-attributes`: names with commas between, in one header or several.
fn wanted(request: &Request<'_>) -> Result<Attributes, Error> {
    let text = request.kept("x-amz-object-attributes").unwrap_or_default();
    let mut wanted = Attributes::default();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        match name {
            "ETag" => wanted.etag = true,
            "Checksum" => wanted.checksum = true,
            "ObjectParts" => wanted.parts = true,
            "StorageClass" => wanted.storage_class = true,
            "ObjectSize" => wanted.size = true,
            _ => {
                let message = "Invalid attribute name specified.";
                return Err(Error::invalid_argument("x-amz-object-attributes", name, message));
            }
        }
    }
    match wanted == Attributes::default() {
        true => {
            let message = "The x-amz-object-attributes header specifying the attributes to be retrieved is either \
                           missing or empty";
            Err(Error::invalid_argument("x-amz-object-attributes", &text, message))
        }
        false => Ok(wanted),
    }
}

#[cfg(test)]
#[path = "object_tests.rs"]
mod tests;
