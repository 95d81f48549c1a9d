use super::HOST;
use super::Server;
use crate::auth::sign::SignedPayload;

#[actix_rt::test]
async fn nobody_in_particular_may_nothing() {
    let server = Server::with_bucket().await;
    server.send("PUT", "/bkt/k", &[], b"x").await;
    for (method, uri) in [
        ("GET", "/"),
        ("GET", "/bkt"),
        ("GET", "/bkt/k"),
        ("GET", "/bkt/missing"),
        ("GET", "/missing/k"),
        ("PUT", "/bkt/k"),
        ("DELETE", "/bkt/k"),
        ("POST", "/bkt?delete"),
        ("GET", "/bkt?acl"),
        ("OPTIONS", "/bkt/k"),
    ] {
        let answer = server.raw(method, uri, &[("host", HOST), ("content-length", "0")], b"").await;
        assert_eq!(answer.refusal(), (403, "AccessDenied".to_owned()), "{method} {uri}");
    }
    assert_eq!(server.send("GET", "/bkt/k", &[], b"").await.body, b"x");
}

#[actix_rt::test]
async fn a_refusal_tells_what_it_is_about_and_closes_on_an_unread_body() {
    let server = Server::with_bucket().await;
    let refused = server.raw("PUT", "/bkt/k%20x", &[("host", HOST), ("content-length", "3")], b"abc").await;
    assert_eq!(refused.element("Resource"), "/bkt/k%20x");
    assert_eq!(Some(refused.element("RequestId").as_str()), refused.header("x-amz-request-id"));
    assert!(refused.closes, "the body was not read");
    let missing = server.send("GET", "/bkt/none", &[], b"").await;
    assert_eq!(missing.element("Key"), "none");
    assert!(!missing.closes);
    let head = server.send("HEAD", "/bkt/none", &[], b"").await;
    assert_eq!((head.status, head.body.len(), head.header("content-type")), (404, 0, None));
}

#[actix_rt::test]
async fn bodies_that_break_their_promises_are_not_stored() {
    let server = Server::with_bucket().await;
    for (headers, code) in [
        (&[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")][..], "BadDigest"),
        (&[("content-md5", "nonsense")], "InvalidDigest"),
        (&[("x-amz-checksum-crc32", "AAAAAA==")], "BadDigest"),
        (&[("x-amz-checksum-crc32", "AAAA")], "BadDigest"),
        (&[("x-amz-tagging", "a=b")], "NotImplemented"),
        (&[("x-amz-acl", "public-read")], "NotImplemented"),
        (&[("x-amz-storage-class", "CELLAR")], "InvalidStorageClass"),
    ] {
        let answer = server.send("PUT", "/bkt/k", headers, b"hello").await;
        assert_eq!(answer.element("Code"), code, "{headers:?}");
        assert!(answer.status < 600);
    }
    let other = SignedPayload::of(b"other");
    let answer = server.send_as(other, "PUT", "/bkt/k", &[], b"hello").await;
    assert_eq!(answer.refusal(), (400, "XAmzContentSHA256Mismatch".to_owned()));
    assert_eq!(server.send("GET", "/bkt/k", &[], b"").await.status, 404);
}

#[actix_rt::test]
async fn odd_paths_are_keys_or_refusals() {
    let server = Server::with_bucket().await;
    server.send("PUT", "/bkt/victim", &[], b"x").await;
    for (uri, status) in [
        ("/bkt/../bkt/victim", 404),
        ("/bkt/%2e%2e/bkt/victim", 404),
        ("/bkt//victim", 404),
        ("/bkt/%00", 404),
        ("/bkt/%", 400),
        ("/bkt/%ff", 400),
        ("//", 400),
        ("/..", 400),
        ("/bkt/victim?versionId=abc", 501),
    ] {
        let answer = server.send("GET", uri, &[], b"").await;
        assert_eq!(answer.status, status, "{uri}: {}", answer.text());
    }
    let long = format!("/bkt/{}", "k".repeat(1025));
    assert_eq!(server.send("PUT", &long, &[], b"").await.refusal(), (400, "KeyTooLongError".to_owned()));
}

#[actix_rt::test]
async fn a_body_must_say_how_long_it_is() {
    let server = Server::with_bucket().await;
    let head = super::Head::new("PUT", "/bkt/k", &[]);
    let now = crate::sys::clock::Clock::now(&crate::sys::clock::SystemClock);
    let signed =
        crate::auth::sign::sign_head(&super::credentials(), &head.head(), SignedPayload::of(b""), now);
    let mut headers: Vec<(&str, &str)> =
        signed.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    headers.push(("host", HOST));
    let answer = server.raw("PUT", "/bkt/k", &headers, b"").await;
    assert_eq!(answer.refusal(), (411, "MissingContentLength".to_owned()));
}

/// What Python's clients do with a header that is not ASCII.
#[actix_rt::test]
async fn metadata_signed_as_utf8_and_sent_as_latin1_comes_back_as_sent() {
    let server = Server::with_bucket().await;
    let head = super::Head::new("PUT", "/bkt/k", &[("x-amz-meta-n", "\u{e9}")]);
    let now = crate::sys::clock::Clock::now(&crate::sys::clock::SystemClock);
    let signed =
        crate::auth::sign::sign_head(&super::credentials(), &head.head(), SignedPayload::of(b"x"), now);
    for (sent, status) in [(&b"\xe9"[..], 200), ("\u{e9}".as_bytes(), 200), (b"\xea", 403)] {
        let mut request = actix_web::test::TestRequest::with_uri("/bkt/k").method("PUT".parse().unwrap());
        for (name, value) in &signed.headers {
            request = request.append_header((*name, value.as_str()));
        }
        let request = request.append_header(("host", HOST)).append_header(("x-amz-meta-n", sent));
        let (request, payload) = request.set_payload("x").to_http_parts();
        assert_eq!(server.pipeline.serve(request, payload).await.status().as_u16(), status);
        if status == 200 {
            let (request, payload) = get_signed();
            let response = server.pipeline.serve(request, payload).await;
            assert_eq!(response.headers().get("x-amz-meta-n").unwrap().as_bytes(), sent);
        }
    }
}

fn get_signed() -> (actix_web::HttpRequest, actix_web::dev::Payload) {
    let head = super::Head::new("GET", "/bkt/k", &[]);
    let now = crate::sys::clock::Clock::now(&crate::sys::clock::SystemClock);
    let signed =
        crate::auth::sign::sign_head(&super::credentials(), &head.head(), SignedPayload::of(b""), now);
    let mut request = actix_web::test::TestRequest::with_uri("/bkt/k").append_header(("host", HOST));
    for (name, value) in &signed.headers {
        request = request.append_header((*name, value.as_str()));
    }
    request.to_http_parts()
}
