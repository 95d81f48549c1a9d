//! The published examples of AWS
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html#example-signature-calculations>).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::auth::Secret;
use crate::auth::fixture::ACCESS_KEY;
use crate::auth::fixture::OneKey;
use crate::auth::fixture::Request;
use crate::auth::fixture::at;
use crate::auth::fixture::lenient;
use crate::auth::fixture::root;
use crate::auth::sign::SignedPayload;

const DAY: &str = "20130524T000000Z";
const HOST: (&str, &str) = ("host", "examplebucket.s3.amazonaws.com");
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn authorization(signed_headers: &str, signature: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20130524/us-east-1/s3/aws4_request,SignedHeaders={signed_headers},\
         Signature={signature}"
    )
}

fn assert_root(request: &Request) {
    assert_eq!(request.identity(at(DAY)), Ok(root()));
}

#[test]
fn example_get_object() {
    let value = authorization(
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    );
    let request = Request::new(
        "GET",
        "/test.txt",
        "",
        &[HOST, ("range", "bytes=0-9"), ("x-amz-content-sha256", EMPTY), ("x-amz-date", DAY)],
    );
    assert_root(&request.with("authorization", &value));
}

#[test]
fn example_put_object_signs_date_instead_of_x_amz_date() {
    let value = authorization(
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    );
    let request = Request::new(
        "PUT",
        "/test%24file.text",
        "",
        &[
            HOST,
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("x-amz-date", DAY),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
        ],
    );
    let request = request.with("authorization", &value);
    assert_root(&request);
    // The raw form of the same path has the same canonical form.
    assert_root(&Request { path: "/test$file.text".to_owned(), ..request });
}

#[test]
fn example_get_bucket_lifecycle_and_list() {
    let signed = "host;x-amz-content-sha256;x-amz-date";
    for (query, signature) in [
        ("lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ] {
        let headers = [HOST, ("x-amz-date", DAY), ("x-amz-content-sha256", EMPTY)];
        let request = Request::new("GET", "/", query, &headers);
        assert_root(&request.with("authorization", &authorization(signed, signature)));
    }
}

#[test]
fn example_presigned() {
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256\
                 &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
                 &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
                 &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let request = Request::new("GET", "/test.txt", query, &[HOST]);
    assert_root(&request);
    assert_eq!(request.identity(at("20130525T000000Z")), Ok(root()));
    assert!(request.identity(at("20130525T000001Z")).is_err());
}

#[test]
fn a_request_that_is_not_signed_is_anonymous() {
    let request = Request::new("GET", "/b/k", "x=1", &[HOST]);
    assert_eq!(request.identity(at(DAY)), Ok(Identity::Anonymous));
    assert_eq!(request.clone().with("authorization", " ").identity(at(DAY)), Ok(Identity::Anonymous));
    let payload = |value: &str| {
        let request = request.clone().with("x-amz-content-sha256", value);
        request.authenticate(&lenient(), at(DAY)).map(Authenticated::into_payload)
    };
    assert!(matches!(payload(EMPTY), Ok(Payload::Sha256(_))));
    assert!(matches!(payload("UNSIGNED-PAYLOAD"), Ok(Payload::Unsigned)));
    assert!(matches!(payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), Ok(Payload::Chunked(_))));
    assert!(payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD").is_err());
}

#[test]
fn the_header_is_read_in_any_spacing_and_order() {
    let request = Request::new("GET", "/b/k", "", &[HOST]).signed(SignedPayload::Unsigned, at(DAY));
    let value = request.header("authorization");
    let rest = value.strip_prefix("AWS4-HMAC-SHA256 ").unwrap();
    let parts: Vec<&str> = rest.split(", ").collect();
    for written in [
        format!("AWS4-HMAC-SHA256 {}", parts.join(",")),
        format!("AWS4-HMAC-SHA256   {}", parts.join(" ,  ")),
        format!("AWS4-HMAC-SHA256 {},{},{}", parts[2], parts[0], parts[1]),
        format!("  AWS4-HMAC-SHA256\t{},", parts.join(", ")),
        value.replace("host;x-amz-content-sha256;x-amz-date", "x-amz-date;host;x-amz-content-sha256"),
    ] {
        assert_root(&request.clone().with("authorization", &written));
    }
}

#[test]
fn an_accept_encoding_replaced_on_the_way_is_forgiven() {
    let signed = |value: &str| {
        Request::new("GET", "/b/k", "", &[HOST, ("accept-encoding", value)])
            .signed(SignedPayload::Unsigned, at(DAY))
    };
    assert_root(&signed("identity").with("accept-encoding", "gzip"));
    assert_root(&signed("identity").with("accept-encoding", "identity,gzip(gfe)"));
    assert_root(&signed("identity").without("accept-encoding"));
    assert_root(&signed("gzip").with("accept-encoding", "identity"));
    assert!(signed("br").with("accept-encoding", "gzip").identity(at(DAY)).is_err());
    assert!(
        signed("identity").with("accept-encoding", "gzip").with("host", "other").identity(at(DAY)).is_err()
    );
}

#[test]
fn a_second_slash_that_was_signed_plain_and_sent_encoded_is_forgiven() {
    let signed =
        |path| Request::new("PUT", path, "", &[("host", "h")]).signed(SignedPayload::Unsigned, at(DAY));
    let sent = |mut request: Request, path: &str| {
        request.path = path.to_owned();
        request
    };
    assert_root(&sent(signed("/b/odd//x"), "/b/odd/%2Fx"));
    assert_root(&sent(signed("/b/odd//x"), "/b/odd/%2fx"));
    assert_root(&signed("/b/odd/%2Fx"));
    assert!(sent(signed("/b/odd//x"), "/b/odd/%2Fy").identity(at(DAY)).is_err());
    assert!(sent(signed("/b/odd/x"), "/b/odd%2Fx").identity(at(DAY)).is_err());
}

#[test]
fn a_rotated_secret_signs_nothing_even_while_its_key_is_cached() {
    struct Rotated;
    impl Keys for Rotated {
        fn find(&self, _: &str) -> Option<Key> {
            let secret = Secret::new("another".to_owned());
            Some(Key { secret, identity: root() })
        }
    }
    let verifier = lenient();
    let request = Request::new("GET", "/b/k", "", &[HOST]).signed(SignedPayload::Unsigned, at(DAY));
    assert!(request.authenticate(&verifier, at(DAY)).is_ok());
    let refused = request.with_head(|head| verifier.authenticate(head, &Rotated, at(DAY)));
    assert_eq!(refused.err().unwrap().code, ErrorCode::SignatureDoesNotMatch);
    assert!(request.authenticate(&verifier, at(DAY)).is_ok());
}

/// Prints what one verification costs; run with `--release` or the `quick` profile, `--ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn cost_of_one_verification() {
    let put = Request::new(
        "PUT",
        "/bucket/some/key/of/usual/length.bin",
        "",
        &[
            HOST,
            ("content-length", "1048576"),
            ("content-type", "application/octet-stream"),
            ("user-agent", "aws-sdk-rust/1.0 os/linux lang/rust/1.90"),
            ("x-amz-meta-one", "first"),
            ("x-amz-meta-two", "second"),
        ],
    )
    .signed(SignedPayload::of(b"body"), at(DAY));
    let list = Request {
        method: "GET".to_owned(),
        path: "/bucket".to_owned(),
        query: "delimiter=%2F&encoding-type=url&list-type=2&max-keys=1000&prefix=some%2Fkey%2F".to_owned(),
        headers: put.headers[..6].to_vec(),
    }
    .signed(SignedPayload::of(b""), at(DAY));
    let (verifier, now) = (lenient(), at(DAY));
    for (name, request) in [("PUT", put), ("LIST", list)] {
        request.with_head(|head| {
            // The fastest of many short runs: what it costs when nothing else has the core.
            let run = |_| {
                let begin = std::time::Instant::now();
                for _ in 0..100 {
                    assert!(verifier.authenticate(std::hint::black_box(head), &OneKey, now).is_ok());
                }
                begin.elapsed().as_secs_f64() * 1e6 / 100.0
            };
            let micros = (0..2000).map(run).fold(f64::INFINITY, f64::min);
            println!("{name}: {micros:.2} microseconds");
        });
    }
}
