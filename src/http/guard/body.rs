//! The bodies of a request and its reply, as far as the connection must know of them.

use std::any::Any;
use std::cell::Cell;
use std::cell::RefCell;
use std::io;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use actix_web::body::BodySize;
use actix_web::body::BoxBody;
use actix_web::body::MessageBody;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream;
use futures_util::StreamExt as _;

use super::connection::Connection;
use super::connection::Cut;
use super::stream::DRAIN;
use crate::sys::metrics::Metrics;

/// A body that its handler left unread is read to the end, so that the connection can go on, when no more than
/// this is missing, in bytes.
const LEFTOVER_BYTES_MAX: u64 = 256 << 10;

/// The body of a request: read by the handler, and kept until the reply is encoded. (actix takes a dropped body
/// for one that it must read to its end, however long that is.)
pub(super) struct Incoming {
    payload: RefCell<Payload>,
    connection: Rc<Connection>,
    ended: Cell<bool>,
    /// The client waits for `100 Continue` before it sends the body.
    expects: bool,
    /// The handler has asked for a body that the client has not begun to send.
    invited: Cell<bool>,
}

impl Incoming {
    pub(super) fn new(payload: Payload, connection: Rc<Connection>, expects: bool) -> Rc<Self> {
        Rc::new(Self {
            payload: RefCell::new(payload),
            connection,
            ended: Cell::new(false),
            expects,
            invited: Cell::new(false),
        })
    }

    /// What the handler gets.
    pub(super) fn reader(self: &Rc<Self>) -> Payload {
        Payload::Stream { payload: Box::pin(Reader(Rc::clone(self))) }
    }

    /// Whether the client is to be told to go on.
    pub(super) fn is_invited(&self) -> bool {
        self.invited.get()
    }

    /// Brings the body to its end if that is near; false when the connection has to be closed instead.
    pub(super) async fn settle(self: &Rc<Self>) -> bool {
        let waits = self.expects && !self.invited.get();
        if self.ended.get() {
            return true;
        }
        if waits || self.connection.body_left().is_some_and(|left| left > LEFTOVER_BYTES_MAX) {
            return false;
        }
        let mut reader = Reader(Rc::clone(self));
        let mut budget = LEFTOVER_BYTES_MAX;
        let reading = async {
            while let Some(Ok(bytes)) = reader.next().await {
                match budget.checked_sub(bytes.len() as u64) {
                    Some(left) => budget = left,
                    None => return,
                }
            }
        };
        // Late is an answer too: `ended` says whether it was reached.
        let _ = tokio::time::timeout(DRAIN, reading).await;
        self.connection.want_body(false);
        self.ended.get()
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        if self.ended.get() {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut *self.payload.borrow_mut()).poll_next(cx);
        self.connection.want_body(polled.is_pending());
        match &polled {
            Poll::Pending => self.invited.set(self.expects),
            Poll::Ready(None) => self.ended.set(true),
            Poll::Ready(Some(Err(_))) => return Poll::Ready(Some(Err(self.error()))),
            Poll::Ready(Some(Ok(bytes))) => self.connection.take(bytes.len()),
        }
        polled
    }

    fn error(&self) -> PayloadError {
        match self.connection.why_cut() {
            Some(Cut::Late) => PayloadError::Io(io::ErrorKind::TimedOut.into()),
            Some(Cut::Broken) => PayloadError::Io(io::ErrorKind::InvalidData.into()),
            None => PayloadError::Incomplete(None),
        }
    }
}

struct Reader(Rc<Incoming>);

impl Stream for Reader {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll(cx)
    }
}

/// The body of a reply. When it is dropped the reply is encoded, or the connection gone.
pub struct Outgoing {
    body: BoxBody,
    /// The request was HEAD: the size is told, the bytes are not.
    silent: bool,
    connection: Rc<Connection>,
    incoming: Option<Rc<Incoming>>,
    metrics: Arc<Metrics>,
}

impl Outgoing {
    pub(super) fn new(
        body: BoxBody,
        silent: bool,
        connection: Rc<Connection>,
        incoming: Option<Rc<Incoming>>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { body, silent, connection, incoming, metrics }
    }
}

impl MessageBody for Outgoing {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = &mut *self;
        if this.silent {
            return Poll::Ready(None);
        }
        let body = Pin::new(&mut this.body);
        catch_unwind(AssertUnwindSafe(|| body.poll_next(cx))).unwrap_or_else(|panic| {
            report(&*panic, &this.metrics);
            this.silent = true;
            Poll::Ready(Some(Err("the body of a reply panicked".into())))
        })
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.incoming = None;
        self.connection.replied();
    }
}

/// A panic is a fault of ours: it is counted and logged, and the process goes on.
pub(super) fn report(panic: &(dyn Any + Send), metrics: &Metrics) {
    metrics.panics.inc();
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("(not text)"), "a request handler panicked");
}
