//! An object in parts: create, each part in turn, complete.

use std::fmt::Write as _;
use std::rc::Rc;

use percent_encoding::utf8_percent_encode;

use super::Field;
use super::ObjectPath;
use super::list::ENCODED;
use crate::cli::bench::client::Body;
use crate::cli::bench::client::Call;
use crate::cli::bench::client::Connection;
use crate::cli::bench::client::Failure;
use crate::cli::bench::client::Keep;
use crate::cli::bench::content::mix;
use crate::s3::xml::read::Element;
use crate::s3::xml::read::parse;

/// Writes objects in parts.
pub struct Multipart {
    field: Rc<Field>,
    path: ObjectPath,
}

impl Multipart {
    pub(super) fn new(field: &Rc<Field>) -> Self {
        Self { field: Rc::clone(field), path: field.written_path() }
    }

    pub(super) async fn step(&mut self, connection: &mut Connection) -> Result<u64, Failure> {
        let index = self.field.next();
        let path = self.path.of(index);
        let call = Call { method: "POST", path, query: "uploads=", body: Body::Empty, keep: Keep::Body };
        connection.send(&call).await?;
        let upload = document(connection, "InitiateMultipartUploadResult")?;
        let upload = upload.text_of("UploadId").ok_or(Failure::Wrong("no upload id"))?;
        let upload = utf8_percent_encode(upload, ENCODED).to_string();
        let written = write(&self.field, index, path, &upload, connection).await;
        if written.is_err() {
            // So that no parts are left behind. The first failure is the one to tell.
            let query = format!("uploadId={upload}");
            let call = Call { method: "DELETE", path, query: &query, body: Body::Empty, keep: Keep::Nothing };
            let _ = connection.send(&call).await;
        }
        written
    }
}

async fn write(
    field: &Field,
    index: u64,
    path: &str,
    upload: &str,
    connection: &mut Connection,
) -> Result<u64, Failure> {
    let identity = mix(field.salt) ^ (index << 16);
    let size = field.workload.size;
    let mut complete = String::from("<CompleteMultipartUpload>");
    let mut offset = 0;
    let mut number = 1;
    while offset < size {
        let length = field.part_size.min(size - offset);
        let query = format!("partNumber={number}&uploadId={upload}");
        let body = Body::Made { identity: identity ^ number, length };
        connection.send(&Call { method: "PUT", path, query: &query, body, keep: Keep::Nothing }).await?;
        let etag = String::from_utf8_lossy(connection.etag()).into_owned();
        let _ = write!(complete, "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
        offset += length;
        number += 1;
    }
    complete.push_str("</CompleteMultipartUpload>");

    let query = format!("uploadId={upload}");
    let body = Body::Bytes(complete.as_bytes());
    connection.send(&Call { method: "POST", path, query: &query, body, keep: Keep::Body }).await?;
    // The status comes before the work is done, so an error can hide in the document of a 200.
    document(connection, "CompleteMultipartUploadResult")?;
    Ok(size)
}

fn document(connection: &Connection, name: &str) -> Result<Element, Failure> {
    let document = parse(connection.body()).map_err(|_| Failure::Wrong("not an XML document"))?;
    if document.name == name { Ok(document) } else { Err(Failure::Wrong("an error in a reply of success")) }
}
