#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::rc::Rc;

use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::*;
use crate::cli::bench::content::Content;

/// A server that reads a request of any length and answers with the next of `replies`, piece by piece; after the
/// last it closes. Returns what it was sent.
async fn fake(listener: TcpListener, replies: Vec<Vec<&'static [u8]>>) -> Vec<Vec<u8>> {
    let mut requests = Vec::new();
    let (mut stream, _) = listener.accept().await.unwrap();
    for pieces in replies {
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = stream.read(&mut buffer).await.unwrap();
            request.extend_from_slice(&buffer[..read]);
            let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else {
                continue;
            };
            let head = String::from_utf8_lossy(&request[..end]).into_owned();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if request.len() == end + 4 + length {
                break;
            }
        }
        requests.push(request);
        for piece in pieces {
            stream.write_all(piece).await.unwrap();
            stream.flush().await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }
    requests
}

struct Scene {
    connection: Connection,
    server: tokio::task::JoinHandle<Vec<Vec<u8>>>,
}

async fn scene(length_max: u64, replies: Vec<Vec<&'static [u8]>>) -> Scene {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let options = Options {
        endpoint: Rc::new(Endpoint::parse(&url).unwrap()),
        sign_payload: false,
        quickack: true,
        content_type: None,
    };
    let connection = Connection::new(options, None, length_max);
    Scene { connection, server: tokio::spawn(fake(listener, replies)) }
}

fn call<'a>(method: &'a str, keep: Keep) -> Call<'a> {
    Call { method, path: "/b/k", query: "", body: Body::Empty, keep }
}

#[tokio::test]
async fn one_connection_serves_requests_of_every_framing() {
    let mut scene = scene(
        0,
        vec![
            vec![b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 5\r\nETag:  \"e\"\r\n\r\nhel", b"lo"],
            vec![
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nab",
                b"c\r\nA\r\n0123456789\r",
                b"\n0\r\nt: v\r\n\r\n",
            ],
            vec![b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"],
            vec![b"HTTP/1.1 204 No Content\r\n\r\n"],
        ],
    )
    .await;
    let connection = &mut scene.connection;
    assert_eq!(connection.send(&call("GET", Keep::Body)).await.unwrap().body_bytes, 5);
    assert_eq!((connection.body(), connection.etag()), (&b"hello"[..], &b"\"e\""[..]));
    assert_eq!(connection.send(&call("GET", Keep::Body)).await.unwrap().body_bytes, 13);
    assert_eq!((connection.body(), connection.etag()), (&b"abc0123456789"[..], &b""[..]));
    assert_eq!(connection.send(&call("HEAD", Keep::Nothing)).await.unwrap().body_bytes, 0);
    assert_eq!(connection.send(&call("DELETE", Keep::Nothing)).await.unwrap().body_bytes, 0);
    assert_eq!(connection.connects, 1);
    let requests = scene.server.await.unwrap();
    assert!(requests[0].starts_with(b"GET /b/k HTTP/1.1\r\nhost: 127.0.0.1:"));
}

#[tokio::test]
async fn an_interim_answer_is_not_the_answer() {
    let reply = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n";
    let mut scene = scene(0, vec![vec![&reply[..], b"z"]]).await;
    assert_eq!(scene.connection.send(&call("GET", Keep::Body)).await.unwrap().body_bytes, 1);
    assert_eq!(scene.connection.body(), b"z");
}

#[tokio::test]
async fn large_bodies_are_dropped_and_the_connection_stays_in_step() {
    let large: &'static [u8] = vec![7; 3 << 20].leak();
    let mut scene = scene(
        0,
        vec![
            vec![b"HTTP/1.1 200 OK\r\ncontent-length: 3145728\r\n\r\n", large],
            vec![b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"],
        ],
    )
    .await;
    let dropped = scene.connection.send(&call("GET", Keep::Nothing)).await.unwrap();
    assert_eq!(dropped.body_bytes, 3 << 20);
    scene.connection.send(&call("GET", Keep::Body)).await.unwrap();
    assert_eq!(scene.connection.body(), b"ok");
}

#[tokio::test]
async fn bodies_are_sent_whole_and_verified_when_they_come_back() {
    let length = (2 << 20) + 77;
    let mut wanted = Vec::new();
    while (wanted.len() as u64) < length {
        let offset = wanted.len() as u64;
        wanted.extend_from_slice(Content::new(length).segment(3, length, offset));
    }
    let echo: &'static [u8] = wanted.clone().leak();
    let mut spoiled = wanted.clone();
    spoiled[1_500_000] ^= 1;
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 2097229\r\n\r\n";
    let empty = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let replies = vec![vec![&empty[..]], vec![&head[..], echo], vec![&head[..], spoiled.leak()]];
    let mut scene = scene(length, replies).await;
    let put = Call { body: Body::Made { identity: 3, length }, ..call("PUT", Keep::Nothing) };
    scene.connection.send(&put).await.unwrap();
    scene.connection.send(&call("GET", Keep::Compare(3))).await.unwrap();
    let failure = scene.connection.send(&call("GET", Keep::Compare(3))).await.unwrap_err();
    assert!(matches!(failure, Failure::Wrong(_)), "{failure:?}");
    let connection = scene.connection;
    drop(connection);
    let request = &scene.server.await.unwrap()[0];
    assert!(request.ends_with(&wanted));
}

#[tokio::test]
async fn refusals_carry_the_code_and_close_when_told() {
    let mut scene = scene(
        0,
        vec![vec![b"HTTP/1.1 503 Slow\r\ncontent-length: 35\r\n\r\n<Error><Code>SlowDown</Code></Error>"]],
    )
    .await;
    // The length is one short of the document, so one byte is left over: the connection cannot be used again.
    let failure = scene.connection.send(&call("GET", Keep::Nothing)).await.unwrap_err();
    assert_eq!(failure, Failure::Status(503, String::new()));
    scene.server.await.unwrap();
    let failure = scene.connection.send(&call("GET", Keep::Nothing)).await.unwrap_err();
    assert!(matches!(failure, Failure::Connection(_)), "{failure:?}");
}

#[tokio::test]
async fn an_error_document_is_read_and_the_connection_kept() {
    let mut scene = scene(
        0,
        vec![
            vec![
                b"HTTP/1.1 404 Not Found\r\ncontent-length: 37\r\n\r\n<Error><Code>NoSuchKey</Code></Error>",
            ],
            vec![b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"],
        ],
    )
    .await;
    let failure = scene.connection.send(&call("GET", Keep::Nothing)).await.unwrap_err();
    assert_eq!(failure.to_string(), "404 NoSuchKey");
    scene.connection.send(&call("GET", Keep::Nothing)).await.unwrap();
    assert_eq!(scene.connection.connects, 1);
}

#[tokio::test]
async fn replies_that_are_not_http_are_failures() {
    for (reply, reason) in [
        (&b"SSH-2.0\r\n\r\n"[..], "no status line"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "body without length"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", "content-length"),
        (b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "header without colon"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "chunk"),
    ] {
        let mut scene = scene(0, vec![vec![reply]]).await;
        let failure = scene.connection.send(&call("GET", Keep::Nothing)).await.unwrap_err();
        assert_eq!(failure, Failure::Malformed(reason));
    }
}

#[test]
fn addresses_are_read() {
    let parsed = |url: &str| Endpoint::parse(url).map(|endpoint| (endpoint.address, endpoint.host));
    let pair = |a: &str, b: &str| Ok((a.to_owned(), b.to_owned()));
    assert_eq!(parsed("http://127.0.0.1:9000"), pair("127.0.0.1:9000", "127.0.0.1:9000"));
    assert_eq!(parsed("http://host/"), pair("host:80", "host"));
    assert_eq!(parsed("http://host:80"), pair("host:80", "host"));
    assert_eq!(parsed("http://[::1]:9000"), pair("[::1]:9000", "[::1]:9000"));
    assert_eq!(parsed("http://[::1]"), pair("[::1]:80", "[::1]"));
    for wrong in ["https://host", "host:80", "http://", "http://host/bucket", "http://host:x"] {
        assert!(parsed(wrong).is_err(), "{wrong}");
    }
}
