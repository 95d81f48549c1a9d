#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::s3::error_code::ErrorCode;

#[test]
fn header_bytes_come_back_as_they_were() {
    for bytes in [&b"plain"[..], "é".as_bytes(), b"\xe9", b"\x80\xff", b""] {
        assert_eq!(latin1_bytes(&latin1(bytes)).as_ref(), bytes);
    }
    assert_eq!(latin1(b"\xe9"), "é");
}

#[test]
fn values_of_one_header_are_one_value() {
    let headers = vec![("x-amz-meta-a", &b"1"[..]), ("etag", b"x"), ("x-amz-meta-a", b"\xe9")];
    let request = Request { method: "PUT", path: "/", raw_query: "", query: Query::default(), headers };
    assert_eq!(request.kept("x-amz-meta-a").as_deref(), Some("1,é"));
    assert_eq!(request.kept("x-amz-meta-b"), None);
}

#[test]
fn numbers_have_bounds() {
    assert_eq!(number("max-keys", "0", 0).unwrap(), 0);
    assert_eq!(number("max-keys", "2147483647", 0).unwrap(), 2_147_483_647);
    for text in ["-1", "2147483648", "ten", "1.5", " 1", "99999999999999999999"] {
        assert_eq!(number("max-keys", text, 0).unwrap_err().code, ErrorCode::InvalidArgument, "{text}");
    }
    assert!(number("part-number", "0", 1).is_err());
}
