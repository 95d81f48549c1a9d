//! The head of a request, judged before actix sees it.
//!
//! actix-http is lenient where two readers of one byte stream could disagree (a bare LF), strict where S3 is not
//! (96 headers), and answers its own refusals without a body. So the head is parsed here first: what passes is
//! unambiguous (RFC 9112 sections 2 to 6), and the framing of its body is known.

use std::mem::MaybeUninit;

use super::framing::Framing;
use super::refusal::Refusal;
use crate::s3::error_code::ErrorCode;

/// The most headers that can be allowed (`Limits::headers_max`).
pub const HEADERS_CAP: usize = 256;

/// actix-http's own limit; a head with more is handed over without most of them.
const PARSER_HEADERS: usize = 96;

/// The request target, in bytes; the parser behind us fails at 65,534.
const TARGET_BYTES_MAX: usize = 32 << 10;

/// A header name, in bytes; the parser behind us panics beyond 65,535.
const NAME_BYTES_MAX: usize = 1024;

/// Empty lines before a request line, which RFC 9112 section 2.2 asks servers to skip.
const EMPTY_LINES_MAX: usize = 2;

/// A header as bytes of the wire.
pub(super) type Line = (Vec<u8>, Vec<u8>);

/// A head that passed.
#[derive(Debug)]
pub(super) struct Admitted {
    /// How long the body is.
    pub framing: Framing,
    /// What to hand to actix instead of the head, and the headers left out of it, in wire order.
    pub shortened: Option<(Vec<u8>, Vec<Line>)>,
}

/// Looks for the end of a head; remembers how far it has looked.
#[derive(Debug, Default)]
pub(super) struct Scan {
    line_start: usize,
    looked: usize,
}

impl Scan {
    /// Nothing of the head has been looked at.
    pub(super) fn is_fresh(&self) -> bool {
        self.looked == 0
    }

    /// The length of the head at the front of `bytes`, once its empty line is there. Refuses a bare LF at once,
    /// and what cannot be the beginning of HTTP/1 (a TLS handshake).
    pub(super) fn end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        if bytes.first().is_some_and(|first| !first.is_ascii_alphabetic()) {
            return Err(Refusal::malformed("This is not HTTP/1.1."));
        }
        for found in memchr::memchr_iter(b'\n', &bytes[self.looked..]) {
            let newline = self.looked + found;
            let line = &bytes[self.line_start..newline];
            if line.last() != Some(&b'\r') {
                return Err(Refusal::malformed("A line ends without a carriage return."));
            }
            self.line_start = newline + 1;
            if line.len() == 1 {
                return Ok(Some(newline + 1));
            }
        }
        self.looked = bytes.len();
        Ok(None)
    }
}

/// The empty lines in front of a request, in bytes.
pub(super) fn empty_lines(bytes: &[u8]) -> Result<usize, Refusal> {
    let mut skipped = 0;
    while bytes[skipped..].starts_with(b"\r\n") {
        skipped += 2;
        if skipped > 2 * EMPTY_LINES_MAX {
            return Err(Refusal::malformed("Too many empty lines before a request."));
        }
    }
    Ok(skipped)
}

/// Judges a whole head, empty line included.
pub(super) fn judge(bytes: &[u8], headers_max: usize) -> Result<Admitted, Refusal> {
    let mut headers = [const { MaybeUninit::uninit() }; HEADERS_CAP];
    let slots = &mut headers[..headers_max.min(HEADERS_CAP)];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(bytes, slots) {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        Ok(_) => return Err(Refusal::malformed("The request head is not well-formed.")),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Refusal::new(ErrorCode::RequestHeaderSectionTooLarge));
        }
        Err(httparse::Error::Version) => {
            return Err(Refusal::malformed("Only HTTP/1.0 and HTTP/1.1 are spoken here."));
        }
        Err(_) => return Err(Refusal::malformed("The request head is not well-formed.")),
    }
    judge_line(&request)?;
    let framing = judge_headers(&request)?;
    let shortened = (request.headers.len() > PARSER_HEADERS).then(|| shorten(&request));
    Ok(Admitted { framing, shortened })
}

fn judge_line(request: &httparse::Request<'_, '_>) -> Result<(), Refusal> {
    let method = request.method.unwrap_or_default();
    let target = request.path.unwrap_or_default();
    if method == "CONNECT" {
        return Err(Refusal::new(ErrorCode::MethodNotAllowed));
    }
    let form = target.starts_with('/')
        || target.starts_with("http://")
        || target.starts_with("https://")
        || (target == "*" && method == "OPTIONS");
    // The URI parser behind us drops a fragment: `a#b` would become the key `a`.
    let plain = target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if form && plain && target.len() <= TARGET_BYTES_MAX {
        Ok(())
    } else {
        Err(Refusal::new(ErrorCode::InvalidURI))
    }
}

#[derive(Default)]
struct Seen<'a> {
    host: usize,
    lengths: usize,
    length: Option<&'a [u8]>,
    codings: usize,
    coding: Option<&'a [u8]>,
}

fn judge_headers(request: &httparse::Request<'_, '_>) -> Result<Framing, Refusal> {
    let mut seen = Seen::default();
    for header in request.headers.iter() {
        let name = header.name;
        match name.len() {
            4 if name.eq_ignore_ascii_case("host") => seen.host += 1,
            7 if name.eq_ignore_ascii_case("upgrade") && header.value.eq_ignore_ascii_case(b"websocket") => {
                return Err(Refusal::new(ErrorCode::NotImplemented));
            }
            14 if name.eq_ignore_ascii_case("content-length") => {
                seen.lengths += 1;
                seen.length = Some(header.value);
            }
            17 if name.eq_ignore_ascii_case("transfer-encoding") => {
                seen.codings += 1;
                seen.coding = Some(header.value);
            }
            NAME_BYTES_MAX.. => return Err(Refusal::new(ErrorCode::RequestHeaderSectionTooLarge)),
            _ => {}
        }
    }
    let current = request.version == Some(1);
    if seen.host > 1 || (current && seen.host == 0) {
        return Err(Refusal::malformed("HTTP/1.1 wants one Host header."));
    }
    match (seen.lengths, seen.codings) {
        (0, 0) if !current && request.method == Some("POST") => {
            Err(Refusal::new(ErrorCode::MissingContentLength))
        }
        (0, 0) => Ok(Framing::Complete),
        (1, 0) => length(seen.length.unwrap_or_default()),
        (0, 1) if current && seen.coding.is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked")) => {
            Ok(Framing::chunked())
        }
        (0, 1) => Err(Refusal::malformed("The transfer coding is not chunked.")),
        _ => Err(Refusal::malformed("The length of the body is given more than once.")),
    }
}

/// Digits and nothing else: `+5`, `0x5` and `5,5` have several readings (RFC 9110 section 8.6).
fn length(value: &[u8]) -> Result<Framing, Refusal> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let parsed = std::str::from_utf8(value).ok().filter(|_| digits).and_then(|text| text.parse().ok());
    match parsed {
        Some(0) => Ok(Framing::Complete),
        Some(length) => Ok(Framing::Length(length)),
        None => Err(Refusal::malformed("The Content-Length is not a number of bytes.")),
    }
}

/// The head with only what actix itself acts on, and the rest.
fn shorten(request: &httparse::Request<'_, '_>) -> (Vec<u8>, Vec<Line>) {
    const ACTED_ON: [&str; 6] =
        ["host", "content-length", "transfer-encoding", "connection", "expect", "upgrade"];
    let mut head = Vec::with_capacity(512);
    for word in [request.method.unwrap_or_default(), request.path.unwrap_or_default()] {
        head.extend_from_slice(word.as_bytes());
        head.push(b' ');
    }
    head.extend_from_slice(if request.version == Some(1) { b"HTTP/1.1\r\n" } else { b"HTTP/1.0\r\n" });
    let mut rest = Vec::with_capacity(request.headers.len());
    for header in request.headers.iter() {
        // A head of nothing but `connection` lines is not worth saving: it stays above the limit and is refused.
        if ACTED_ON.iter().any(|name| name.eq_ignore_ascii_case(header.name)) {
            head.extend_from_slice(header.name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(header.value);
            head.extend_from_slice(b"\r\n");
        } else {
            rest.push((header.name.as_bytes().to_vec(), header.value.to_vec()));
        }
    }
    head.extend_from_slice(b"\r\n");
    (head, rest)
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
