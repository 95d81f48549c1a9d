//! `100 Continue` comes when the handler wants the body, and not before.

use std::time::Duration;

use super::dummy::Dummy;
use crate::harness::raw::Raw;

const MOMENT: Duration = Duration::from_millis(300);

#[test]
fn continue_comes_when_the_body_is_wanted() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    for _ in 0..3 {
        raw.send("PUT /a HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
        assert_eq!(raw.reply().status, 100);
        raw.stays_silent(MOMENT);
        raw.send("abcde");
        let reply = raw.reply();
        assert_eq!((reply.status, reply.text().as_str()), (200, "abcde"));
    }
    raw.send("PUT /a HTTP/1.1\r\nhost: h\r\nExpect: 100-Continue\r\ntransfer-encoding: chunked\r\n\r\n");
    assert_eq!(raw.reply().status, 100);
    raw.send("5\r\nabcde\r\n0\r\n\r\n");
    assert_eq!(raw.reply().text(), "abcde");
    assert_eq!(dummy.seen(), 4);
}

#[test]
fn a_refusal_is_final_and_closes() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    raw.send("PUT /refuse HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
    let reply = raw.reply();
    assert_eq!((reply.status, reply.text().as_str()), (403, "no"));
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(raw.closes(Duration::from_secs(5)));
    assert_eq!(dummy.seen(), 1);
}

#[test]
fn a_handler_that_thinks_first_says_nothing() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    raw.send("PUT /sleep/600 HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
    raw.stays_silent(MOMENT);
    assert_eq!(raw.reply().status, 200);
}

#[test]
fn a_body_that_does_not_wait_is_taken() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    raw.send("PUT /a HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\nabcde");
    let mut reply = raw.reply();
    if reply.status == 100 {
        reply = raw.reply();
    }
    assert_eq!(reply.text(), "abcde");
}

#[test]
fn no_body_needs_no_continue() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    raw.send("PUT /a HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(raw.reply().status, 200);
    raw.send("GET /nothing HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\n\r\n");
    assert_eq!(raw.reply().status, 204);
    raw.send("PUT /panic HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
    assert_eq!(raw.reply().status, 500);
}
