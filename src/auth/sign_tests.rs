#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::auth::fixture::Request;
use crate::auth::fixture::at;
use crate::auth::fixture::credentials;
use crate::auth::fixture::root;

const NOW: &str = "20130524T000000Z";

#[test]
fn the_example_of_a_presigned_request() {
    let headers: [(&str, &[u8]); 1] = [("host", b"examplebucket.s3.amazonaws.com")];
    let head = RequestHead { method: "GET", path: "/test.txt", query: "", headers: &headers };
    assert_eq!(
        presign(&credentials(), &head, Duration::from_secs(86_400), at(NOW)),
        "X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}

#[test]
fn a_signed_head_carries_what_its_receiver_needs() {
    let head = RequestHead { method: "GET", path: "/", query: "", headers: &[("host", b"localhost")] };
    let signed = sign_head(&credentials(), &head, SignedPayload::of(b""), at(NOW));
    let names: Vec<&str> = signed.headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["x-amz-date", "x-amz-content-sha256", "authorization"]);
    assert_eq!(signed.headers[0].1, NOW);
    assert_eq!(signed.headers[1].1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

#[test]
fn a_presigned_query_is_added_to_the_one_there_is() {
    let request = Request::new("GET", "/b/k", "versionId=1&partNumber=2", &[("host", "localhost")]);
    let query = request.with_head(|head| presign(&credentials(), head, Duration::from_secs(1), at(NOW)));
    assert!(query.starts_with("versionId=1&partNumber=2&X-Amz-Algorithm="));
    assert_eq!(Request { query, ..request }.identity(at(NOW)), Ok(root()));
}

#[test]
fn encoding_leaves_only_unreserved_characters() {
    assert_eq!(encoded("aZ09-._~/+ %\u{e9}"), "aZ09-._~%2F%2B%20%25%C3%A9");
}
