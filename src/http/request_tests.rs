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
    let request = Request {
        method: "PUT",
        path: "/",
        raw_query: "",
        query: Query::default(),
        headers,
        hoisted: vec![],
    };
    assert_eq!(request.kept("x-amz-meta-a").as_deref(), Some("1,é"));
    assert_eq!(request.kept("x-amz-meta-b"), None);
}

#[test]
fn parameters_of_a_presigned_url_stand_for_headers() {
    let presigned =
        "X-Amz-Signature=s&X-Amz-Date=d&x-amz-meta-colour=gr%C3%BCn&X-Amz-Acl=private&list-type=2";
    let names =
        |raw| hoisted(&Query::parse(raw).unwrap()).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(presigned), ["x-amz-meta-colour", "x-amz-acl"]);
    assert!(names("x-amz-meta-colour=blue").is_empty(), "nobody signed it");
    let query = Query::parse(presigned).unwrap();
    let hoisted = hoisted(&query);
    let request = Request { method: "PUT", path: "/", raw_query: presigned, query, headers: vec![], hoisted };
    assert_eq!(request.text("x-amz-acl").unwrap(), Some("private"));
    assert_eq!(
        request.kept("x-amz-meta-colour").map(|text| latin1_bytes(&text).into_owned()).unwrap(),
        "grün".as_bytes()
    );
}

#[test]
fn a_header_of_one_meaning_is_refused_twice() {
    let headers = vec![("x-amz-copy-source", &b"/b/k"[..]), ("x-amz-copy-source", b"c")];
    let request = Request {
        method: "PUT",
        path: "/",
        raw_query: "",
        query: Query::default(),
        headers,
        hoisted: Vec::new(),
    };
    assert_eq!(request.text("x-amz-copy-source").unwrap_err().code, ErrorCode::InvalidArgument);
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
