//! Heads: how many headers, how large, in which forms.

use std::fmt::Write as _;
use std::time::Duration;

use super::dummy::Dummy;
use crate::harness::raw::Raw;

fn with_headers(path: &str, count: usize) -> String {
    let mut head = format!("GET {path} HTTP/1.1\r\nhost: h\r\n");
    for number in 0..count {
        write!(head, "X-Amz-Meta-{number}: v{number}\r\n").unwrap();
    }
    head + "\r\n"
}

#[test]
fn a_hundred_short_metadata_headers_arrive() {
    let dummy = Dummy::start();
    for count in [90, 95, 96, 97, 100, 150, 199] {
        let mut raw = Raw::connect(dummy.address);
        for _ in 0..2 {
            raw.send(with_headers("/headers", count));
            let reply = raw.reply();
            assert_eq!(reply.status, 200, "{count}");
            let text = reply.text();
            assert_eq!(text.lines().count(), count + 1, "{count}");
            for number in 0..count {
                assert!(text.contains(&format!("x-amz-meta-{number}=v{number}\n")), "{number} of {count}");
            }
            assert!(text.contains("host=h\n"));
        }
    }
}

#[test]
fn a_shortened_head_keeps_its_body() {
    let dummy = Dummy::start();
    let head = with_headers("/a", 150)
        .replace("GET", "PUT")
        .replace("host: h\r\n", "host: h\r\ncontent-length: 5\r\n");
    let mut raw = Raw::connect(dummy.address);
    raw.send(head.clone() + "abcde" + &head + "fghij");
    assert_eq!(raw.reply().text(), "abcde");
    assert_eq!(raw.reply().text(), "fghij");
}

#[test]
fn too_many_or_too_large_headers_are_an_s3_error() {
    let dummy = Dummy::start();
    let large = format!("GET / HTTP/1.1\r\nhost: h\r\nx: {}\r\n\r\n", "v".repeat(70_000));
    let name = format!("GET / HTTP/1.1\r\nhost: h\r\n{}: v\r\n\r\n", "n".repeat(66_000));
    let short_name = format!("GET / HTTP/1.1\r\nhost: h\r\n{}: v\r\n\r\n", "n".repeat(2_000));
    let connections = format!("GET / HTTP/1.1\r\nhost: h\r\n{}\r\n", "connection: x\r\n".repeat(120));
    for head in [with_headers("/", 200), with_headers("/", 3000), large, name, short_name, connections] {
        let mut raw = Raw::connect(dummy.address);
        raw.send(&head);
        let reply = raw.reply();
        assert_eq!((reply.status, reply.code().as_str()), (400, "RequestHeaderSectionTooLarge"));
        assert!(raw.closes(Duration::from_secs(5)));
    }
    assert_eq!(dummy.seen(), 0);
    assert_eq!(Raw::ask(dummy.address, with_headers("/headers", 1)).status, 200);
}

#[test]
fn a_head_in_pieces_is_one_head() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    let request = "PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc";
    for _ in 0..2 {
        raw.drip(request, Duration::from_millis(1));
        assert_eq!(raw.reply().text(), "abc");
    }
    let long =
        format!("PUT /a HTTP/1.1\r\nhost: h\r\nx: {}\r\ncontent-length: 3\r\n\r\nabc", "v".repeat(50_000));
    raw.send(&long);
    assert_eq!(raw.reply().text(), "abc");
}

#[test]
fn every_form_of_target_arrives_as_sent() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    raw.send("GET http://h.example/target HTTP/1.1\r\nhost: h.example\r\n\r\n");
    assert_eq!(raw.reply().text(), "http://h.example/target");
    raw.send("\r\nOPTIONS * HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(raw.reply().status, 200);
    raw.send("CONNECT h:80 HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(raw.reply().status, 405);
    assert!(raw.closes(Duration::from_secs(5)));
}

#[test]
fn upgrades_are_ignored_or_refused() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    raw.send("PUT /a HTTP/1.1\r\nhost: h\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\nok");
    let reply = raw.reply();
    assert_eq!((reply.status, reply.text().as_str(), reply.header("connection")), (200, "ok", Some("close")));
    assert!(raw.closes(Duration::from_secs(5)));
    let reply = Raw::ask(
        dummy.address,
        "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    );
    assert_eq!((reply.status, reply.code().as_str()), (501, "NotImplemented"));
}

#[test]
fn http_1_0_is_served() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    raw.send("PUT /a HTTP/1.0\r\ncontent-length: 2\r\n\r\nok");
    assert_eq!(raw.reply().text(), "ok");
    assert!(raw.closes(Duration::from_secs(5)));
    let mut raw = Raw::connect(dummy.address);
    raw.send("PUT /a HTTP/1.0\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok");
    let reply = raw.reply();
    assert_eq!((reply.text().as_str(), reply.header("connection")), ("ok", Some("keep-alive")));
    raw.send("GET /nothing HTTP/1.0\r\n\r\n");
    assert_eq!(raw.reply().status, 204);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let dummy = Dummy::start();
    let mut raw = Raw::connect(dummy.address);
    let mut all = String::new();
    for number in 0..50 {
        write!(all, "PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n{number:02}").unwrap();
        write!(all, "HEAD /large/7 HTTP/1.1\r\nhost: h\r\n\r\n").unwrap();
    }
    raw.send(all);
    for number in 0..50 {
        assert_eq!(raw.reply().text(), format!("{number:02}"));
        assert_eq!(raw.reply_to_head().header("content-length"), Some("7"));
    }
}
