//! The framing inside a body is as binding as the head: signatures, lengths, trailers.

use holdall::auth::sign::SignedPayload;

use crate::harness::client::Client;
use crate::harness::raw::Raw;
use crate::harness::raw::Reply;
use crate::harness::server::Server;

/// CRC32 of `hello`, as a trailer carries it.
const CRC32_HELLO: &str = "NhCmhg==";

fn put(server: &Server, client: &Client, chunks: &[&[u8]], decoded: usize, spoil: Option<usize>) -> Reply {
    let ask = client
        .ask("PUT", "/chunked/key")
        .payload(SignedPayload::SignedChunks { trailer: false })
        .header("x-amz-decoded-content-length", &decoded.to_string())
        .header("content-encoding", "aws-chunked")
        .header("transfer-encoding", "chunked");
    let (head, signer) = ask.signed();
    let mut signer = signer.unwrap();
    let mut body = Vec::new();
    for (number, chunk) in chunks.iter().enumerate() {
        signer.update(chunk);
        let mut signature = signer.finish();
        if spoil == Some(number) {
            let other = if signature.starts_with('0') { "1" } else { "0" };
            signature.replace_range(..1, other);
        }
        body.extend(format!("{:x};chunk-signature={signature}\r\n", chunk.len()).into_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    send(server, &head, &body)
}

/// Sends a body in HTTP's own chunks, and ends it.
fn send(server: &Server, head: &str, body: &[u8]) -> Reply {
    let mut raw = Raw::connect(server.address());
    raw.send(head);
    let _ = raw.try_send([format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n0\r\n\r\n"].concat());
    raw.reply()
}

fn server() -> (Server, Client) {
    let server = Server::start();
    let client = server.client_with_bucket("chunked");
    assert_eq!(client.put("/chunked/key", "old").status, 200);
    (server, client)
}

#[test]
fn every_chunk_and_the_length_are_judged() {
    let (server, client) = server();
    let long = vec![b'a'; 70_000];
    let chunks: [&[u8]; 4] = [&long, &long, b"tail", b""];
    let whole = 140_004;
    for spoil in 0..chunks.len() {
        let reply = put(&server, &client, &chunks, whole, Some(spoil));
        assert_eq!((reply.status, reply.code().as_str()), (403, "SignatureDoesNotMatch"), "chunk {spoil}");
    }
    for (chunks, decoded) in [(&chunks[..3], whole), (&chunks[..], whole + 1), (&chunks[..], whole - 1)] {
        let reply = put(&server, &client, chunks, decoded, None);
        assert_eq!((reply.status, reply.code().as_str()), (400, "IncompleteBody"), "{decoded}");
    }
    assert_eq!(client.get("/chunked/key").body, b"old");
    assert_eq!(put(&server, &client, &chunks, whole, None).status, 200);
    assert_eq!(client.get("/chunked/key").body.len(), whole);
}

#[test]
fn a_trailer_is_a_promise() {
    let (server, client) = server();
    let head = client
        .ask("PUT", "/chunked/key")
        .payload(SignedPayload::UnsignedChunks)
        .header("x-amz-decoded-content-length", "5")
        .header("x-amz-trailer", "x-amz-checksum-crc32")
        .header("content-encoding", "aws-chunked")
        .header("transfer-encoding", "chunked")
        .head();
    for (body, status, code) in [
        ("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n".to_owned(), 400, "BadDigest"),
        ("5\r\nhello\r\n0\r\n\r\n".to_owned(), 400, ""),
        ("6\r\nhello\r\n0\r\n\r\n".to_owned(), 400, ""),
        ("zz\r\nhello\r\n0\r\n\r\n".to_owned(), 400, ""),
        ("5\r\nhello".to_owned(), 400, ""),
        (format!("fffffffffffffffff\r\nhello\r\n0\r\nx-amz-checksum-crc32:{CRC32_HELLO}\r\n\r\n"), 400, ""),
    ] {
        let reply = send(&server, &head, body.as_bytes());
        assert_eq!(reply.status, status, "{body:?}: {reply:?}");
        assert!(code.is_empty() || reply.code() == code, "{body:?}: {reply:?}");
        assert_eq!(client.get("/chunked/key").body, b"old", "{body:?}");
    }
    let body = format!("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:{CRC32_HELLO}\r\n\r\n");
    assert_eq!(send(&server, &head, body.as_bytes()).status, 200);
    assert_eq!(client.get("/chunked/key").body, b"hello");
}

#[test]
fn a_body_that_is_not_what_was_signed_is_not_stored() {
    let (server, client) = server();
    let head = client.ask("PUT", "/chunked/key").body("hello").head();
    let mut raw = Raw::connect(server.address());
    raw.send(head + "jello");
    let reply = raw.reply();
    assert_eq!((reply.status, reply.code().as_str()), (400, "XAmzContentSHA256Mismatch"));
    assert_eq!(client.get("/chunked/key").body, b"old");
}
