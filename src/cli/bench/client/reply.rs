//! The head of a reply, and where its body ends.

use memchr::memchr;

use super::Failure;

/// Longer heads are refused; S3 servers send some hundred bytes.
pub const HEAD_BYTES_MAX: usize = 64 << 10;

/// How the end of a body is known (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// This many bytes.
    Length(u64),
    /// Chunks, the last one empty.
    Chunked,
}

/// What a reply's head says, as far as a benchmark cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Bytes of the head, its empty line included.
    pub length: usize,
    /// Status code.
    pub status: u16,
    /// How the body ends.
    pub framing: Framing,
    /// The server will close the connection.
    pub close: bool,
    /// Where in the head the value of ETag is.
    pub etag: Option<(usize, usize)>,
}

/// Reads the head of a reply; `None` while it is incomplete. Neither a reply to HEAD nor an
/// interim one, 204 or 304 has a body.
pub fn parse(bytes: &[u8], to_head: bool) -> Result<Option<Head>, Failure> {
    let Some(first) = memchr(b'\n', bytes) else {
        return incomplete(bytes);
    };
    let status = parse_status(&bytes[..first])?;
    let mut head = Head { length: 0, status, framing: Framing::Length(0), close: false, etag: None };
    let mut known = false;
    let mut at = first + 1;
    loop {
        let Some(end) = memchr(b'\n', &bytes[at..]) else {
            return incomplete(bytes);
        };
        let line = bytes[at..at + end].trim_ascii_end();
        if line.is_empty() {
            head.length = at + end + 1;
            break;
        }
        let colon = memchr(b':', line).ok_or(Failure::Malformed("header without colon"))?;
        let value = line[colon + 1..].trim_ascii_start();
        let name = &line[..colon];
        if name.eq_ignore_ascii_case(b"content-length") {
            head.framing = Framing::Length(parse_length(value)?);
            known = true;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            head.framing = Framing::Chunked;
            known = true;
        } else if name.eq_ignore_ascii_case(b"connection") {
            head.close = value.eq_ignore_ascii_case(b"close");
        } else if name.eq_ignore_ascii_case(b"etag") {
            let value_end = at + line.len();
            head.etag = Some((value_end - value.len(), value_end));
        }
        at += end + 1;
    }
    if to_head || matches!(status, 100..200 | 204 | 304) {
        head.framing = Framing::Length(0);
    } else if !known {
        return Err(Failure::Malformed("body without length"));
    }
    Ok(Some(head))
}

fn incomplete(bytes: &[u8]) -> Result<Option<Head>, Failure> {
    if bytes.len() > HEAD_BYTES_MAX { Err(Failure::Malformed("endless head")) } else { Ok(None) }
}

fn parse_status(line: &[u8]) -> Result<u16, Failure> {
    let malformed = Failure::Malformed("no status line");
    if !line.starts_with(b"HTTP/1.1 ") {
        return Err(malformed);
    }
    let digits = line.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()).ok_or(malformed)
}

fn parse_length(value: &[u8]) -> Result<u64, Failure> {
    let text = std::str::from_utf8(value).ok();
    text.and_then(|text| text.parse().ok()).ok_or(Failure::Malformed("content-length"))
}

/// The length that a chunk's first line tells, extensions ignored.
pub fn parse_chunk_line(line: &[u8]) -> Result<u64, Failure> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let text = std::str::from_utf8(digits).ok();
    text.and_then(|text| u64::from_str_radix(text, 16).ok()).ok_or(Failure::Malformed("chunk"))
}
