//! Nobody is believed without a signature that covers what they ask.

use std::time::Duration;

use holdall::auth::sign::SignedPayload;

use crate::harness::client::Client;
use crate::harness::raw::Raw;
use crate::harness::raw::Reply;
use crate::harness::server::SECRET_KEY;
use crate::harness::server::Server;

/// Method and target of operations on a bucket that is there and a key that is.
const OPERATIONS: &[(&str, &str)] = &[
    ("GET", "/"),
    ("PUT", "/another"),
    ("DELETE", "/guarded"),
    ("HEAD", "/guarded"),
    ("GET", "/guarded"),
    ("GET", "/guarded?list-type=2"),
    ("GET", "/guarded?versions="),
    ("GET", "/guarded?location="),
    ("GET", "/guarded?uploads="),
    ("POST", "/guarded?delete="),
    ("PUT", "/guarded/key"),
    ("GET", "/guarded/key"),
    ("HEAD", "/guarded/key"),
    ("DELETE", "/guarded/key"),
    ("POST", "/guarded/key?uploads="),
    ("PUT", "/guarded/key?partNumber=1&uploadId=none"),
    ("GET", "/guarded/key?uploadId=none"),
    ("POST", "/guarded/key?uploadId=none"),
    ("DELETE", "/guarded/key?uploadId=none"),
];

/// The head with one digit of its signature changed.
fn spoilt(head: &str) -> String {
    let (before, after) = head.split_once("Signature=").unwrap();
    let other = if after.starts_with('0') { '1' } else { '0' };
    format!("{before}Signature={other}{}", &after[1..])
}

fn refused(server: &Server, method: &str, head: &str, code: &str) {
    let mut raw = Raw::connect(server.address());
    raw.send(head);
    let what = head.lines().next().unwrap();
    if method == "HEAD" {
        assert_eq!(raw.reply_to_head().status, 403, "{what}");
    } else {
        let reply = raw.reply();
        assert_eq!((reply.status, reply.code().as_str()), (403, code), "{what}");
    }
}

fn unchanged(client: &Client) {
    assert_eq!(client.get("/guarded/key").body, b"secret");
    assert_eq!(client.head("/another").status, 404);
}

#[test]
fn every_operation_judges_every_kind_of_signature() {
    let server = Server::start();
    let client = server.client_with_bucket("guarded");
    assert_eq!(client.put("/guarded/key", "secret").status, 200);
    for (method, target) in OPERATIONS {
        refused(&server, method, &spoilt(&client.ask(method, target).head()), "SignatureDoesNotMatch");
        for payload in [
            SignedPayload::Unsigned,
            SignedPayload::UnsignedChunks,
            SignedPayload::SignedChunks { trailer: false },
            SignedPayload::SignedChunks { trailer: true },
        ] {
            let ask = client.ask(method, target).payload(payload).header("x-amz-decoded-content-length", "0");
            refused(&server, method, &spoilt(&ask.head()), "SignatureDoesNotMatch");
        }
        let presigned = spoilt(&client.presign(method, target, Duration::from_secs(60)));
        refused(&server, method, &client.ask(method, &presigned).anonymous().head(), "SignatureDoesNotMatch");
        refused(&server, method, &client.ask(method, target).anonymous().head(), "AccessDenied");
    }
    unchanged(&client);
}

#[test]
fn two_signatures_at_once_are_refused() {
    let server = Server::start();
    let client = server.client_with_bucket("guarded");
    let target = client.presign("GET", "/guarded?list-type=2", Duration::from_secs(60));
    let reply = client.get(&target);
    assert_eq!((reply.status, reply.code().as_str()), (400, "InvalidArgument"));
}

#[test]
fn no_well_known_key_opens_the_door() {
    let server = Server::start();
    for (access, secret) in [
        ("minioadmin", "minioadmin"),
        ("rustfsadmin", "rustfsadmin"),
        ("admin", "admin"),
        ("root", "root"),
        ("test", "test"),
        ("holdall", "holdall"),
        ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ] {
        let reply = Client::new(server.address(), access, secret).get("/");
        assert_eq!((reply.status, reply.code().as_str()), (403, "InvalidAccessKeyId"), "{access}");
    }
    let reply = Client::new(server.address(), "", "").get("/");
    assert!([400, 403].contains(&reply.status), "{reply:?}");
}

#[test]
fn what_a_presigned_request_adds_must_be_signed() {
    let server = Server::start();
    let client = server.client_with_bucket("guarded");
    assert_eq!(client.put("/guarded/key", "secret").status, 200);
    for (name, value) in [
        ("x-amz-copy-source", "/guarded/key"),
        ("x-amz-acl", "public-read"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-meta-a", "b"),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-storage-class", "STANDARD"),
    ] {
        let target = client.presign("PUT", "/guarded/copy", Duration::from_secs(60));
        let reply = client.ask("PUT", &target).anonymous().header(name, value).send();
        assert_eq!((reply.status, reply.code().as_str()), (403, "AccessDenied"), "{name}");
        assert_eq!(client.head("/guarded/copy").status, 404, "{name}");
    }
    let target = client.presign("PUT", "/guarded/plain", Duration::from_secs(60));
    assert_eq!(client.ask("PUT", &target).anonymous().body("x").send().status, 200);
}

#[test]
fn no_reply_tells_the_secret() {
    let server = Server::start();
    let client = server.client_with_bucket("guarded");
    let replies: Vec<Reply> = vec![
        Raw::ask(server.address(), spoilt(&client.ask("GET", "/guarded").head())),
        Raw::ask(server.admin_address(), "GET /metrics HTTP/1.1\r\nhost: h\r\n\r\n"),
        Raw::ask(server.admin_address(), "GET /health/ready HTTP/1.1\r\nhost: h\r\n\r\n"),
        client.get("/"),
    ];
    for reply in replies {
        assert!(!reply.text().contains(SECRET_KEY), "{reply:?}");
    }
}
