#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::http::extract::tests::request;
use crate::http::extract::tests::target;
use crate::s3::error_code::ErrorCode;

#[test]
fn a_listing_asks_what_its_query_says() {
    let (input, form) = objects(
        &request("prefix=a%2F&delimiter=%2F&marker=a%2Fb&max-keys=5000&encoding-type=url", &[]),
        &target(),
    )
    .unwrap();
    assert_eq!((input.prefix.as_str(), input.marker.as_str()), ("a/", "a/b"));
    assert_eq!(input.delimiter.as_deref(), Some("/"));
    assert_eq!(input.max_keys, 1000, "more is taken for the most");
    assert_eq!(form, ListForm { encoding: Encoding::Url, owner: true });
    let (input, form) = objects(&request("delimiter=&prefix=&max-keys=", &[]), &target()).unwrap();
    assert_eq!((input.delimiter, input.max_keys, form.encoding), (None, 1000, Encoding::Plain));
}

#[test]
fn the_second_version_has_tokens() {
    let query = "list-type=2&start-after=m&continuation-token=t&fetch-owner=true&max-keys=0";
    let (input, form) = objects_v2(&request(query, &[]), &target()).unwrap();
    assert_eq!((input.base.marker.as_str(), input.token.as_deref()), ("m", Some("t")));
    assert_eq!((input.base.max_keys, form.owner), (0, true));
    let (input, _) = objects_v2(&request("continuation-token=", &[]), &target()).unwrap();
    assert_eq!(input.token.as_deref(), Some(""));
}

#[test]
fn bounds_are_checked() {
    for query in ["max-keys=-1", "max-keys=x", "max-keys=1e3", "encoding-type=base64"] {
        let error = objects(&request(query, &[]), &target()).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument, "{query}");
    }
    for query in ["max-buckets=0", "max-buckets=10001", "max-buckets=-1"] {
        assert_eq!(list(&request(query, &[])).unwrap_err().code, ErrorCode::InvalidArgument, "{query}");
    }
    assert_eq!(list(&request("max-buckets=10000&prefix=a", &[])).unwrap().max_buckets, Some(10_000));
    let error = versions(&request("version-id-marker=null", &[]), &target()).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidArgument);
}

#[test]
fn a_bucket_names_its_location_in_its_document() {
    let document =
        b"<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    assert_eq!(create(&target(), document).unwrap().location.as_deref(), Some("eu-west-1"));
    assert_eq!(create(&target(), b"").unwrap().location, None);
    assert_eq!(create(&target(), b"<x>").unwrap_err().code, ErrorCode::MalformedXML);
}
