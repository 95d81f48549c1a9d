//! One connection: a request out, its reply in.

use std::rc::Rc;

use rustix::net::RecvFlags;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::Failure;
use super::endpoint::Endpoint;
use super::reply;
use super::reply::Framing;
use super::signer::Signed;
use super::signer::Signer;
use crate::base::Sha256Digest;
use crate::cli::bench::content::Content;
use crate::cli::bench::content::SEGMENT_BYTES;
use crate::sys::clock::Clock as _;
use crate::sys::clock::SystemClock;

/// Read at once: a small object with its head, but little of a large one, whose rest the kernel drops unread.
const INBOX_BYTES: usize = 16 << 10;
/// Bodies up to here are sent with their head in one call.
const JOINED_BYTES_MAX: u64 = 256 << 10;

/// A request.
pub struct Call<'a> {
    /// Method.
    pub method: &'a str,
    /// Path, encoded.
    pub path: &'a str,
    /// Query, encoded and in canonical order, without `?`.
    pub query: &'a str,
    /// What is sent.
    pub body: Body<'a>,
    /// What becomes of the reply's body.
    pub keep: Keep,
}

/// The body of a request.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    /// None.
    Empty,
    /// These bytes.
    Bytes(&'a [u8]),
    /// Made while it is sent.
    Made {
        /// Which body.
        identity: u64,
        /// Its length in bytes.
        length: u64,
    },
}

impl Body<'_> {
    fn length(&self) -> u64 {
        match self {
            Body::Empty => 0,
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::Made { length, .. } => *length,
        }
    }
}

/// What becomes of the body of a successful reply. That of an error is always kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Dropped unread.
    Nothing,
    /// In [`Connection::body`].
    Body,
    /// Compared with the body of this identity.
    Compare(u64),
}

/// A successful reply.
#[derive(Debug, Clone, Copy)]
pub struct Reply {
    /// Bytes of its body.
    pub body_bytes: u64,
}

/// How requests are made.
#[derive(Clone)]
pub struct Options {
    /// Where to.
    pub endpoint: Rc<Endpoint>,
    /// Sign SHA-256 of bodies.
    pub sign_payload: bool,
    /// Acknowledge every segment at once.
    pub quickack: bool,
    /// What bodies are said to be; `None` says nothing.
    pub content_type: Option<&'static str>,
}

/// A connection that is made when needed and kept.
pub struct Connection {
    options: Options,
    signer: Option<Signer>,
    content: Content,
    stream: Option<TcpStream>,
    out: Vec<u8>,
    inbox: Vec<u8>,
    filled: usize,
    at: usize,
    body: Vec<u8>,
    etag: Vec<u8>,
    /// Named in calls that drop what they receive; never read, and empty until a body is dropped.
    spare: Vec<u8>,
    /// How much of the body at hand has been compared.
    compare_at: u64,
    /// Connections made, the first included.
    pub connects: u64,
}

impl Connection {
    /// A connection that makes bodies of up to `length_max` bytes. Without a signer requests are anonymous.
    pub fn new(options: Options, signer: Option<Signer>, length_max: u64) -> Self {
        Self {
            options,
            signer,
            content: Content::new(length_max),
            stream: None,
            out: Vec::with_capacity(1024),
            inbox: vec![0; INBOX_BYTES],
            filled: 0,
            at: 0,
            body: Vec::new(),
            etag: Vec::new(),
            spare: Vec::new(),
            compare_at: 0,
            connects: 0,
        }
    }

    /// The body of the last reply whose body was kept.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The ETag of the last reply, as sent; empty when there was none.
    pub fn etag(&self) -> &[u8] {
        &self.etag
    }

    /// Sends a request and reads the whole reply.
    ///
    /// # Errors
    /// When the status is not 2xx, and when no reply was had; the connection is then made anew next time.
    pub async fn send(&mut self, call: &Call<'_>) -> Result<Reply, Failure> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        let (reply, close) = self.exchange(&mut stream, call).await?;
        if !close {
            self.stream = Some(stream);
        }
        reply
    }

    async fn connect(&mut self) -> Result<TcpStream, Failure> {
        let stream = TcpStream::connect(&self.options.endpoint.address).await?;
        stream.set_nodelay(true)?;
        self.connects += 1;
        Ok(stream)
    }

    /// An outer error means that the connection is of no more use.
    async fn exchange(
        &mut self,
        stream: &mut TcpStream,
        call: &Call<'_>,
    ) -> Result<(Result<Reply, Failure>, bool), Failure> {
        self.write_head(call);
        let written = self.write_body(stream, &call.body).await;
        self.filled = 0;
        self.at = 0;
        // A server may refuse a body before it has all of it; then its answer is of more use than the broken pipe.
        let head = match (self.read_head(stream, call.method == "HEAD").await, &written) {
            (Err(_), Err(error)) => return Err(Failure::Connection(error.kind())),
            (head, _) => head?,
        };
        self.body.clear();
        self.compare_at = 0;
        let success = (200..300).contains(&head.status);
        let keep = if success { call.keep } else { Keep::Body };
        let body_bytes = match head.framing {
            Framing::Length(length) => self.read_length(stream, length, keep).await?,
            Framing::Chunked => self.read_chunks(stream, keep).await?,
        };
        let reply = if success { Ok(Reply { body_bytes }) } else { Err(self.refusal(head.status)) };
        Ok((reply, head.close || written.is_err() || self.at != self.filled))
    }

    fn write_head(&mut self, call: &Call<'_>) {
        let length = call.body.length();
        let digest: Option<Sha256Digest> = match call.body {
            _ if !self.options.sign_payload => None,
            Body::Empty => Some(sha256(b"")),
            Body::Bytes(bytes) => Some(sha256(bytes)),
            Body::Made { identity, length } => Some(self.content.sha256(identity, length)),
        };
        let host = &self.options.endpoint.host;
        let out = &mut self.out;
        out.clear();
        for part in [call.method, " ", call.path] {
            out.extend_from_slice(part.as_bytes());
        }
        if !call.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(call.query.as_bytes());
        }
        for part in [" HTTP/1.1\r\nhost: ", host, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
        if let Some(content_type) = self.options.content_type.filter(|_| length > 0) {
            for part in ["content-type: ", content_type, "\r\n"] {
                out.extend_from_slice(part.as_bytes());
            }
        }
        if length > 0 || matches!(call.method, "PUT" | "POST") {
            out.extend_from_slice(b"content-length: ");
            out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        if let Some(signer) = &mut self.signer {
            let signed = Signed {
                method: call.method,
                path: call.path,
                query: call.query,
                host,
                payload: digest.as_ref(),
            };
            signer.sign(&signed, SystemClock.now(), out);
        }
        out.extend_from_slice(b"\r\n");
    }

    async fn write_body(&mut self, stream: &mut TcpStream, body: &Body<'_>) -> std::io::Result<()> {
        match *body {
            Body::Empty => {}
            Body::Bytes(bytes) => self.out.extend_from_slice(bytes),
            Body::Made { identity, length } if length <= JOINED_BYTES_MAX => {
                self.out.extend_from_slice(self.content.segment(identity, length, 0));
            }
            Body::Made { identity, length } => {
                stream.write_all(&self.out).await?;
                let mut offset = 0;
                while offset < length {
                    let segment = self.content.segment(identity, length, offset);
                    stream.write_all(segment).await?;
                    offset += segment.len() as u64;
                }
                return Ok(());
            }
        }
        stream.write_all(&self.out).await
    }

    async fn read_head(&mut self, stream: &mut TcpStream, to_head: bool) -> Result<reply::Head, Failure> {
        loop {
            let Some(head) = reply::parse(&self.inbox[..self.filled], to_head)? else {
                self.fill(stream).await?;
                continue;
            };
            // An interim answer; the real one follows.
            if head.status < 200 {
                self.inbox.copy_within(head.length..self.filled, 0);
                self.filled -= head.length;
                continue;
            }
            self.at = head.length;
            self.etag.clear();
            if let Some((start, end)) = head.etag {
                self.etag.extend_from_slice(&self.inbox[start..end]);
            }
            return Ok(head);
        }
    }

    /// Reads more behind what is there.
    async fn fill(&mut self, stream: &mut TcpStream) -> Result<(), Failure> {
        if self.filled == self.inbox.len() {
            self.inbox.resize(self.filled * 2, 0);
        }
        if self.options.quickack {
            // The kernel falls back to delaying by itself, so it is told each time.
            rustix::net::sockopt::set_tcp_quickack(&*stream, true).map_err(std::io::Error::from)?;
        }
        match stream.read(&mut self.inbox[self.filled..]).await? {
            0 => Err(Failure::Connection(std::io::ErrorKind::UnexpectedEof)),
            read => {
                self.filled += read;
                Ok(())
            }
        }
    }

    /// As [`Self::fill`], when everything there has been used.
    async fn refill(&mut self, stream: &mut TcpStream) -> Result<(), Failure> {
        self.filled = 0;
        self.at = 0;
        self.fill(stream).await
    }

    async fn read_length(&mut self, stream: &mut TcpStream, length: u64, keep: Keep) -> Result<u64, Failure> {
        let mut left = length;
        loop {
            let here = (self.filled - self.at).min(usize::try_from(left).unwrap_or(usize::MAX));
            self.take(here, keep)?;
            left -= here as u64;
            if left == 0 {
                return Ok(length);
            }
            if keep == Keep::Nothing {
                self.filled = 0;
                self.at = 0;
                if self.options.quickack {
                    rustix::net::sockopt::set_tcp_quickack(&*stream, true).map_err(std::io::Error::from)?;
                }
                left -= drop_unread(stream, left, &mut self.spare).await?;
                if left == 0 {
                    return Ok(length);
                }
            } else {
                self.refill(stream).await?;
            }
        }
    }

    async fn read_chunks(&mut self, stream: &mut TcpStream, keep: Keep) -> Result<u64, Failure> {
        let mut total = 0;
        loop {
            let length = reply::parse_chunk_line(&self.read_line(stream).await?)?;
            if length == 0 {
                while !self.read_line(stream).await?.is_empty() {}
                return Ok(total);
            }
            total += length;
            let mut left = length;
            while left > 0 {
                if self.at == self.filled {
                    self.refill(stream).await?;
                }
                let here = (self.filled - self.at).min(usize::try_from(left).unwrap_or(usize::MAX));
                self.take(here, keep)?;
                left -= here as u64;
            }
            if !self.read_line(stream).await?.is_empty() {
                return Err(Failure::Malformed("chunk longer than it said"));
            }
        }
    }

    /// A line of the framing of chunks, without its end.
    async fn read_line(&mut self, stream: &mut TcpStream) -> Result<Vec<u8>, Failure> {
        let mut line = Vec::new();
        loop {
            if self.at == self.filled {
                self.refill(stream).await?;
            }
            let byte = self.inbox[self.at];
            self.at += 1;
            match byte {
                b'\n' => {
                    line.pop_if(|last| *last == b'\r');
                    return Ok(line);
                }
                _ if line.len() > 1024 => return Err(Failure::Malformed("chunk")),
                _ => line.push(byte),
            }
        }
    }

    /// Uses the next `count` bytes of the inbox as body.
    fn take(&mut self, count: usize, keep: Keep) -> Result<(), Failure> {
        let bytes = &self.inbox[self.at..self.at + count];
        self.at += count;
        match keep {
            Keep::Nothing => Ok(()),
            Keep::Body => {
                self.body.extend_from_slice(bytes);
                Ok(())
            }
            Keep::Compare(identity) => {
                let mut rest = bytes;
                while !rest.is_empty() {
                    let within = (self.compare_at % SEGMENT_BYTES as u64) as usize;
                    let start = self.compare_at - within as u64;
                    let wanted = &self.content.segment(identity, u64::MAX, start);
                    let wanted = wanted.get(within..).unwrap_or_default();
                    let here = wanted.len().min(rest.len());
                    if here == 0 || wanted[..here] != rest[..here] {
                        return Err(Failure::Wrong("the bytes are not those that were written"));
                    }
                    self.compare_at += here as u64;
                    rest = &rest[here..];
                }
                Ok(())
            }
        }
    }

    fn refusal(&self, status: u16) -> Failure {
        let code = crate::s3::xml::read::parse(&self.body).ok();
        let code = code.as_ref().and_then(|error| error.text_of("Code")).unwrap_or_default();
        Failure::Status(status, code.to_owned())
    }
}

/// Takes up to `left` bytes off the socket without copying them out of the kernel: TCP discards what is received
/// with MSG_TRUNC (tcp(7)). The buffer is only named, never written.
async fn drop_unread(stream: &TcpStream, left: u64, spare: &mut Vec<u8>) -> Result<u64, Failure> {
    if spare.len() < SEGMENT_BYTES {
        spare.resize(SEGMENT_BYTES, 0);
    }
    let most = spare.len().min(usize::try_from(left).unwrap_or(usize::MAX));
    let dropped = stream
        .async_io(Interest::READABLE, || {
            let (_, dropped) = rustix::net::recv(stream, &mut spare[..most], RecvFlags::TRUNC)?;
            Ok(dropped)
        })
        .await?;
    if dropped == 0 {
        return Err(Failure::Connection(std::io::ErrorKind::UnexpectedEof));
    }
    Ok(dropped as u64)
}

fn sha256(bytes: &[u8]) -> Sha256Digest {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}
