//! The stream between the socket and actix: it sees every byte.
//!
//! What is always true:
//! - actix is given one request at a time. The next head is handed over when the reply to the last is with the
//!   kernel, so nothing that a client pipelines or smuggles is even parsed before its turn, and what actix writes
//!   before it has called the service is its own refusal.
//! - Bytes behind the end of a body are held back; bytes that break the framing are never handed over.
//! - A connection closed with unread bytes in it is drained for a moment first: closing at once would make the
//!   kernel reset it, and the client would lose the reply.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;

use actix_rt::net::TcpStream;
use bytes::Buf as _;
use bytes::BytesMut;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;

use super::connection::Connection;
use super::connection::Cut;
use super::connection::Late;
use super::connection::Phase;
use super::framing::Framing;
use super::head;
use super::head::Scan;
use super::refusal::Refusal;
use crate::s3::error_code::ErrorCode;

/// A head that does not come in one piece is collected in pieces of this many bytes.
const PIECE_BYTES: usize = 4096;

/// How long a closed connection is drained, so that its client can read the reply.
pub(super) const DRAIN: Duration = Duration::from_secs(1);

/// The socket of one connection and what is known of it.
pub(super) struct Stream {
    /// `None` once it was left to drain.
    socket: Option<TcpStream>,
    connection: Rc<Connection>,
    bounds: Bounds,
    /// Received and not handed over yet.
    held: BytesMut,
    /// Bytes at the front of `held` that are a judged head.
    judged: usize,
    scan: Scan,
    framing: Framing,
    /// A reply of our own, to be written before the connection ends.
    last_words: BytesMut,
    drain: bool,
}

/// How large a head may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Request line and headers, in bytes.
    pub header_bytes_max: usize,
    /// Headers.
    pub headers_max: usize,
}

impl Stream {
    pub(super) fn new(socket: TcpStream, connection: Rc<Connection>, bounds: Bounds) -> Self {
        Self {
            socket: Some(socket),
            connection,
            bounds,
            held: BytesMut::new(),
            judged: 0,
            scan: Scan::default(),
            framing: Framing::Complete,
            last_words: BytesMut::new(),
            drain: false,
        }
    }

    pub(super) fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }

    /// Reads more into `into`; an end of the stream reads nothing.
    fn receive(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        let Some(socket) = &mut self.socket else {
            return Poll::Ready(Ok(0));
        };
        let before = into.filled().len();
        ready!(Pin::new(socket).poll_read(cx, into))?;
        let received = into.filled().len() - before;
        self.connection.count_received(received);
        Poll::Ready(Ok(received))
    }

    /// Ends the conversation with a reply of our own.
    fn refuse(&mut self, refusal: &Refusal, head: &[u8]) {
        tracing::debug!(?refusal, "answered before the application");
        let mut reply = refusal.wire();
        if head.starts_with(b"HEAD ") {
            // RFC 9110 section 9.3.2: the header fields of a reply to HEAD, and no body.
            let end = memchr::memmem::find(&reply, b"\r\n\r\n").map_or(reply.len(), |at| at + 4);
            reply.truncate(end);
        }
        self.last_words.extend_from_slice(&reply);
        self.drain = true;
        self.held.clear();
        self.connection.close();
    }

    fn poll_head(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.held.is_empty() {
            let before = buf.filled().len();
            if ready!(self.receive(cx, buf))? == 0 {
                return Poll::Ready(Ok(()));
            }
            if self.pass(buf, before) {
                return Poll::Ready(Ok(()));
            }
            self.held.extend_from_slice(&buf.filled()[before..]);
            buf.set_filled(before);
        }
        loop {
            match self.judge_held() {
                Ok(true) => {
                    self.hand_over(buf);
                    return Poll::Ready(Ok(()));
                }
                Ok(false) => {}
                Err(refusal) => {
                    let head = self.held.split();
                    self.refuse(&refusal, &head);
                    return Poll::Ready(Ok(()));
                }
            }
            self.connection.begin_head();
            let mut piece = [0; PIECE_BYTES];
            let mut into = ReadBuf::new(&mut piece);
            if ready!(self.receive(cx, &mut into))? == 0 {
                return Poll::Ready(Ok(()));
            }
            self.held.extend_from_slice(into.filled());
        }
    }

    /// The common case: a whole head in one read. It is judged where it lies.
    fn pass(&mut self, buf: &mut ReadBuf<'_>, before: usize) -> bool {
        let bytes = &buf.filled()[before..];
        let Ok(Some(length)) = Scan::default().end(bytes) else {
            return false;
        };
        if length > self.bounds.header_bytes_max {
            return false;
        }
        let Ok(admitted) = head::judge(&bytes[..length], self.bounds.headers_max) else {
            return false;
        };
        if admitted.shortened.is_some() {
            return false;
        }
        self.framing = admitted.framing;
        self.connection.admit(Vec::new());
        let body = before + length;
        let taken = self.follow_body(&buf.filled()[body..]);
        self.held.extend_from_slice(&buf.filled()[body + taken..]);
        buf.set_filled(body + taken);
        true
    }

    /// Judges the head at the front of what is held; false while its end is missing.
    fn judge_held(&mut self) -> Result<bool, Refusal> {
        if self.scan.is_fresh() {
            let empty = head::empty_lines(&self.held)?;
            self.held.advance(empty);
            if self.held.as_ref() == b"\r" {
                return Ok(false);
            }
        }
        let end = self.scan.end(&self.held)?;
        if end.unwrap_or(self.held.len()) > self.bounds.header_bytes_max {
            return Err(Refusal::new(ErrorCode::RequestHeaderSectionTooLarge));
        }
        let Some(length) = end else { return Ok(false) };
        let admitted = head::judge(&self.held[..length], self.bounds.headers_max)?;
        self.scan = Scan::default();
        self.framing = admitted.framing;
        self.connection.set_body_left(self.framing.left());
        self.judged = length;
        let mut extra = Vec::new();
        if let Some((short, rest)) = admitted.shortened {
            self.judged = short.len();
            let behind = self.held.split_off(length);
            self.held = BytesMut::from(short.as_slice());
            self.held.unsplit(behind);
            extra = rest;
        }
        self.connection.admit(extra);
        Ok(true)
    }

    /// Gives what is held to actix, as far as it may have it.
    fn hand_over(&mut self, buf: &mut ReadBuf<'_>) {
        if self.judged > 0 {
            let taken = self.judged.min(buf.remaining());
            buf.put_slice(&self.held.split_to(taken));
            self.judged -= taken;
        }
        if self.judged == 0 && !self.held.is_empty() {
            let room = self.held.len().min(buf.remaining());
            let bytes = self.held.split();
            let taken = self.follow_body(&bytes[..room]);
            buf.put_slice(&bytes[..taken]);
            self.held = bytes;
            self.held.advance(taken);
        }
        if self.held.is_empty() {
            // An idle connection holds no memory.
            self.held = BytesMut::new();
        }
    }

    fn poll_body(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.judged > 0 || !self.held.is_empty() {
            self.hand_over(buf);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(self.receive(cx, buf))?;
        let taken = self.follow_body(&buf.filled()[before..]);
        self.held.extend_from_slice(&buf.filled()[before + taken..]);
        buf.set_filled(before + taken);
        Poll::Ready(Ok(()))
    }

    fn follow_body(&mut self, bytes: &[u8]) -> usize {
        let (taken, sound) = self.framing.follow(bytes);
        if sound.is_err() {
            self.connection.cut(Cut::Broken);
        }
        if taken > 0 {
            // A handler that does not come for it is the one who is slow.
            self.connection.want_body(false);
        }
        self.connection.hand_over(taken);
        self.connection.set_body_left(self.framing.left());
        taken
    }

    /// Writes our own reply; true when it is with the kernel.
    fn poll_last_words(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(socket) = &mut self.socket else {
            return Poll::Ready(Ok(()));
        };
        while !self.last_words.is_empty() {
            let written = ready!(Pin::new(&mut *socket).poll_write(cx, &self.last_words))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.last_words.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.connection.remember(cx.waker());
        if let Some(late) = this.connection.late() {
            match late {
                Late::Request => {}
                Late::Head if this.connection.phase() == Phase::Closing => {}
                Late::Head => this.refuse(&Refusal::new(ErrorCode::RequestTimeout), &[]),
                Late::Body => this.connection.cut(Cut::Late),
                Late::Reply => return Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            }
            return Poll::Ready(Ok(()));
        }
        if this.judged > 0 || this.framing != Framing::Complete {
            let is_over = this.connection.why_cut().is_some() || this.connection.phase() == Phase::Closing;
            if is_over && this.judged == 0 {
                // actix would linger over the rest with the connection's buffers at hand; we do with one small one.
                this.drain = true;
                return Poll::Ready(Ok(()));
            }
            if this.judged == 0 && this.connection.is_window_full() {
                this.connection.park();
                return Poll::Pending;
            }
            return this.poll_body(cx, buf);
        }
        match this.connection.phase() {
            Phase::Closing => Poll::Ready(Ok(())),
            Phase::Ready if this.connection.is_stopping() && this.held.is_empty() => Poll::Ready(Ok(())),
            Phase::Ready => this.poll_head(cx, buf),
            Phase::Parsing | Phase::Serving | Phase::Flushing => {
                this.connection.park();
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.connection.late() == Some(Late::Reply) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        match this.connection.phase() {
            Phase::Parsing => {
                // actix refuses a head that we admitted; its reply has no body, ours has.
                let too_large = buf.get(9..12) == Some(b"431".as_slice());
                let code =
                    if too_large { ErrorCode::RequestHeaderSectionTooLarge } else { ErrorCode::BadRequest };
                this.refuse(&Refusal::new(code), &[]);
                ready!(this.poll_last_words(cx))?;
                return Poll::Ready(Ok(buf.len()));
            }
            Phase::Closing => {
                ready!(this.poll_last_words(cx))?;
                return Poll::Ready(Ok(buf.len()));
            }
            Phase::Ready | Phase::Serving | Phase::Flushing => {}
        }
        let Some(socket) = &mut this.socket else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        match Pin::new(socket).poll_write(cx, buf) {
            Poll::Ready(Ok(written)) => {
                this.connection.count_sent(written);
                Poll::Ready(Ok(written))
            }
            Poll::Pending => {
                this.connection.block_writing();
                Poll::Pending
            }
            failed => failed,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A TCP stream buffers nothing of its own, and actix flushes when it has written all it had.
        self.connection.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_last_words(cx))?;
        match &mut self.socket {
            Some(socket) => Pin::new(socket).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.connection.forget();
        let unread = self.drain || self.framing != Framing::Complete || !self.held.is_empty();
        let abandoned = self.connection.late() == Some(Late::Reply);
        if !unread || abandoned {
            return;
        }
        if let (Some(socket), Ok(runtime)) = (self.socket.take(), tokio::runtime::Handle::try_current()) {
            // Not the connection's own task: that one is over.
            drop(runtime.spawn(drain(socket)));
        }
    }
}

/// Says that nothing more will come, then reads until the client closes, or for a moment.
async fn drain(mut socket: TcpStream) {
    use tokio::io::AsyncWriteExt as _;

    // The client may be gone already; then there is nobody to be polite to.
    if socket.shutdown().await.is_err() {
        return;
    }
    let mut sink = [0; PIECE_BYTES];
    let reading = async { while socket.read(&mut sink).await.is_ok_and(|read| read > 0) {} };
    // Either way the connection ends here.
    let _ = tokio::time::timeout(DRAIN, reading).await;
}
