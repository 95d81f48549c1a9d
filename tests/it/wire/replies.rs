//! Replies: which have a body, and what happens to a panic.

use std::time::Duration;

use super::dummy::Dummy;
use crate::harness::raw::Raw;

#[test]
fn head_has_a_length_and_no_body() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    for (path, status, length) in
        [("/large/1000000", 200, "1000000"), ("/refuse", 403, "2"), ("/large/0", 200, "0")]
    {
        raw.send(format!("HEAD {path} HTTP/1.1\r\nhost: h\r\n\r\n"));
        let reply = raw.reply_to_head();
        assert_eq!((reply.status, reply.header("content-length")), (status, Some(length)), "{path}");
        assert_eq!(reply.header("transfer-encoding"), None);
    }
    raw.send("HEAD /panic HTTP/1.1\r\nhost: h\r\n\r\n");
    let reply = raw.reply_to_head();
    assert_eq!(reply.status, 500);
    assert!(reply.header("content-length").is_some());
    raw.send("GET /nothing HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(raw.reply().status, 204);
    raw.send("HEAD /a HTTP/1.1\r\n\r\n");
    assert_eq!(raw.reply_to_head().status, 400);
    assert!(raw.closes(Duration::from_secs(3)));
}

#[test]
fn some_statuses_have_no_body() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    for (path, status) in [("/nothing", 204), ("/unchanged", 304), ("/nothing", 204)] {
        raw.send(format!("GET {path} HTTP/1.1\r\nhost: h\r\n\r\n"));
        let reply = raw.reply();
        assert_eq!((reply.status, reply.header("transfer-encoding")), (status, None));
    }
}

#[test]
fn a_panic_is_an_internal_error_and_no_more() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    for count in 1..=3 {
        raw.send("PUT /panic HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nok");
        let reply = raw.reply();
        assert_eq!((reply.status, reply.code().as_str()), (500, "InternalError"));
        assert_eq!(dummy.metrics.panics.get(), count);
    }
    raw.send("GET /nothing HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(raw.reply().status, 204);
}

#[test]
fn a_panic_within_a_reply_ends_the_connection_alone() {
    let dummy = Dummy::start();
    let mut neighbour = Raw::connect(dummy.address);
    neighbour.send("GET /nothing HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(neighbour.reply().status, 204);
    let mut raw = Raw::connect(dummy.address);
    raw.send("GET /panic-late HTTP/1.1\r\nhost: h\r\n\r\n");
    assert!(raw.closes(Duration::from_secs(3)));
    assert_eq!(dummy.metrics.panics.get(), 1);
    neighbour.send("GET /nothing HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(neighbour.reply().status, 204);
}

#[test]
fn small_replies_do_not_wait_for_an_acknowledgement() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    let begun = std::time::Instant::now();
    for _ in 0..50 {
        raw.send("GET /large/4096 HTTP/1.1\r\nhost: h\r\n\r\n");
        assert_eq!(raw.reply().body.len(), 4096);
    }
    // A delayed acknowledgement costs 40 ms each time.
    assert!(begun.elapsed() < Duration::from_millis(50 * 20), "{:?}", begun.elapsed());
}
