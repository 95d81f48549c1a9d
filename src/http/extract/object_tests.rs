#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::http::extract::tests::request;
use crate::http::extract::tests::target;

fn read(query: &str, headers: &[(&str, &str)]) -> Result<(get::Input, Wish), Error> {
    get(&request(query, headers), &target(), true)
}

#[test]
fn a_read_selects_bytes() {
    assert_eq!(read("", &[]).unwrap().0.selection, Selection::Whole);
    let range = read("", &[("range", "bytes=0-4")]).unwrap().0.selection;
    assert_eq!(range, Selection::Range("bytes=0-4".to_owned()));
    let (input, wish) = read("partNumber=2", &[("x-amz-checksum-mode", "enabled")]).unwrap();
    assert_eq!(input.selection, Selection::Part(2));
    assert!(wish.parts_count && wish.checksum);
    for query in ["partNumber=0", "partNumber=10001", "partNumber=-1", "partNumber=", "partNumber=x"] {
        assert_eq!(read(query, &[]).unwrap_err().code, ErrorCode::InvalidArgument, "{query}");
    }
    let both = read("partNumber=1", &[("range", "bytes=0-4")]).unwrap_err();
    assert_eq!(both.code, ErrorCode::InvalidRequest);
}

#[test]
fn only_signed_requests_override_headers() {
    let query = "response-content-type=text%2Fhtml&response-content-disposition=attachment%3B%20filename%3D%22%C3%A9%22";
    let overrides = read(query, &[]).unwrap().1.overrides;
    assert!(overrides.contains(&("content-type", "text/html".to_owned())));
    let (_, disposition) = overrides.iter().find(|(name, _)| *name == "content-disposition").unwrap();
    let bytes = crate::http::request::latin1_bytes(disposition);
    assert_eq!(bytes.as_ref(), "attachment; filename=\"é\"".as_bytes());
    let anonymous = get(&request(query, &[]), &target(), false).unwrap_err();
    assert_eq!(anonymous.code, ErrorCode::InvalidRequest);
    for injected in ["a%0D%0Ax:y", "a%0Ab", "a%00", "a%7F"] {
        let query = format!("response-content-type={injected}");
        assert_eq!(read(&query, &[]).unwrap_err().code, ErrorCode::InvalidArgument, "{injected}");
    }
}

#[test]
fn conditions_are_read_from_their_headers() {
    let date = "Wed, 21 Oct 2015 07:28:00 GMT";
    let headers = [
        ("if-match", "\"a\""),
        ("if-none-match", "*"),
        ("if-modified-since", date),
        ("if-unmodified-since", "no date"),
    ];
    let conditions = read("", &headers).unwrap().0.conditions;
    assert_eq!(conditions.if_match.as_deref(), Some("\"a\""));
    assert_eq!(conditions.if_none_match.as_deref(), Some("*"));
    assert_eq!(conditions.if_modified_since.unwrap().as_secs(), 1_445_412_480);
    assert_eq!(conditions.if_unmodified_since, None, "a date that cannot be read is ignored (RFC 9110)");
}

#[test]
fn writes_and_deletes_take_the_conditions_s3_has() {
    let input = put(&request("", &[("if-none-match", "*")]), &target()).unwrap();
    assert_eq!(input.conditions.if_none_match.as_deref(), Some("*"));
    let dated = put(&request("", &[("if-unmodified-since", "x")]), &target()).unwrap_err();
    assert_eq!(dated.code, ErrorCode::NotImplemented);
    let deleted = delete(&request("", &[("if-match", "\"a\"")]), &target()).unwrap();
    assert_eq!(deleted.if_match.as_deref(), Some("\"a\""));
    assert_eq!(
        delete(&request("", &[("if-none-match", "*")]), &target()).unwrap_err().code,
        ErrorCode::NotImplemented
    );
}

#[test]
fn a_copy_has_a_source_and_a_directive() {
    let headers = [
        ("x-amz-copy-source", "/src/a%20b"),
        ("x-amz-copy-source-if-match", "\"e\""),
        ("x-amz-metadata-directive", "REPLACE"),
        ("x-amz-checksum-algorithm", "SHA256"),
    ];
    let input = copy(&request("", &headers), &target()).unwrap();
    assert_eq!((input.source.bucket.as_str(), input.source.key.as_str()), ("src", "a b"));
    assert_eq!(input.source.conditions.if_match.as_deref(), Some("\"e\""));
    assert!(input.replace_metadata && input.algorithm.is_some());
    let unknown = [("x-amz-copy-source", "src/k"), ("x-amz-metadata-directive", "MERGE")];
    assert_eq!(copy(&request("", &unknown), &target()).unwrap_err().code, ErrorCode::InvalidArgument);
}

#[test]
fn attributes_are_named() {
    let headers = [
        ("x-amz-object-attributes", "ETag, ObjectParts"),
        ("x-amz-object-attributes", "ObjectSize"),
        ("x-amz-max-parts", "5"),
        ("x-amz-part-number-marker", "2"),
    ];
    let (input, wanted) = attributes(&request("", &headers), &target()).unwrap();
    assert!(wanted.etag && wanted.parts && wanted.size && !wanted.checksum && !wanted.storage_class);
    assert_eq!((input.max_parts, input.part_marker, input.with_parts), (5, 2, true));
    for value in ["", ",", "Colour", "etag"] {
        let error = attributes(&request("", &[("x-amz-object-attributes", value)]), &target()).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument, "{value}");
    }
}
