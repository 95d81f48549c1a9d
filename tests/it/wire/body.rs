//! Request bodies: stored as sent, read or not read.

use std::time::Duration;
use std::time::Instant;

use super::dummy::Dummy;
use crate::harness::raw::Raw;

/// `gzip` of "hello, holdall" repeated is not needed: anything that claims to be gzip must come back unchanged.
const GZIP: [u8; 23] = [
    0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0, 0x86, 0xa6, 0x10, 0x36,
    0x05, 0,
];

#[test]
fn a_body_is_never_inflated() {
    let dummy = Dummy::start();
    for coding in ["gzip", "br", "zstd", "deflate", "aws-chunked,gzip"] {
        let mut raw = Raw::connect(dummy.address);
        raw.send(format!(
            "PUT /a HTTP/1.1\r\nhost: h\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n",
            GZIP.len()
        ));
        raw.send(GZIP);
        assert_eq!(raw.reply().body, GZIP, "{coding}");
    }
}

#[test]
fn large_bodies_pass_whole_in_both_framings() {
    let dummy = Dummy::start();
    let body: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    let mut raw = Raw::connect(dummy.address);
    raw.send(format!("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n", body.len()));
    raw.send(&body);
    assert!(raw.reply().body == body);
    raw.send("PUT /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n");
    for chunk in body.chunks(70_001) {
        raw.send(format!("{:X}\r\n", chunk.len()));
        raw.send(chunk);
        raw.send("\r\n");
    }
    raw.send("0\r\n\r\n");
    assert!(raw.reply().body == body);
}

#[test]
fn a_handler_that_comes_late_gets_the_whole_body() {
    let dummy = Dummy::start();
    let body: Vec<u8> = (0..1_000_000_u32).map(|at| (at % 251) as u8).collect();
    let mut raw = Raw::connect(dummy.address);
    raw.send(format!("PUT /late/300 HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n", body.len()));
    raw.send(&body);
    assert!(raw.reply().body == body);
    // Six bytes of framing for each byte of the body: what waits is not what the handler takes.
    let chunked: String = "1\r\nx\r\n".repeat(200_000);
    raw.send("PUT /late/300 HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n");
    raw.send(format!("{chunked}0\r\n\r\n"));
    assert!(raw.reply().body == vec![b'x'; 200_000]);
}

#[test]
fn a_small_unread_body_keeps_the_connection() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    for framing in
        ["content-length: 5\r\n\r\nabcde", "transfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"]
    {
        raw.send(format!("PUT /refuse HTTP/1.1\r\nhost: h\r\n{framing}"));
        let reply = raw.reply();
        assert_eq!((reply.status, reply.header("connection")), (403, None));
    }
    // Some clients send head and body separately.
    raw.send("PUT /refuse HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n");
    std::thread::sleep(Duration::from_millis(100));
    raw.send("abcde");
    assert_eq!(raw.reply().status, 403);
    raw.send("GET /nothing HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(raw.reply().status, 204);
}

#[test]
fn a_client_still_sending_can_read_the_refusal() {
    let dummy = Dummy::start();
    for framing in ["content-length: 400000000", "transfer-encoding: chunked"] {
        let mut raw = Raw::connect(dummy.address);
        raw.send(format!("PUT /refuse HTTP/1.1\r\nhost: h\r\n{framing}\r\n\r\n"));
        let begun = Instant::now();
        // Goes on until the server has had enough; then the reply must still be there.
        let piece = [b"10000\r\n".as_slice(), &[b'x'; 65536], b"\r\n"].concat();
        let mut sent = 0;
        while sent < 8_000_000 && raw.try_send(&piece).is_ok() {
            sent += piece.len();
        }
        let reply = raw.reply();
        assert_eq!((reply.status, reply.header("connection")), (403, Some("close")), "{framing}");
        assert!(sent > 500_000, "cut after {sent} bytes");
        assert!(raw.closes(Duration::from_secs(4)));
        assert!(begun.elapsed() < Duration::from_secs(8));
    }
}

#[test]
fn an_endless_unread_body_is_cut() {
    let dummy = Dummy::start();
    for framing in ["content-length: 400000000000", "transfer-encoding: chunked"] {
        let mut raw = Raw::connect(dummy.address);
        raw.send(format!("PUT /refuse HTTP/1.1\r\nhost: h\r\n{framing}\r\n\r\n"));
        let begun = Instant::now();
        while raw.try_send("5\r\nabcde\r\n").is_ok() && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(begun.elapsed() < Duration::from_secs(6), "{framing}");
    }
}

#[test]
fn a_cut_body_is_told_if_the_client_still_reads() {
    let dummy = Dummy::start();
    for sent in 0..16 {
        let mut raw = Raw::connect(dummy.address);
        raw.send("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 16\r\n\r\n");
        raw.send(vec![b'x'; sent]);
        raw.finish();
        let reply = raw.reply();
        assert_eq!(reply.status, 400, "{sent}");
        assert!(reply.text().contains("Incomplete"), "{sent}: {reply:?}");
        assert!(raw.closes(Duration::from_secs(3)));
    }
}
