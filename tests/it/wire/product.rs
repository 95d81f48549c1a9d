//! What the wire promises, asked of the whole server.

use std::time::Duration;

use holdall::auth::sign::SignedPayload;
use holdall::base::Timestamp;

use crate::harness::client::Client;
use crate::harness::raw::Raw;
use crate::harness::server::Server;

/// Of the document below.
const MD5: &str = "VUxjCEXWiErKatrg6+J0xA==";

const MOMENT: Duration = Duration::from_millis(300);

fn hasty() -> Server {
    Server::with(1, |config| {
        config.limits.header_timeout = Duration::from_secs(1);
        config.limits.body_idle_timeout = Duration::from_secs(1);
    })
}

fn stored(client: &Client, target: &str) -> Vec<u8> {
    let reply = client.get(target);
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

#[test]
fn a_body_is_invited_after_the_signature_was_judged() {
    let server = Server::start();
    let client = server.client_with_bucket("expecting");
    let put = |client: &Client| {
        let ask = client.ask("PUT", "/expecting/key").header("expect", "100-continue").body("hello");
        let head = ask.head();
        let mut raw = Raw::connect(server.address());
        raw.send(head);
        raw
    };
    let mut raw = put(&client);
    assert_eq!(raw.reply().status, 100);
    raw.send("hello");
    assert_eq!(raw.reply().status, 200);
    assert_eq!(stored(&client, "/expecting/key"), b"hello");

    let stranger = Client::new(server.address(), crate::harness::server::ACCESS_KEY, "another-secret-key");
    let mut raw = put(&stranger);
    let reply = raw.reply();
    assert_eq!((reply.status, reply.code().as_str()), (403, "SignatureDoesNotMatch"));
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(raw.closes(Duration::from_secs(3)));
}

#[test]
fn a_refusal_can_be_read_while_the_body_is_still_sent() {
    let server = Server::start();
    let client = server.client();
    let ask = client
        .ask("PUT", "/missing-bucket/key")
        .payload(SignedPayload::Unsigned)
        .header("content-length", "500000000");
    let mut raw = Raw::connect(server.address());
    raw.send(ask.head());
    for _ in 0..100 {
        if raw.try_send([b'x'; 65536]).is_err() {
            break;
        }
    }
    assert_eq!(raw.reply().code(), "NoSuchBucket");
}

#[test]
fn an_upload_that_is_cut_or_stalls_changes_nothing() {
    let server = hasty();
    let client = server.client_with_bucket("cutting");
    for size in [1600, 1_600_000] {
        assert_eq!(client.put("/cutting/key", "old").status, 200);
        let head = client
            .ask("PUT", "/cutting/key")
            .payload(SignedPayload::Unsigned)
            .header("content-length", &size.to_string())
            .head();
        for sixteenth in 0..16 {
            let mut raw = Raw::connect(server.address());
            raw.send(&head);
            raw.send(vec![b'n'; size / 16 * sixteenth]);
            raw.finish();
            let reply = raw.reply();
            assert_eq!((reply.status, reply.code().as_str()), (400, "IncompleteBody"), "{sixteenth}");
        }
        let mut raw = Raw::connect(server.address());
        raw.send(&head);
        raw.send(vec![b'n'; size / 2]);
        let reply = raw.reply();
        assert_eq!((reply.status, reply.code().as_str()), (400, "RequestTimeout"));
        assert!(raw.closes(Duration::from_secs(3)));
        assert_eq!(stored(&client, "/cutting/key"), b"old");
    }
}

#[test]
fn a_slow_head_is_an_s3_error() {
    let server = hasty();
    let mut raw = Raw::connect(server.address());
    raw.drip("GET / HTTP/1.1\r\nhost: h", Duration::from_millis(100));
    assert_eq!(raw.reply().code(), "RequestTimeout");
}

#[test]
fn bytes_are_stored_as_they_were_sent() {
    let server = Server::start();
    let client = server.client_with_bucket("codings");
    let bomb = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff];
    let reply = client.ask("PUT", "/codings/key").header("content-encoding", "gzip").body(bomb).send();
    assert_eq!(reply.status, 200, "{reply:?}");
    let reply = client.get("/codings/key");
    assert_eq!((reply.body.as_slice(), reply.header("content-encoding")), (bomb.as_slice(), Some("gzip")));
}

#[test]
fn many_short_metadata_headers_are_kept() {
    let server = Server::start();
    let client = server.client_with_bucket("metadata");
    let mut ask = client.ask("PUT", "/metadata/key").body("x");
    for number in 0..120 {
        ask = ask.header(&format!("x-amz-meta-{number}"), &format!("v{number}"));
    }
    let reply = ask.send();
    assert_eq!(reply.status, 200, "{reply:?}");
    let reply = client.head("/metadata/key");
    for number in 0..120 {
        assert_eq!(reply.header(&format!("x-amz-meta-{number}")), Some(format!("v{number}").as_str()));
    }
}

#[test]
fn a_smuggled_request_stores_nothing() {
    let server = Server::start();
    let client = server.client_with_bucket("smuggling");
    let second = client.ask("PUT", "/smuggling/second").body("x");
    let second = second.head() + "x";
    for framing in [
        "content-length: 5\r\ntransfer-encoding: chunked",
        "content-length: +5",
        "transfer-encoding: xchunked",
    ] {
        let mut raw = Raw::connect(server.address());
        raw.send(format!("PUT /smuggling/first HTTP/1.1\r\nhost: h\r\n{framing}\r\n\r\n0\r\n\r\n"));
        let _ = raw.try_send(&second);
        assert_eq!(raw.reply().code(), "BadRequest", "{framing}");
        assert!(raw.closes(Duration::from_secs(3)));
    }
    // A body that holds a request is a body.
    let mut raw = Raw::connect(server.address());
    raw.send(client.ask("PUT", "/smuggling/first").body(second.clone()).head());
    raw.send(&second);
    assert_eq!(raw.reply().status, 200);
    raw.stays_silent(MOMENT);
    assert_eq!(client.head("/smuggling/second").status, 404);
}

#[test]
fn head_errors_have_no_body() {
    let server = Server::start();
    let client = server.client_with_bucket("heads");
    let mut raw = Raw::connect(server.address());
    for (target, status) in [("/heads/missing", 404), ("/missing-bucket", 404), ("/heads", 200)] {
        let reply = client.ask("HEAD", target).send_on(&mut raw);
        assert_eq!(reply.status, status, "{target}");
        assert_eq!(reply.header("transfer-encoding"), None);
        assert!(reply.header("content-length").is_some(), "{target}: {reply:?}");
    }
}

#[test]
fn a_stop_lets_an_upload_end() {
    let mut server = Server::start();
    let client = server.client_with_bucket("stopping");
    let body = vec![b'x'; 200_000];
    let head = client.ask("PUT", "/stopping/key").body(body.clone()).head();
    let mut raw = Raw::connect(server.address());
    raw.send(head);
    raw.send(&body[..100_000]);
    std::thread::sleep(MOMENT);
    let sender = std::thread::spawn(move || {
        std::thread::sleep(MOMENT);
        raw.send(&body[100_000..]);
        raw.reply()
    });
    server.stop();
    let reply = sender.join().unwrap();
    assert_eq!((reply.status, reply.header("connection")), (200, Some("close")), "{reply:?}");
    server.resume();
    assert_eq!(stored(&server.client(), "/stopping/key").len(), 200_000);
}

#[test]
fn what_was_stored_outlives_a_restart() {
    let mut server = Server::with(3, |_| {});
    let client = server.client_with_bucket("restarting");
    assert_eq!(client.put("/restarting/key", vec![b'x'; 100_000]).status, 200);
    assert!(server.volume(2).read_dir().unwrap().count() > 0, "the third volume is not used");
    server.restart();
    let client = server.client();
    assert_eq!(stored(&client, "/restarting/key").len(), 100_000);
    let target = client.presign("GET", "/restarting/key", Duration::from_secs(60));
    assert_eq!(client.ask("GET", &target).anonymous().send().status, 200);
    assert_eq!(client.ask("GET", "/restarting/key").anonymous().send().code(), "AccessDenied");
    let skewed = Timestamp::from_secs(1_500_000_000);
    assert_eq!(client.ask("GET", "/restarting/key").at(skewed).send().code(), "RequestTimeTooSkewed");
    let document = "<Delete><Object><Key>key</Key></Object></Delete>";
    let reply = client.ask("POST", "/restarting?delete=").header("content-md5", MD5).body(document).send();
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(client.delete("/restarting/key").status, 204);
    let live = Raw::ask(server.admin_address(), "GET /health/live HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(live.status, 200);
}
