//! PostObject: an upload from a browser's form (<https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>).
//!
//! The walk is the one of `pipeline`, only that the form itself says who signed it: its fields are read (bounded)
//! before that is known, its file only after.

use std::task::Context;
use std::task::Poll;

use actix_web::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;

use super::body::announced;
use super::error::Error;
use super::extract::attributes;
use super::extract::attributes::Source;
use super::extract::bucket_of;
use super::extract::not_implemented;
use super::form;
use super::form::Fields;
use super::form::File;
use super::incoming::Incoming;
use super::pipeline::Pipeline;
use super::reply::Reply;
use super::request::Request;
use super::request::latin1;
use super::route::Route;
use super::route::key_too_long;
use crate::auth::AuthenticatedForm;
use crate::auth::FormFields;
use crate::auth::sign::encoded;
use crate::base::Md5Digest;
use crate::ops::Call;
use crate::ops::object::put;
use crate::s3::checksum::Checksum;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::condition::WriteConditions;
use crate::s3::error_code::ErrorCode;
use crate::s3::name::InvalidKey;
use crate::s3::name::ObjectKey;
use crate::s3::operation::Operation;
use crate::s3::xml::write::Writer;
use crate::store::ByteSource;
use crate::store::Promises;
use crate::store::SourceError;

/// Takes in a form.
pub async fn serve(
    pipeline: &Pipeline,
    request: &Request<'_>,
    route: &Route,
    incoming: &mut Incoming,
) -> Result<Reply, Error> {
    let bucket = bucket_of(&route.target)?;
    let boundary = form::boundary(request.text("content-type")?.unwrap_or_default())?;
    let (mut form, file) = form::read(incoming.take_raw()?, &boundary).await?;
    expand_filename(&mut form);
    let pairs: Vec<(&str, &str)> =
        form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let fields = FormFields { bucket: bucket.as_str(), fields: &pairs };
    let service = pipeline.service.as_ref();
    let authenticated = pipeline.verifier.authenticate_form(&fields, service, service.clock().now())?;
    let key = key(&form)?;
    let granted = service.authorize(
        authenticated.identity(),
        Operation::PostObject,
        (Some(&bucket), Some(&key)),
        None,
    )?;
    refuse_unsupported(&form)?;
    let input = put::Input {
        bucket,
        key,
        attributes: attributes::attributes(&form)?,
        conditions: WriteConditions::default(),
        algorithm: None,
    };
    let done = Done::new(request, &input);
    let mut body = Upload { file, form: authenticated, received: 0, promises: promises(&form)? };
    let output = put::run(&Call { service, granted: &granted }, input, &mut body).await;
    incoming.note_form(body.received, body.file.has_ended());
    Ok(done.reply(&form, &output?))
}

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

impl Source for Fields {
    fn kept(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| latin1(value.as_bytes()).into_owned())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }
}

/// `${filename}` stands for the name of the file, in every field.
fn expand_filename(form: &mut Fields) {
    let filename = form.filename.clone();
    for (_, value) in form.fields.iter_mut().filter(|(name, _)| !is_signature(name)) {
        if value.contains("${filename}") {
            *value = value.replace("${filename}", &filename);
        }
    }
}

/// Fields that say who signed the form; they are what they are.
fn is_signature(name: &str) -> bool {
    matches!(name, "policy" | "x-amz-signature" | "x-amz-credential" | "x-amz-algorithm" | "x-amz-date")
}

fn key(form: &Fields) -> Result<ObjectKey, Error> {
    let text = form.get("key").filter(|key| !key.is_empty()).ok_or_else(|| {
        let message = "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of \
                       the fields.";
        Error::invalid_argument("key", "", message)
    })?;
    ObjectKey::new(text).map_err(|error| match error {
        InvalidKey::TooLong => key_too_long(text.len()),
        InvalidKey::Empty => Error::invalid_argument("key", text, "The key is empty"),
    })
}

/// What a form asks for that there is not: 501, as for headers.
fn refuse_unsupported(form: &Fields) -> Result<(), Error> {
    for (name, value) in &form.fields {
        let refused = match name.as_str() {
            "acl" | "x-amz-acl" => !matches!(value.as_str(), "private" | "bucket-owner-full-control"),
            "tagging" | "x-amz-tagging" => true,
            name => {
                name.starts_with("x-amz-server-side-encryption")
                    || name.starts_with("x-amz-object-lock-")
                    || name.starts_with("x-amz-grant-")
            }
        };
        if refused {
            return Err(not_implemented("Field", name));
        }
    }
    Ok(())
}

/// The digests that fields announce.
fn promises(form: &Fields) -> Result<Promises, Error> {
    let mut promises = Promises::default();
    if let Some(text) = form.get("content-md5") {
        let digest = BASE64.decode(text).ok().and_then(|bytes| Md5Digest::try_from(bytes).ok());
        promises.md5 = Some(digest.ok_or_else(|| Error::new(ErrorCode::InvalidDigest))?);
    }
    for algorithm in ChecksumAlgorithm::ALL {
        let Some(text) = form.get(algorithm.header()) else { continue };
        let value =
            Checksum::from_base64(algorithm, text).ok_or_else(|| announced::invalid_value(algorithm))?;
        if promises.checksum.replace(value).is_some() {
            let message =
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
            return Err(Error::with(ErrorCode::InvalidRequest, message));
        }
        promises.algorithm = Some(algorithm);
    }
    Ok(promises)
}

/// The file, held to the length that the policy allows.
struct Upload {
    file: File,
    form: AuthenticatedForm,
    received: u64,
    promises: Promises,
}

impl Upload {
    fn check_length(&self) -> Result<(), SourceError> {
        self.form.check_length(self.received).map_err(|error| SourceError {
            code: error.code,
            message: error.message,
            extra: error.extra,
        })
    }
}

impl ByteSource for Upload {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, SourceError>>> {
        self.file.poll_chunk(cx).map(|chunk| match chunk {
            Some(Ok(bytes)) => {
                self.received += bytes.len() as u64;
                let too_long = self.form.length_max().is_some_and(|max| self.received > max);
                Some(if too_long { self.check_length().map(|()| bytes) } else { Ok(bytes) })
            }
            Some(Err(error)) => Some(Err(error)),
            None => self.check_length().err().map(Err),
        })
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn promises(&self) -> Promises {
        self.promises.clone()
    }
}

/// What the reply says of the new object.
struct Done {
    location: String,
    bucket: String,
    key: String,
}

impl Done {
    fn new(request: &Request<'_>, input: &put::Input) -> Self {
        let url = request.url();
        let key = encoded(input.key.as_str());
        Self {
            location: format!("{}/{key}", url.trim_end_matches('/')),
            bucket: input.bucket.as_str().to_owned(),
            key: input.key.as_str().to_owned(),
        }
    }

    /// `success_action_redirect` wins over `success_action_status`; 204 without either.
    fn reply(&self, form: &Fields, output: &put::Output) -> Reply {
        let etag = format!("\"{}\"", output.etag);
        let redirect = form.get("success_action_redirect").or_else(|| form.get("redirect"));
        let mut reply =
            match (redirect.and_then(|url| self.redirect(url, &etag)), form.get("success_action_status")) {
                (Some(location), _) => {
                    let mut reply = Reply::empty(StatusCode::SEE_OTHER);
                    reply.set("location", &location);
                    reply
                }
                (None, Some("201")) => self.created(output),
                (None, Some("200")) => self.located(StatusCode::OK),
                (None, _) => self.located(StatusCode::NO_CONTENT),
            };
        reply.set("etag", &etag);
        super::reply::object::set_checksum(&mut reply, output.checksum.as_ref());
        reply
    }

    fn located(&self, status: StatusCode) -> Reply {
        let mut reply = Reply::empty(status);
        reply.set("location", &self.location);
        reply
    }

    fn created(&self, output: &put::Output) -> Reply {
        let mut writer = Writer::bare(512);
        writer.open("PostResponse").text("Location", &self.location).text("Bucket", &self.bucket);
        writer.text("Key", &self.key).etag("ETag", &output.etag);
        let mut reply = Reply::document(writer.finish("PostResponse"));
        reply.status = StatusCode::CREATED;
        reply.set("location", &self.location);
        reply
    }

    /// The URL with what was made in its query; `None` when it is none, which AWS ignores.
    fn redirect(&self, url: &str, etag: &str) -> Option<String> {
        let is_url = url.starts_with("http://") || url.starts_with("https://");
        if !is_url || url.bytes().any(|byte| byte <= b' ' || byte >= 127) {
            return None;
        }
        let separator = if url.contains('?') { '&' } else { '?' };
        let (bucket, key, etag) = (encoded(&self.bucket), encoded(&self.key), encoded(etag));
        Some(format!("{url}{separator}bucket={bucket}&key={key}&etag={etag}"))
    }
}

#[cfg(test)]
#[path = "post_object_tests.rs"]
mod tests;
