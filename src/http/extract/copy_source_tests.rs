#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::s3::error_code::ErrorCode;

#[test]
fn a_source_is_a_bucket_and_a_key_decoded_once() {
    for (text, key) in [
        ("/own/k", "k"),
        ("own/k", "k"),
        ("own/a/b", "a/b"),
        ("own//k", "/k"),
        ("own/a%2Fb%20c", "a/b c"),
        ("/own%2Fk", "k"),
        ("own/a+b", "a+b"),
        ("own/%252e", "%2e"),
        ("own/../victim/k", "../victim/k"),
        ("own/k?versionId=null", "k"),
        ("own/what?", "what?"),
    ] {
        let (bucket, parsed) = parse(text).unwrap();
        assert_eq!((bucket.as_str(), parsed.as_str()), ("own", key), "{text}");
    }
}

#[test]
fn other_sources_are_refused() {
    for (text, code) in [
        ("", ErrorCode::InvalidArgument),
        ("own", ErrorCode::InvalidArgument),
        ("/own/", ErrorCode::InvalidArgument),
        ("own/%", ErrorCode::InvalidArgument),
        ("own/%ff", ErrorCode::InvalidArgument),
        ("//own/k", ErrorCode::InvalidBucketName),
        ("../own/k", ErrorCode::InvalidBucketName),
        ("own/k?versionId=abc", ErrorCode::NotImplemented),
        ("arn:aws:s3:us-east-1:1:accesspoint/x/object/k", ErrorCode::NotImplemented),
    ] {
        assert_eq!(parse(text).unwrap_err().code, code, "{text}");
    }
    let long = format!("own/{}", "k".repeat(1025));
    assert_eq!(parse(&long).unwrap_err().code, ErrorCode::KeyTooLongError);
}
