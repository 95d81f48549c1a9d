//! Requests with more than one meaning are refused, and nothing behind them runs.

use std::time::Duration;

use super::dummy::Dummy;
use crate::harness::raw::Raw;

const SECOND: &str = "GET /second HTTP/1.1\r\nhost: h\r\n\r\n";

fn refused(dummy: &Dummy, first: &str) {
    let before = dummy.seen();
    let mut raw = Raw::connect(dummy.address);
    raw.send(first);
    // The rest may find the connection closed.
    let _ = raw.try_send(SECOND);
    let reply = raw.reply();
    assert_eq!(reply.status, 400, "{first:?}");
    assert!(["BadRequest", "InvalidURI"].contains(&reply.code().as_str()), "{first:?}: {reply:?}");
    assert_eq!(reply.header("connection"), Some("close"), "{first:?}");
    assert_eq!(reply.header("content-type"), Some("application/xml"));
    assert!(raw.closes(Duration::from_secs(5)), "{first:?}");
    assert_eq!(dummy.seen(), before, "{first:?} reached a handler");
}

#[test]
fn ambiguous_heads_are_refused() {
    let dummy = Dummy::start();
    for head in [
        "PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "PUT /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        "PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nabcde",
        "PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcde",
        "PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: +5\r\n\r\nabcde",
        "PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: -5\r\n\r\nabcde",
        "PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 0x5\r\n\r\nabcde",
        "PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 5,5\r\n\r\nabcde",
        "PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: \r\n\r\n",
        "PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 99999999999999999999\r\n\r\nabcde",
        "PUT /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        "PUT /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "PUT /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "PUT /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        "PUT /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: identity\r\n\r\n",
        "PUT /a HTTP/1.0\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /a HTTP/1.1\nhost: h\r\n\r\n",
        "GET /a HTTP/1.1\r\nhost: h\n\r\n",
        "GET /a HTTP/1.1\r\nhost: h\r\n\n",
        "GET /a HTTP/1.1\r\nhost: h\r\nx: a\r\n b\r\n\r\n",
        "GET /a HTTP/1.1\r\nhost: h\r\nx: a\rb\r\n\r\n",
        "GET /a HTTP/1.1\r\nhost: h\r\nx: a\0b\r\n\r\n",
        "GET /a HTTP/1.1\r\n\r\n",
        "GET /a HTTP/1.1\r\nhost: h\r\nhost: i\r\n\r\n",
        "GET /a HTTP/2.0\r\nhost: h\r\n\r\n",
        "GET  /a HTTP/1.1\r\nhost: h\r\n\r\n",
        "GET /a\r\n\r\n",
        "GET /a b HTTP/1.1\r\nhost: h\r\n\r\n",
        "GET a HTTP/1.1\r\nhost: h\r\n\r\n",
        "GET /a#b HTTP/1.1\r\nhost: h\r\n\r\n",
        "GET /\u{e9} HTTP/1.1\r\nhost: h\r\n\r\n",
        "GET * HTTP/1.1\r\nhost: h\r\n\r\n",
        "\r\n\r\n\r\nGET /a HTTP/1.1\r\nhost: h\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}hello TLS",
        "(: hello",
    ] {
        refused(&dummy, head);
    }
    assert_eq!(dummy.metrics.panics.get(), 0);
}

#[test]
fn the_same_is_refused_behind_a_good_request() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    raw.send("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nok");
    assert_eq!(raw.reply().body, b"ok");
    raw.send(
        "PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    );
    let _ = raw.try_send(SECOND);
    assert_eq!(raw.reply().code(), "BadRequest");
    assert!(raw.closes(Duration::from_secs(5)));
    assert_eq!(dummy.seen(), 1);
}

#[test]
fn broken_chunks_end_the_connection_with_one_reply() {
    let dummy = Dummy::start();
    for chunks in [
        "5x\r\nabcde\r\n0\r\n\r\n",
        "5\r\nabcdef\r\n0\r\n\r\n",
        "-1\r\n",
        "\r\n",
        "fffffffffffffffff\r\n",
        "5\nabcde\r\n",
    ] {
        let before = dummy.seen();
        let mut raw = Raw::connect(dummy.address);
        raw.send(format!("PUT /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n{chunks}"));
        let _ = raw.try_send(SECOND);
        let reply = raw.reply();
        assert_eq!(reply.status, 400, "{chunks:?}");
        assert!(reply.text().contains("InvalidData"), "{chunks:?}: {reply:?}");
        assert_eq!(reply.header("connection"), Some("close"), "{chunks:?}");
        assert!(raw.closes(Duration::from_secs(5)), "{chunks:?}");
        assert_eq!(dummy.seen(), before + 1, "{chunks:?}");
    }
}

#[test]
fn a_body_hides_no_request() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    raw.send(format!("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n{SECOND}", SECOND.len()));
    assert_eq!(raw.reply().text(), SECOND);
    raw.send(format!(
        "PUT /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n{:x};e=\"1\"\r\n{SECOND}\r\n0\r\nt: 1\r\n\r\n",
        SECOND.len()
    ));
    assert_eq!(raw.reply().text(), SECOND);
    assert_eq!(dummy.seen(), 2);
}

#[test]
fn a_smuggled_request_behind_a_refused_body_never_runs() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    raw.send(format!("PUT /refuse HTTP/1.1\r\nhost: h\r\ncontent-length: 9999999\r\n\r\n{SECOND}"));
    assert_eq!(raw.reply().status, 403);
    let _ = raw.try_send(SECOND);
    assert!(raw.closes(Duration::from_secs(5)));
    assert_eq!(dummy.seen(), 1);
}
