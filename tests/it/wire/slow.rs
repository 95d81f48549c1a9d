//! Nobody holds a connection by doing nothing, or next to nothing.

use std::io::Read as _;
use std::time::Duration;
use std::time::Instant;

use super::dummy::Dummy;
use super::dummy::hasty;
use crate::harness::raw::Raw;

const GET: &str = "GET /nothing HTTP/1.1\r\nhost: h\r\n\r\n";

/// The reply to a client that is too slow, and the end of the connection.
fn times_out(raw: &mut Raw) {
    let reply = raw.reply();
    assert_eq!((reply.status, reply.code().as_str()), (400, "RequestTimeout"));
    assert!(raw.closes(Duration::from_secs(3)));
}

#[test]
fn slow_heads_end_on_every_request() {
    let dummy = Dummy::with(hasty());
    for requests in 0..3 {
        let mut raw = Raw::connect(dummy.address);
        for _ in 0..requests {
            raw.send(GET);
            assert_eq!(raw.reply().status, 204);
        }
        let begun = Instant::now();
        raw.drip("GET /slow HTTP/1.1\r\nhost: h", Duration::from_millis(100));
        times_out(&mut raw);
        assert!(begun.elapsed() < Duration::from_secs(6));
    }
}

#[test]
fn a_head_that_stops_ends() {
    let dummy = Dummy::with(hasty());
    let mut raw = Raw::connect(dummy.address);
    raw.send("GET /slow HT");
    times_out(&mut raw);
}

#[test]
fn idle_connections_are_closed_without_a_word() {
    let dummy = Dummy::with(hasty());
    let mut fresh = Raw::connect(dummy.address);
    assert!(fresh.closes(Duration::from_secs(2)), "a connection that never asked");
    let mut used = Raw::connect(dummy.address);
    used.send(GET);
    assert_eq!(used.reply().status, 204);
    used.stays_silent(Duration::from_millis(800));
    assert!(used.closes(Duration::from_secs(3)), "a connection that asked once");
}

#[test]
fn slow_bodies_end() {
    let dummy = Dummy::with(hasty());
    for head in
        ["content-length: 1000", "transfer-encoding: chunked", "content-length: 1000\r\nexpect: 100-continue"]
    {
        let mut raw = Raw::connect(dummy.address);
        raw.send(format!("PUT /a HTTP/1.1\r\nhost: h\r\n{head}\r\n\r\n"));
        if head.contains("expect") {
            assert_eq!(raw.reply().status, 100);
        }
        raw.drip("5\r\nabcde\r\n5\r\nabcde\r\n", Duration::from_millis(60));
        let reply = raw.reply();
        assert_eq!(reply.status, 400);
        assert!(reply.text().contains("TimedOut"), "{reply:?}");
        assert!(raw.closes(Duration::from_secs(3)));
    }
}

#[test]
fn a_body_with_pauses_that_moves_on_is_served() {
    let dummy = Dummy::with(hasty());
    let mut raw = Raw::connect(dummy.address);
    raw.send("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 10000\r\n\r\n");
    for _ in 0..10 {
        std::thread::sleep(Duration::from_millis(150));
        raw.send(vec![b'x'; 1000]);
    }
    assert_eq!(raw.reply().body.len(), 10_000);
}

#[test]
fn a_handler_may_take_its_time() {
    let dummy = Dummy::with(hasty());
    let mut raw = Raw::connect(dummy.address);
    raw.send("PUT /sleep/1500 HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nok");
    assert_eq!(raw.reply().text(), "slept");
}

#[test]
fn a_reply_that_nobody_reads_is_cut() {
    let dummy = Dummy::with(hasty());
    let mut raw = Raw::connect(dummy.address);
    raw.send("GET /large/1000000000 HTTP/1.1\r\nhost: h\r\n\r\n");
    while dummy.seen() == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let before = Instant::now();
    while dummy.metrics.connections.get() > 0 && before.elapsed() < Duration::from_secs(8) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(dummy.metrics.connections.get(), 0, "the connection is still held");
    let mut sink = Vec::new();
    // Ends with a reset or an end; either way far from a gigabyte.
    let _ = raw.socket().read_to_end(&mut sink);
    assert!(sink.len() < 100_000_000);
}

#[test]
fn a_slow_reader_that_reads_on_gets_everything() {
    let dummy = Dummy::with(hasty());
    let mut raw = Raw::connect(dummy.address);
    raw.send("GET /large/20000000 HTTP/1.1\r\nhost: h\r\n\r\n");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(raw.reply().body.len(), 20_000_000);
}
