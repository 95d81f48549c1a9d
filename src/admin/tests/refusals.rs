//! What is not let in, and what is not obeyed.

use std::time::Duration;

use super::Ask;
use super::NOW;
use super::Rig;
use super::SECRET_KEY;
use super::Timestamp;
use super::credentials;
use super::fake::id;
use crate::admin::body::BYTES_MAX;
use crate::admin::endpoints::ENDPOINTS;
use crate::auth::RequestHead;
use crate::auth::sign;
use crate::auth::sign::SignedPayload;

const PLACE: &str = r#"{"path":"/mnt/new"}"#;

/// Nothing may have reached the server.
fn assert_untouched(rig: &Rig) {
    assert!(rig.fake.changes.lock().is_empty() && rig.fake.commands.lock().is_empty());
}

#[test]
fn nothing_but_the_open_pages_answers_without_a_signature() {
    let rig = Rig::new();
    for endpoint in ENDPOINTS {
        let path = endpoint.path.replace("{id}", &id(1).to_string()).replace("{name}", "scrub");
        let reply = rig.send(&Ask::new(endpoint.method, &path).anonymous());
        if endpoint.operation.is_open() {
            assert_eq!(reply.status, 200, "{path}");
        } else {
            assert_eq!((reply.status, reply.code().as_str()), (401, "AccessDenied"), "{path}");
            assert_eq!(reply.header("www-authenticate"), "AWS4-HMAC-SHA256");
        }
    }
    assert_untouched(&rig);
}

#[test]
fn a_signature_must_be_that_of_the_root_user() {
    let rig = Rig::new();
    let ask = Ask::new("POST", "/admin/v1/volumes").json(PLACE);
    let forged = rig.send_with(&ask, &ask.headers(rig.address, "another-secret"));
    assert_eq!((forged.status, forged.code().as_str()), (403, "SignatureDoesNotMatch"));
    let mut headers = ask.headers(rig.address, SECRET_KEY);
    for (_, value) in &mut headers {
        *value = value.replace("root-key", "nobody");
    }
    let stranger = rig.send_with(&ask, &headers);
    assert_eq!((stranger.status, stranger.code().as_str()), (403, "InvalidAccessKeyId"));
    for scheme in ["Bearer abc", "Basic cm9vdC1rZXk6cm9vdC1zZWNyZXQ=", "AWS root-key:c2ln"] {
        let reply = rig.send(&Ask::new("GET", "/admin/v1/status").anonymous().with("authorization", scheme));
        assert!((400..=403).contains(&reply.status), "{scheme}: {reply:?}");
    }
    assert_untouched(&rig);
}

#[test]
fn a_signature_is_for_one_request() {
    let rig = Rig::new();
    let signed = Ask::new("GET", "/admin/v1/volumes").headers(rig.address, SECRET_KEY);
    for (method, target) in [
        ("POST", "/admin/v1/volumes"),
        ("GET", "/admin/v1/jobs"),
        ("DELETE", &*format!("/admin/v1/volumes/{}?force=true", id(1))),
    ] {
        let reply = rig.send_with(&Ask::new(method, target), &signed);
        assert_eq!((reply.status, reply.code().as_str()), (403, "SignatureDoesNotMatch"), "{target}");
    }
    assert_untouched(&rig);
}

#[test]
fn the_body_is_signed() {
    let rig = Rig::new();
    let ask = || Ask::new("POST", "/admin/v1/volumes").json(PLACE);
    let chunks = SignedPayload::SignedChunks { trailer: false };
    for payload in [SignedPayload::Unsigned, chunks, SignedPayload::UnsignedChunks] {
        let reply = rig.send(&ask().payload(payload));
        assert_eq!((reply.status, reply.code().as_str()), (400, "InvalidRequest"), "{payload:?}");
    }
    let mut other = ask();
    let headers = other.headers(rig.address, SECRET_KEY);
    other.body = PLACE.replace("new", "old").into_bytes();
    let reply = rig.send_with(&other, &headers);
    assert_eq!(reply.status, 400, "{reply:?}");
    assert!(reply.body.contains("SHA-256"), "{reply:?}");
    assert_untouched(&rig);
}

#[test]
fn a_signature_of_another_time_does_not_count() {
    let rig = Rig::new();
    let span = Duration::from_secs(16 * 60);
    for now in [NOW.plus(span), Timestamp::from_millis(NOW.as_millis() - span.as_millis() as u64)] {
        let reply = rig.send(&Ask::new("GET", "/admin/v1/status").at(now));
        assert_eq!((reply.status, reply.code().as_str()), (403, "RequestTimeTooSkewed"));
    }
    let near = NOW.plus(Duration::from_secs(14 * 60));
    assert_eq!(rig.send(&Ask::new("GET", "/admin/v1/status").at(near)).status, 200);
    rig.clock.set(NOW.plus(Duration::from_secs(3600)));
    assert_eq!(rig.get("/admin/v1/status").status, 403);
}

#[test]
fn a_presigned_url_does_not_count() {
    let rig = Rig::new();
    let host = rig.address.to_string();
    let headers = [("host", host.as_bytes())];
    let head = RequestHead { method: "GET", path: "/admin/v1/status", query: "", headers: &headers };
    let query = sign::presign(&credentials(SECRET_KEY), &head, Duration::from_secs(60), NOW);
    let reply = rig.send(&Ask::new("GET", &format!("/admin/v1/status?{query}")).anonymous());
    assert_eq!((reply.status, reply.code().as_str()), (401, "AccessDenied"));
}

#[test]
fn a_body_is_json_and_short() {
    let rig = Rig::new();
    let typed = |kind: Option<&str>| {
        let mut ask = Ask::new("POST", "/admin/v1/volumes");
        ask.body = PLACE.into();
        match kind {
            Some(kind) => ask.with("content-type", kind),
            None => ask,
        }
    };
    for kind in
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonx")]
    {
        assert_eq!(rig.send(&typed(kind)).status, 415, "{kind:?}");
    }
    assert_untouched(&rig);
    assert_eq!(rig.send(&typed(Some("application/json; charset=utf-8"))).status, 201);

    let long = |length: usize| {
        let mut text = PLACE.to_owned();
        text.push_str(&" ".repeat(length - text.len()));
        Ask::new("POST", "/admin/v1/volumes").json(text)
    };
    assert_eq!(rig.send(&long(BYTES_MAX)).status, 201);
    let reply = rig.send(&long(BYTES_MAX + 1));
    assert_eq!((reply.status, reply.code().as_str()), (413, "EntityTooLarge"));
    // One that does not say how long it is is cut off as well.
    let ask = long(BYTES_MAX + 1);
    let mut headers = ask.headers(rig.address, SECRET_KEY);
    headers.retain(|(name, _)| name != "content-length");
    headers.push(("transfer-encoding".to_owned(), "chunked".to_owned()));
    let mut chunked = Ask::new("POST", "/admin/v1/volumes");
    chunked.body = format!("{:x}\r\n", ask.body.len()).into_bytes();
    chunked.body.extend_from_slice(&ask.body);
    chunked.body.extend_from_slice(b"\r\n0\r\n\r\n");
    assert_eq!(rig.send_with(&chunked, &headers).status, 413);
}

#[test]
fn what_is_no_document_is_refused() {
    let rig = Rig::new();
    let deep = "[".repeat(20_000);
    let rate = "/admin/v1/jobs/scrub/rate".to_owned();
    let replace = format!("/admin/v1/volumes/{}/replace", id(1));
    let (add, bodies) = (
        "/admin/v1/volumes".to_owned(),
        [
            "",
            "{",
            "null",
            "[]",
            "1",
            "\"/mnt/x\"",
            "{}",
            "{\"path\":null}",
            "{\"path\":1}",
            "{\"path\":\"relative\"}",
            "{\"path\":\"\"}",
            "{\"path\":\"/x\",\"more\":1}",
            "{\"path\":\"/x\",\"path\":\"/y\"}",
            "{\"path\":\"/x\"}}",
            "{\"path\":\"/x\\u0000y\"}",
            "{\"bytes_per_second\":-1}",
            "{\"bytes_per_second\":1.5}",
            "{\"bytes_per_second\":\"1\"}",
            "{\"bytes_per_second\":18446744073709551616}",
            &deep,
        ],
    );
    for target in [&rate, &replace, &add] {
        let method = if target == &rate { "PUT" } else { "POST" };
        for body in bodies {
            let reply = rig.send(&Ask::new(method, target).json(body));
            assert_eq!(reply.status, 400, "{method} {target} {:.60}: {reply:?}", body);
        }
        for bytes in [&b"\xff\xfe"[..], b"{\"path\":\"/\xff\"}", b"\0"] {
            assert_eq!(rig.send(&Ask::new(method, target).json(bytes)).status, 400);
        }
    }
    let long = format!("{{\"path\":\"/{}\"}}", "x".repeat(5000));
    assert_eq!(rig.send(&Ask::new("POST", &add).json(long)).status, 400);
    assert_untouched(&rig);
}

/// Sound documents with a byte changed: refused, or obeyed, never anything else.
#[test]
fn a_changed_byte_is_no_defect() {
    let rig = Rig::new();
    let sound = br#"{"bytes_per_second":1048576}"#;
    for at in 0..sound.len() {
        for byte in [0, b'"', b'{', b'9', 0x80] {
            let mut bytes = sound.to_vec();
            bytes[at] = byte;
            let reply = rig.send(&Ask::new("PUT", "/admin/v1/jobs/scrub/rate").json(bytes));
            assert!([200, 400].contains(&reply.status), "{at} {byte}: {reply:?}");
        }
    }
}

#[test]
fn what_means_nothing_is_not_obeyed_by_half() {
    let rig = Rig::new();
    let one = id(1);
    for (method, target) in [
        ("GET", "/admin/v1/status?verbose=1".to_owned()),
        ("POST", format!("/admin/v1/volumes/{one}/drain?force=yes")),
        ("DELETE", format!("/admin/v1/volumes/{one}?force")),
        ("DELETE", format!("/admin/v1/volumes/{one}?force=1")),
        ("DELETE", format!("/admin/v1/volumes/{one}?force=true&x=1")),
    ] {
        assert_eq!(rig.send(&Ask::new(method, &target)).status, 400, "{target}");
    }
    assert_eq!(rig.send(&Ask::new("POST", "/admin/v1/jobs/scrub/start").json("{}")).status, 400);
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "FOO"] {
        let reply = rig.send(&Ask::new(method, "/admin/v1/volumes"));
        assert_eq!((reply.status, reply.header("allow")), (405, "GET, HEAD, POST"), "{method}");
    }
    for (method, target) in [
        ("GET", format!("/admin/v1/volumes/{}", id(9))),
        ("POST", format!("/admin/v1/volumes/{}/drain", id(9))),
        ("GET", "/admin/v1/volumes/01".to_owned()),
        ("GET", "/admin/v1/volumes/..".to_owned()),
        ("GET", "/admin/v1/jobs/none".to_owned()),
        ("POST", "/admin/v1/jobs/none/start".to_owned()),
        ("GET", "/admin/v1/nothing".to_owned()),
    ] {
        assert_eq!(rig.send(&Ask::new(method, &target)).status, 404, "{target}");
    }
    assert!(rig.fake.commands.lock().is_empty());
}
