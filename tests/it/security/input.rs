//! No input is a panic, and none is a 5xx.

use holdall::auth::sign::SignedPayload;

use crate::harness::raw::Raw;
use crate::harness::server::Server;

fn panics(server: &Server) -> String {
    let metrics = Raw::ask(server.admin_address(), "GET /metrics HTTP/1.1\r\nhost: h\r\n\r\n").text();
    let line = metrics.lines().find(|line| line.starts_with("holdall_panics_total"));
    line.and_then(|line| line.split(' ').nth(1)).expect("a counter of panics").to_owned()
}

#[test]
fn odd_targets_are_client_errors() {
    let server = Server::start();
    let client = server.client_with_bucket("odd");
    for target in [
        "//",
        "///",
        "/?",
        "/odd?",
        "/odd/%",
        "/odd/%zz",
        "/odd/%00",
        "/odd/%ff",
        "/%",
        "/..",
        "/odd/key?versionId=",
        "/odd/key?versionId=%ff",
        "/odd/key?partNumber=0",
        "/odd/key?partNumber=99999999999999999999",
        "/odd?max-keys=-1",
        "/odd?max-keys=x",
        "/odd?list-type=3",
        "/odd?list-type=2&continuation-token=%ff",
        "/odd?encoding-type=none",
        "/odd?&&==&=",
    ] {
        for method in ["GET", "PUT", "DELETE", "POST"] {
            let reply = client.ask(method, target).send();
            let served = reply.status < 500 || reply.status == 501;
            assert!(served, "{method} {target}: {reply:?}");
        }
    }
    for head in ["GET ?a HTTP/1.1\r\nhost: h\r\n\r\n", "GET http:// HTTP/1.1\r\nhost: h\r\n\r\n"] {
        let reply = Raw::ask(server.address(), head);
        assert!((400..500).contains(&reply.status), "{head:?}: {reply:?}");
    }
    assert_eq!(panics(&server), "0");
}

#[test]
fn odd_documents_are_client_errors() {
    let server = Server::start();
    let client = server.client_with_bucket("odd");
    let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]><Delete>&c;</Delete>";
    let deep = "<a>".repeat(100_000);
    let many = format!("<Delete>{}</Delete>", "<Object><Key>k</Key></Object>".repeat(1001));
    for document in ["", "<", "<Delete>", "<Delete></Delete>", "\0\0\0", "\u{feff}", bomb, &deep, &many] {
        for target in ["/odd?delete=", "/odd/key?uploadId=none", "/odd?versioning="] {
            let method = if target.contains("versioning") { "PUT" } else { "POST" };
            let reply =
                client.ask(method, target).header("content-md5", &md5(document)).body(document).send();
            let refused = (400..500).contains(&reply.status) || reply.status == 501;
            assert!(refused, "{target} {:?}: {reply:?}", &document[..document.len().min(30)]);
        }
    }
    assert_eq!(panics(&server), "0");
}

fn md5(text: &str) -> String {
    use base64::Engine as _;
    use md5::Digest as _;
    base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(text))
}

#[test]
fn a_length_may_be_told_in_any_legal_way() {
    let server = Server::start();
    let client = server.client_with_bucket("odd");
    // aws-chunked in HTTP chunks, without any length.
    let head = client
        .ask("PUT", "/odd/key")
        .payload(SignedPayload::UnsignedChunks)
        .header("transfer-encoding", "chunked")
        .header("content-encoding", "aws-chunked")
        .head();
    let mut raw = Raw::connect(server.address());
    raw.send(head);
    let _ = raw.try_send("f\r\n5\r\nhello\r\n0\r\n\r\n\r\n0\r\n\r\n");
    let reply = raw.reply();
    assert!(reply.status == 200 || reply.code() == "MissingContentLength", "{reply:?}");
    // No length at all.
    let head = client.ask("PUT", "/odd/key").head().replace("content-length: 0\r\n", "");
    let reply = Raw::ask(server.address(), head);
    assert!(reply.status == 200 || reply.code() == "MissingContentLength", "{reply:?}");
    assert_eq!(panics(&server), "0");
}

#[test]
fn no_header_is_injected_and_no_origin_invited() {
    let server = Server::start();
    let client = server.client_with_bucket("odd");
    assert_eq!(client.put("/odd/key", "x").status, 200);
    for parameter in ["response-content-type", "response-content-disposition", "response-cache-control"] {
        let reply = client.get(&format!("/odd/key?{parameter}=a%0D%0Ax-injected%3A%201"));
        assert_eq!(reply.header("x-injected"), None);
        assert_eq!(reply.status, 400, "{parameter}: {reply:?}");
    }
    let reply = client.ask("GET", "/odd/key").header("origin", "https://evil.example").send();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), None);
    assert_eq!(reply.header("access-control-allow-credentials"), None);
}
