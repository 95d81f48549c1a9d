//! The aws-chunked framing, taken off a body as it arrives: signed chunks, signed chunks with a signed trailer, and
//! unsigned chunks with a trailer (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>).
//!
//! Pure and incremental: bytes go in however the network cut them, slices of the same bytes come out; only a line cut
//! in two is copied. Data comes out before the signature of its chunk was checked, as a chunk may be larger than any
//! buffer: whoever takes it may stage it, and may commit it only after [`Decoder::finish`] said yes. Chunks of any
//! size are taken, where AWS wants at least 8 KiB.

use std::collections::VecDeque;

use bytes::Buf as _;
use bytes::Bytes;

use crate::auth::ChunkSigner;
use crate::auth::Chunked;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::error_code::ErrorCode;

/// The longest line that begins a chunk, in bytes: sixteen digits, a signature, and room for an extension.
const CHUNK_LINE_MAX: usize = 512;
/// The longest line of a trailer, in bytes.
const TRAILER_LINE_MAX: usize = 4 * 1024;
/// How many lines a trailer may have, empty ones included.
const TRAILER_LINES_MAX: usize = 16;
/// Line ends that may follow the end of the body, in bytes: a widespread client sends one more than the framing has.
const SLACK_MAX: usize = 4;

/// Why a body was refused. Nothing of it may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It has more or fewer bytes than `x-amz-decoded-content-length` says, or ends before its last chunk.
    #[error("You did not provide the number of bytes specified by the x-amz-decoded-content-length header")]
    Incomplete,
    /// A chunk does not begin with its size in hexadecimal digits, or does not end where that says.
    #[error("The chunked encoding of the request body is not well-formed")]
    MalformedChunk,
    /// A chunk or the trailer has another signature than its bytes give.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your key and signing \
         method."
    )]
    SignatureMismatch,
    /// The trailer is malformed, or has other headers than `x-amz-trailer` says.
    #[error(
        "The request contained trailing data that was not well-formed or did not conform to our published schema."
    )]
    MalformedTrailer,
}

impl DecodeError {
    /// The S3 error code; the message is the error as text.
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Incomplete => ErrorCode::IncompleteBody,
            Self::MalformedChunk => ErrorCode::InvalidRequest,
            Self::SignatureMismatch => ErrorCode::SignatureDoesNotMatch,
            Self::MalformedTrailer => ErrorCode::MalformedTrailerError,
        }
    }
}

/// The headers of a trailer, checked: names in lower case, in the order of the wire.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Trailers(Vec<(String, String)>);

impl Trailers {
    /// The value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// What the signature of the trailer covers: a line for each header, in the order of the names.
    fn canonical(&self) -> Vec<u8> {
        let mut lines: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        lines.sort_unstable();
        lines.concat().into_bytes()
    }

    /// The checksums, as their algorithm and the text the client sent.
    pub fn checksums(&self) -> impl Iterator<Item = (ChecksumAlgorithm, &str)> {
        self.0
            .iter()
            .filter_map(|(name, value)| Some((ChecksumAlgorithm::from_header(name)?, value.as_str())))
    }
}

enum State {
    /// In the line that begins a chunk.
    ChunkLine,
    /// In a chunk's data: so many bytes to come, at least one.
    Data(u64),
    /// In the line end after a chunk's data.
    DataEnd,
    /// In the line end after the last chunk, where no trailer follows.
    LastEnd,
    /// In the lines of the trailer.
    Trailer,
    /// In the line end after the signature of the trailer.
    TrailerEnd,
    /// Behind the end; so many bytes of line ends were there.
    Done(usize),
    /// Refused.
    Failed(DecodeError),
}

/// Takes the framing off one body.
pub struct Decoder {
    signer: Option<ChunkSigner>,
    trailer: bool,
    /// Names of trailers still to come, in lower case.
    declared: Vec<String>,
    /// Bytes of data that no chunk has announced yet.
    unannounced: u64,
    state: State,
    /// The signature of the running chunk.
    signature: Vec<u8>,
    input: VecDeque<Bytes>,
    /// The running line, as far as it is there.
    line: Vec<u8>,
    trailers: Trailers,
    trailer_lines: usize,
}

impl Decoder {
    /// A decoder for a body of `decoded_length` bytes (`x-amz-decoded-content-length`), with the headers that
    /// `x-amz-trailer` names, separated by commas; empty when that was not sent.
    pub fn new(chunked: Chunked, decoded_length: u64, x_amz_trailer: &str) -> Self {
        let names = x_amz_trailer.split(',').map(str::trim).filter(|name| !name.is_empty());
        Self {
            signer: chunked.signer,
            trailer: chunked.trailer,
            declared: names.map(str::to_ascii_lowercase).collect(),
            unannounced: decoded_length,
            state: State::ChunkLine,
            signature: Vec::new(),
            input: VecDeque::new(),
            line: Vec::new(),
            trailers: Trailers::default(),
            trailer_lines: 0,
        }
    }

    /// Takes the next bytes of the body. Call [`Self::next_data`] until it gives none before the next push: what is
    /// pushed is held.
    pub fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.input.push_back(bytes);
        }
    }

    /// The next data, never empty; `None` when more bytes are needed or the body is at its end.
    ///
    /// # Errors
    /// The first [`DecodeError`], and the same ever after.
    pub fn next_data(&mut self) -> Result<Option<Bytes>, DecodeError> {
        let result = self.advance();
        if let Err(error) = result {
            self.state = State::Failed(error);
            self.input.clear();
        }
        result
    }

    /// To be called when the body has ended and [`Self::next_data`] gives nothing more: whether it was whole.
    ///
    /// # Errors
    /// As [`Self::next_data`]; `Incomplete` when the end is missing.
    pub fn finish(self) -> Result<Trailers, DecodeError> {
        match self.state {
            State::Done(_) if self.input.is_empty() => Ok(self.trailers),
            State::Failed(error) => Err(error),
            _ => Err(DecodeError::Incomplete),
        }
    }

    fn advance(&mut self) -> Result<Option<Bytes>, DecodeError> {
        loop {
            let (line_max, too_long) = match self.state {
                State::Data(left) => return self.take_data(left),
                State::Done(slack) => return self.skip_slack(slack),
                State::Failed(error) => return Err(error),
                State::ChunkLine => (CHUNK_LINE_MAX, DecodeError::MalformedChunk),
                State::DataEnd | State::LastEnd => (2, DecodeError::MalformedChunk),
                State::TrailerEnd => (2, DecodeError::MalformedTrailer),
                State::Trailer => (TRAILER_LINE_MAX, DecodeError::MalformedTrailer),
            };
            if !self.read_line(line_max, too_long)? {
                return Ok(None);
            }
            let line = std::mem::take(&mut self.line);
            self.state = match self.state {
                State::ChunkLine => self.begin_chunk(&line)?,
                State::DataEnd if line == b"\r" => State::ChunkLine,
                State::LastEnd if line == b"\r" => State::Done(0),
                State::TrailerEnd if line == b"\r" => State::Done(0),
                State::Trailer => self.take_trailer_line(&line)?,
                _ => return Err(too_long),
            };
            // The room is used again: one allocation serves all lines.
            self.line = line;
            self.line.clear();
        }
    }

    /// Adds to the running line up to its line feed, which is left out; whether the line is whole.
    fn read_line(&mut self, max: usize, too_long: DecodeError) -> Result<bool, DecodeError> {
        while let Some(bytes) = self.input.front_mut() {
            let end = memchr::memchr(b'\n', bytes);
            let length = end.unwrap_or(bytes.len());
            if self.line.len() + length > max {
                return Err(too_long);
            }
            self.line.extend_from_slice(&bytes[..length]);
            bytes.advance(length + usize::from(end.is_some()));
            if bytes.is_empty() {
                self.input.pop_front();
            }
            if end.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads `SIZE` or `SIZE;chunk-signature=SIGNATURE` and the carriage return.
    fn begin_chunk(&mut self, line: &[u8]) -> Result<State, DecodeError> {
        let line = line.strip_suffix(b"\r").ok_or(DecodeError::MalformedChunk)?;
        let (digits, extension) = match memchr::memchr(b';', line) {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &b""[..]),
        };
        let size = parse_size(digits).ok_or(DecodeError::MalformedChunk)?;
        if self.signer.is_some() {
            // A chunk without a signature is one with a wrong signature.
            let signature = extension.strip_prefix(b"chunk-signature=").unwrap_or_default();
            self.signature.clear();
            self.signature.extend_from_slice(signature);
        }
        self.unannounced = self.unannounced.checked_sub(size).ok_or(DecodeError::Incomplete)?;
        if size > 0 {
            return Ok(State::Data(size));
        }
        self.check_chunk()?;
        if self.unannounced > 0 {
            return Err(DecodeError::Incomplete);
        }
        Ok(if self.trailer { State::Trailer } else { State::LastEnd })
    }

    fn check_chunk(&mut self) -> Result<(), DecodeError> {
        match &mut self.signer {
            Some(signer) => signer.check(&self.signature).map_err(|_| DecodeError::SignatureMismatch),
            None => Ok(()),
        }
    }

    fn take_data(&mut self, left: u64) -> Result<Option<Bytes>, DecodeError> {
        let Some(bytes) = self.input.front_mut() else {
            return Ok(None);
        };
        let length = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let data = bytes.split_to(length);
        if bytes.is_empty() {
            self.input.pop_front();
        }
        if let Some(signer) = &mut self.signer {
            signer.update(&data);
        }
        let left = left - length as u64;
        if left > 0 {
            self.state = State::Data(left);
        } else {
            self.check_chunk()?;
            self.state = State::DataEnd;
        }
        Ok(Some(data))
    }

    /// Reads a line of the trailer. Lines end with a line feed, before which a carriage return may stand: a widespread
    /// client ends the headers with a bare one, and an empty line before the signature.
    fn take_trailer_line(&mut self, line: &[u8]) -> Result<State, DecodeError> {
        self.trailer_lines += 1;
        if self.trailer_lines > TRAILER_LINES_MAX {
            return Err(DecodeError::MalformedTrailer);
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return match self.signer {
                Some(_) => Ok(State::Trailer),
                None => self.end_trailer().map(|()| State::Done(0)),
            };
        }
        let text = std::str::from_utf8(line).map_err(|_| DecodeError::MalformedTrailer)?;
        let (name, value) = text.split_once(':').ok_or(DecodeError::MalformedTrailer)?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if let Some(signer) = &mut self.signer
            && name == "x-amz-trailer-signature"
        {
            let checked = signer.check_trailer(&self.trailers.canonical(), value.as_bytes());
            checked.map_err(|_| DecodeError::SignatureMismatch)?;
            return self.end_trailer().map(|()| State::TrailerEnd);
        }
        // Only what was declared, and once.
        let at = self.declared.iter().position(|declared| *declared == name);
        self.declared.swap_remove(at.ok_or(DecodeError::MalformedTrailer)?);
        self.trailers.0.push((name, value.to_owned()));
        Ok(State::Trailer)
    }

    fn end_trailer(&self) -> Result<(), DecodeError> {
        if self.declared.is_empty() { Ok(()) } else { Err(DecodeError::MalformedTrailer) }
    }

    fn skip_slack(&mut self, slack: usize) -> Result<Option<Bytes>, DecodeError> {
        let mut slack = slack;
        while let Some(bytes) = self.input.pop_front() {
            slack += bytes.len();
            if slack > SLACK_MAX || bytes.iter().any(|byte| !matches!(byte, b'\r' | b'\n')) {
                return Err(DecodeError::Incomplete);
            }
        }
        self.state = State::Done(slack);
        Ok(None)
    }
}

/// Reads up to sixteen hexadecimal digits.
fn parse_size(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    digits.iter().try_fold(0_u64, |size, digit| Some(size << 4 | u64::from(char::from(*digit).to_digit(16)?)))
}

#[cfg(test)]
#[path = "chunked_tests.rs"]
mod tests;
