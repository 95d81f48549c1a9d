#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
//! The window of a body.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::task::Wake;
use std::task::Waker;

use super::Connection;
use super::WINDOW_BYTES;
use crate::sys::metrics::Metrics;

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A connection whose reading waits behind a full window.
fn full() -> (Rc<Connection>, Arc<Woken>) {
    let connection = Connection::new(Arc::new(Metrics::new().unwrap()));
    let woken = Arc::new(Woken::default());
    connection.remember(&Waker::from(Arc::clone(&woken)));
    connection.hand_over(WINDOW_BYTES - 1);
    assert!(!connection.is_window_full());
    connection.hand_over(1);
    assert!(connection.is_window_full());
    connection.park();
    (connection, woken)
}

#[test]
fn reading_goes_on_once_half_of_the_window_is_taken() {
    let (connection, woken) = full();
    connection.take(WINDOW_BYTES / 2 - 1);
    assert_eq!(woken.0.load(Ordering::SeqCst), 0);
    connection.take(1);
    assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    assert!(!connection.is_window_full());
}

#[test]
fn a_handler_that_waits_opens_the_window_whatever_the_framing_took() {
    let (connection, woken) = full();
    connection.take(WINDOW_BYTES / 6);
    connection.want_body(true);
    assert!(!connection.is_window_full());
    assert_eq!(woken.0.load(Ordering::SeqCst), 1);
}

#[test]
fn a_reply_opens_the_window() {
    let (connection, woken) = full();
    connection.replied();
    assert!(!connection.is_window_full());
    assert_eq!(woken.0.load(Ordering::SeqCst), 1);
}
