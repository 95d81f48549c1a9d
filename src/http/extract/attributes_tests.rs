#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::http::extract::tests::request;

#[test]
fn headers_and_metadata_are_kept_as_sent() {
    let request = request(
        "",
        &[
            ("content-type", "text/plain"),
            ("cache-control", "no-cache"),
            ("content-disposition", "attachment; filename=\"ä\""),
            ("content-language", "de"),
            ("expires", "tomorrow"),
            ("x-amz-website-redirect-location", "/elsewhere"),
            ("x-amz-storage-class", "STANDARD_IA"),
            ("x-amz-meta-b", "2"),
            ("x-amz-meta-a", "1"),
            ("x-amz-meta-a", "again"),
            ("x-amz-meta-empty", ""),
            ("authorization", "secret"),
        ],
    );
    let attributes = attributes(&request).unwrap();
    let headers = attributes.headers;
    assert_eq!(headers.content_type.as_deref(), Some("text/plain"));
    assert_eq!(headers.cache_control.as_deref(), Some("no-cache"));
    assert_eq!(
        latin1_bytes(&headers.content_disposition.unwrap()).as_ref(),
        "attachment; filename=\"ä\"".as_bytes()
    );
    assert_eq!(headers.content_language.as_deref(), Some("de"));
    assert_eq!(headers.expires.as_deref(), Some("tomorrow"));
    assert_eq!(headers.website_redirect.as_deref(), Some("/elsewhere"));
    assert_eq!(attributes.storage_class.as_deref(), Some("STANDARD_IA"));
    let expected = [("a", "1,again"), ("b", "2"), ("empty", "")];
    let metadata: Vec<_> = attributes.user_metadata.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(metadata, expected);
}

#[test]
fn the_framing_of_the_transfer_is_no_encoding_of_the_object() {
    let encoding =
        |value| attributes(&request("", &[("content-encoding", value)])).unwrap().headers.content_encoding;
    for (sent, kept) in [
        ("aws-chunked", None),
        ("aws-chunked,gzip", Some("gzip")),
        ("gzip, AWS-Chunked , br", Some("gzip,br")),
        ("gzip, br", Some("gzip, br")),
        ("aws-chunked,", None),
    ] {
        assert_eq!(encoding(sent).as_deref(), kept, "{sent}");
    }
}

#[test]
fn user_metadata_may_have_2_kib() {
    let of = |length: usize| {
        let value = "v".repeat(length);
        attributes(&request("", &[("x-amz-meta-name", value.as_str())])).map(|_| ())
    };
    assert!(of(2044).is_ok());
    assert_eq!(of(2045).unwrap_err().code, ErrorCode::MetadataTooLarge);
}

#[test]
fn what_cannot_be_sent_back_is_refused() {
    for (name, value) in [
        ("x-amz-meta-a", "line\nbreak"),
        ("x-amz-meta-", "v"),
        ("x-amz-meta-a b", "v"),
        ("content-type", "text/\r\nx: y"),
        ("x-amz-website-redirect-location", "ftp://x"),
    ] {
        let error = attributes(&request("", &[(name, value)])).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument, "{name}: {value:?}");
    }
}
