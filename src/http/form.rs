//! `multipart/form-data` (RFC 7578), as browsers post it to a bucket: small fields, then one file that streams.
//!
//! A part is the file when its name is `file`, and a field otherwise, whatever file name it claims. Fields are held to
//! a bound before anything is known of their sender; what follows the file means nothing and is thrown away.

use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use actix_web::dev;
use bytes::Buf as _;
use bytes::Bytes;
use bytes::BytesMut;
use futures_util::Stream as _;
use memchr::memmem;

use super::body::cut_off;
use super::error::Error;
use crate::s3::error_code::ErrorCode;
use crate::store::ByteSource;
use crate::store::Promises;
use crate::store::SourceError;

/// The most bytes before the content of the file: 20 KB
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>).
pub const FIELDS_BYTES_MAX: usize = 20 << 10;

/// The most bytes behind the file that are read to keep the connection.
const EPILOGUE_BYTES_MAX: usize = 64 << 10;

/// The longest boundary (RFC 2046, section 5.1.1).
const BOUNDARY_BYTES_MAX: usize = 70;

/// The fields before the file, and what its part says of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Names in lower case and values, in order; no name comes twice.
    pub fields: Vec<(String, String)>,
    /// The file's name on its sender's machine, without folders.
    pub filename: String,
}

/// The content of the file.
pub struct File {
    payload: dev::Payload,
    /// Received and not handed on.
    buffer: BytesMut,
    /// Line end, two hyphens and the boundary: what ends every part.
    delimiter: memmem::Finder<'static>,
    place: Place,
}

/// Where a file's reader stands.
enum Place {
    Content,
    /// Behind the file; so many bytes were thrown away.
    Epilogue(usize),
    End,
}

/// The boundary in a `Content-Type`.
pub fn boundary(content_type: &str) -> Result<String, Error> {
    let form = content_type.split(';').next().unwrap_or_default().trim();
    if !form.eq_ignore_ascii_case("multipart/form-data") {
        return Err(Error::new(ErrorCode::PreconditionFailed)
            .element("Condition", "Bucket POST must be of the enclosure-type multipart/form-data"));
    }
    match parameter(content_type, "boundary") {
        Some(boundary) if (1..=BOUNDARY_BYTES_MAX).contains(&boundary.len()) => Ok(boundary),
        _ => Err(malformed()),
    }
}

/// Reads up to the content of the file.
pub async fn read(payload: dev::Payload, boundary: &str) -> Result<(Fields, File), Error> {
    let delimiter = memmem::Finder::new(&format!("\r\n--{boundary}")).into_owned();
    // With the line end in front, the first delimiter is like all others.
    let mut file = File { payload, buffer: BytesMut::from(&b"\r\n"[..]), delimiter, place: Place::Content };
    let mut left = FIELDS_BYTES_MAX;
    let mut form = Fields::default();
    file.take_to_delimiter(&mut left).await?;
    loop {
        let part = file.part_head(&mut left).await?;
        if part.name == "file" {
            form.filename = part.filename.unwrap_or_default();
            return Ok((form, file));
        }
        let value = file.take_to_delimiter(&mut left).await?;
        let value = String::from_utf8(value.to_vec()).map_err(|_| malformed())?;
        if form.fields.iter().any(|(name, _)| *name == part.name) {
            // Which of the two a policy allowed could not be told.
            return Err(Error::invalid_argument("field", &part.name, "The form has two fields of this name"));
        }
        form.fields.push((part.name, value));
    }
}

/// What the head of a part says.
struct PartHead {
    name: String,
    filename: Option<String>,
}

impl File {
    /// The bytes up to the next delimiter, which is taken too.
    async fn take_to_delimiter(&mut self, left: &mut usize) -> Result<Bytes, Error> {
        let delimiter = self.delimiter.clone();
        self.take_to(&delimiter, left).await
    }

    /// The bytes up to `end`, which is taken too; all of them together at most `left`.
    async fn take_to(&mut self, end: &memmem::Finder<'_>, left: &mut usize) -> Result<Bytes, Error> {
        loop {
            if let Some(at) = end.find(&self.buffer) {
                let taken = at + end.needle().len();
                *left = left.checked_sub(taken).ok_or_else(too_much)?;
                let bytes = self.buffer.split_to(taken).freeze();
                return Ok(bytes.slice(..at));
            }
            if self.buffer.len() > *left {
                return Err(too_much());
            }
            self.receive_or_fail().await?;
        }
    }

    async fn receive_or_fail(&mut self) -> Result<(), Error> {
        match std::future::poll_fn(|cx| self.poll_receive(cx)).await {
            Some(received) => Ok(received?),
            None => Err(malformed()),
        }
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(), SourceError>>> {
        Poll::Ready(match ready!(Pin::new(&mut self.payload).poll_next(cx)) {
            Some(Ok(bytes)) => {
                self.buffer.extend_from_slice(&bytes);
                Some(Ok(()))
            }
            Some(Err(error)) => Some(Err(cut_off(&error))),
            None => None,
        })
    }

    /// The head of the part whose delimiter was just taken.
    async fn part_head(&mut self, left: &mut usize) -> Result<PartHead, Error> {
        while self.buffer.len() < 2 {
            self.receive_or_fail().await?;
        }
        if self.buffer.starts_with(b"--") {
            let message = "POST requires exactly one file upload per request.";
            return Err(Error::with(ErrorCode::InvalidArgument, message)
                .element("ArgumentName", "file")
                .element("ArgumentValue", "0"));
        }
        // From the end of the delimiter's line to the empty line. A head without headers has no name either.
        let head = self.take_to(&memmem::Finder::new("\r\n\r\n"), left).await?;
        let head = std::str::from_utf8(&head).map_err(|_| malformed())?;
        let lines = head.split("\r\n").skip(1);
        let disposition = lines
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))
            .map(|(_, value)| value.trim())
            .ok_or_else(malformed)?;
        let name = parameter(disposition, "name").ok_or_else(malformed)?.to_ascii_lowercase();
        Ok(PartHead { name, filename: filename(disposition) })
    }

    fn poll_content(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, SourceError>>> {
        let held = self.delimiter.needle().len() - 1;
        loop {
            if let Some(at) = self.delimiter.find(&self.buffer) {
                let bytes = self.buffer.split_to(at).freeze();
                self.buffer.clear();
                self.place = Place::Epilogue(0);
                match bytes.is_empty() {
                    true => return self.poll_epilogue(cx, 0),
                    false => return Poll::Ready(Some(Ok(bytes))),
                }
            }
            // All but what could be the beginning of a delimiter.
            if self.buffer.len() > held {
                let length = self.buffer.len() - held;
                return Poll::Ready(Some(Ok(self.buffer.split_to(length).freeze())));
            }
            match ready!(self.poll_receive(cx)) {
                Some(Ok(())) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    let code = ErrorCode::IncompleteBody;
                    return Poll::Ready(Some(Err(SourceError::new(code, code.message()))));
                }
            }
        }
    }

    fn poll_epilogue(
        &mut self,
        cx: &mut Context<'_>,
        thrown: usize,
    ) -> Poll<Option<Result<Bytes, SourceError>>> {
        let mut thrown = thrown;
        loop {
            match ready!(self.poll_receive(cx)) {
                Some(Ok(())) => {
                    thrown += self.buffer.remaining();
                    self.buffer.clear();
                    self.place = Place::Epilogue(thrown);
                    if thrown > EPILOGUE_BYTES_MAX {
                        return Poll::Ready(None);
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    self.place = Place::End;
                    return Poll::Ready(None);
                }
            }
        }
    }

    /// Whether everything the connection had for this request was read.
    pub const fn has_ended(&self) -> bool {
        matches!(self.place, Place::End)
    }
}

impl ByteSource for File {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, SourceError>>> {
        match self.place {
            Place::Content => self.poll_content(cx),
            Place::Epilogue(thrown) => self.poll_epilogue(cx, thrown),
            Place::End => Poll::Ready(None),
        }
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn promises(&self) -> Promises {
        Promises::default()
    }
}

/// A parameter of a header, with or without quotes. In quotes, `\"` and `%22` are a quote, as browsers write it; other
/// backslashes are what they look like, since old browsers send whole Windows paths.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let mut rest = header;
    while let Some(at) = rest.find(';') {
        rest = rest[at + 1..].trim_start();
        let (name, value) = rest.split_once('=')?;
        let Some(quoted) = value.strip_prefix('"') else {
            let end = value.find(';').unwrap_or(value.len());
            if name.trim().eq_ignore_ascii_case(wanted) {
                return Some(value[..end].trim().to_owned());
            }
            rest = &value[end..];
            continue;
        };
        let (text, behind) = unquoted(quoted)?;
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(text);
        }
        rest = behind;
    }
    None
}

/// The text up to the closing quote, and what follows it.
fn unquoted(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((text, &quoted[at + 1..])),
            '\\' if quoted[at + 1..].starts_with('"') => {
                text.push('"');
                chars.next();
            }
            c => text.push(c),
        }
    }
    None
}

/// The name of the file without folders: what follows the last slash or backslash.
fn filename(disposition: &str) -> Option<String> {
    let extended = parameter(disposition, "filename*").and_then(|value| {
        let (_, encoded) = value.split_once("''")?;
        percent_encoding::percent_decode_str(encoded).decode_utf8().ok().map(|name| name.into_owned())
    });
    let name =
        extended.or_else(|| parameter(disposition, "filename").map(|name| name.replace("%22", "\"")))?;
    Some(name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned())
}

fn malformed() -> Error {
    Error::new(ErrorCode::MalformedPOSTRequest)
}

fn too_much() -> Error {
    Error::new(ErrorCode::MaxPostPreDataLengthExceededError)
        .element("MaxPostPreDataLength", FIELDS_BYTES_MAX.to_string())
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
