#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::http::query::Query;

/// A request of these headers and this query.
pub(super) fn request<'a>(query: &'a str, headers: &[(&'a str, &'a str)]) -> Request<'a> {
    Request {
        method: "GET",
        path: "/bkt/k",
        raw_query: query,
        query: Query::parse(query).unwrap(),
        headers: headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect(),
        hoisted: Vec::new(),
    }
}

/// The target that all of them have.
pub(super) fn target() -> Target {
    Target { bucket: Some(BucketName::new("bkt").unwrap()), key: Some(ObjectKey::new("k").unwrap()) }
}

#[test]
fn what_we_lack_is_never_ignored() {
    for (name, value) in [
        ("x-amz-tagging", "a=b"),
        ("x-amz-tagging-directive", "REPLACE"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-copy-source-server-side-encryption-customer-key", "x"),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-object-lock-legal-hold", "ON"),
        ("x-amz-bucket-object-lock-enabled", "true"),
        ("x-amz-acl", "public-read"),
        ("x-amz-grant-read", "id=x"),
        ("x-amz-write-offset-bytes", "5"),
    ] {
        let error = refuse_unsupported(&request("", &[(name, value)]), Operation::PutObject).unwrap_err();
        assert_eq!(error.code, ErrorCode::NotImplemented, "{name}: {value}");
        assert!(error.extra.contains(&("Header", name.to_owned())));
    }
    let error = refuse_unsupported(&request("versionId=abc", &[]), Operation::GetObject).unwrap_err();
    assert_eq!(error.code, ErrorCode::NotImplemented);
    let error = refuse_unsupported(&request("versionId=", &[]), Operation::GetObject).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidArgument);
}

#[test]
fn what_is_the_case_anyway_may_be_asked_for() {
    for (name, value) in [
        ("x-amz-acl", "private"),
        ("x-amz-acl", "bucket-owner-full-control"),
        ("x-amz-bucket-object-lock-enabled", "false"),
        ("x-amz-tagging-directive", "COPY"),
        ("x-amz-bypass-governance-retention", "true"),
        ("x-amz-request-payer", "requester"),
        ("x-amz-meta-tagging", "a"),
    ] {
        refuse_unsupported(&request("versionId=null", &[(name, value)]), Operation::PutObject).unwrap();
    }
}

#[test]
fn an_expected_owner_must_be_the_owner() {
    for name in OWNERS {
        assert!(check_owners(&request("", &[(name, "me")]), "me").is_ok());
        let error = check_owners(&request("", &[(name, "111122223333")]), "me").unwrap_err();
        assert_eq!(error.code, ErrorCode::AccessDenied);
    }
    assert!(check_owners(&request("", &[]), "me").is_ok());
}

#[test]
fn checksum_algorithms_are_known_in_any_case() {
    let named =
        |name| algorithm(&request("", &[("x-amz-checksum-algorithm", name)]), "x-amz-checksum-algorithm");
    assert_eq!(named("crc32c").unwrap(), Some(ChecksumAlgorithm::Crc32c));
    assert_eq!(named("MD6").unwrap_err().code, ErrorCode::InvalidRequest);
}
