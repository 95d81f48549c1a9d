#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

fn routed(method: &str, host: &str, uri: &str, copies: bool) -> Result<Route, Error> {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let domains = ["s3.example.com".to_owned(), "example.com".to_owned()];
    route(&Line { method, host: Some(host), path, copies }, &Query::parse(query).unwrap(), &domains)
}

fn operation(method: &str, uri: &str) -> Operation {
    routed(method, "127.0.0.1:9000", uri, false)
        .unwrap_or_else(|error| panic!("{method} {uri}: {error}"))
        .operation
}

fn refusal(method: &str, uri: &str) -> ErrorCode {
    match routed(method, "localhost", uri, false) {
        Err(error) => error.code,
        Ok(route) => panic!("{method} {uri}: {route:?}"),
    }
}

#[test]
fn every_documented_request_line_has_its_operation() {
    use Operation as O;
    for (method, uri, expected) in [
        ("GET", "/", O::ListBuckets),
        ("GET", "/?max-buckets=10&x-id=ListBuckets", O::ListBuckets),
        ("POST", "/", O::Iam),
        ("PUT", "/bkt", O::CreateBucket),
        ("PUT", "/bkt/", O::CreateBucket),
        ("HEAD", "/bkt", O::HeadBucket),
        ("DELETE", "/bkt", O::DeleteBucket),
        ("GET", "/bkt?location", O::GetBucketLocation),
        ("GET", "/bkt?location=", O::GetBucketLocation),
        ("GET", "/bkt", O::ListObjects),
        ("GET", "/bkt?prefix=acl&delimiter=/", O::ListObjects),
        ("GET", "/bkt/?encoding-type=url&list-type=2", O::ListObjectsV2),
        ("GET", "/bkt?versions&prefix=a", O::ListObjectVersions),
        ("POST", "/bkt", O::PostObject),
        ("POST", "/bkt/", O::PostObject),
        ("POST", "/bkt?delete", O::DeleteObjects),
        ("POST", "/bkt/?delete=", O::DeleteObjects),
        ("GET", "/bkt?uploads&prefix=a", O::ListMultipartUploads),
        ("PUT", "/bkt/k", O::PutObject),
        ("PUT", "/bkt/k?x-id=PutObject", O::PutObject),
        ("GET", "/bkt/k", O::GetObject),
        ("GET", "/bkt/k?partNumber=2&versionId=null&response-content-type=a", O::GetObject),
        ("HEAD", "/bkt/k?partNumber=2", O::HeadObject),
        ("DELETE", "/bkt/k?versionId=1", O::DeleteObject),
        ("GET", "/bkt/k?attributes", O::GetObjectAttributes),
        ("POST", "/bkt/k?uploads", O::CreateMultipartUpload),
        ("PUT", "/bkt/k?partNumber=1&uploadId=u", O::UploadPart),
        ("POST", "/bkt/k?uploadId=u", O::CompleteMultipartUpload),
        ("DELETE", "/bkt/k?uploadId=u", O::AbortMultipartUpload),
        ("GET", "/bkt/k?uploadId=u&max-parts=1", O::ListParts),
        ("POST", "/bkt/k?restore", O::RestoreObject),
        ("POST", "/bkt/k?select&select-type=2", O::SelectObjectContent),
        ("OPTIONS", "/bkt/k", O::Preflight),
    ] {
        assert_eq!(operation(method, uri), expected, "{method} {uri}");
    }
}

#[test]
fn every_row_of_the_tables_routes_and_every_gap_is_not_allowed() {
    for (table, resource) in [(OF_BUCKETS, "/bkt"), (OF_OBJECTS, "/bkt/k")] {
        for row in table {
            let cells = [("GET", row.get), ("PUT", row.put), ("POST", row.post), ("DELETE", row.delete)];
            for (method, expected) in cells.into_iter().chain([("HEAD", None), ("PATCH", None)]) {
                let part = if row.name == "uploadId" && method == "PUT" { "&partNumber=1" } else { "" };
                let uri = format!("{resource}?{}{part}", row.name);
                match expected {
                    Some(expected) => assert_eq!(operation(method, &uri), expected, "{method} {uri}"),
                    None => assert_eq!(refusal(method, &uri), ErrorCode::MethodNotAllowed, "{method} {uri}"),
                }
            }
        }
    }
}

#[test]
fn every_operation_can_be_reached() {
    let of_tables =
        OF_BUCKETS.iter().chain(OF_OBJECTS).flat_map(|row| [row.get, row.put, row.post, row.delete]);
    let mut reached: Vec<Operation> = of_tables.flatten().collect();
    for (method, uri) in [
        ("GET", "/"),
        ("POST", "/"),
        ("PUT", "/bkt"),
        ("HEAD", "/bkt"),
        ("DELETE", "/bkt"),
        ("GET", "/bkt"),
        ("GET", "/bkt?list-type=2"),
        ("POST", "/bkt"),
        ("PUT", "/bkt/k"),
        ("GET", "/bkt/k"),
        ("HEAD", "/bkt/k"),
        ("DELETE", "/bkt/k"),
        ("OPTIONS", "/bkt/k"),
    ] {
        reached.push(operation(method, uri));
    }
    reached.push(routed("PUT", "h", "/bkt/k", true).unwrap().operation);
    reached.push(routed("PUT", "h", "/bkt/k?partNumber=1&uploadId=u", true).unwrap().operation);
    let missing: Vec<_> = Operation::ALL.iter().filter(|operation| !reached.contains(operation)).collect();
    assert!(missing.is_empty(), "no request line leads to {missing:?}");
}

#[test]
fn a_copy_source_makes_a_copy_of_a_put() {
    let copy = |method, uri| routed(method, "h", uri, true).unwrap().operation;
    assert_eq!(copy("PUT", "/bkt/k"), Operation::CopyObject);
    assert_eq!(copy("PUT", "/bkt/k?uploadId=u&partNumber=7"), Operation::UploadPartCopy);
    assert_eq!(copy("PUT", "/bkt"), Operation::CreateBucket);
    assert_eq!(copy("GET", "/bkt/k"), Operation::GetObject);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (method, uri, code) in [
        ("PUT", "/", ErrorCode::MethodNotAllowed),
        ("HEAD", "/", ErrorCode::MethodNotAllowed),
        ("GET", "/?acl", ErrorCode::MethodNotAllowed),
        ("POST", "/bkt/k", ErrorCode::MethodNotAllowed),
        ("PATCH", "/bkt/k", ErrorCode::MethodNotAllowed),
        ("GET", "/bkt?retention", ErrorCode::MethodNotAllowed),
        ("PUT", "/bkt/k?versioning", ErrorCode::MethodNotAllowed),
        ("GET", "/bkt?acl&policy", ErrorCode::InvalidArgument),
        ("POST", "/bkt/k?uploads&uploadId=u", ErrorCode::InvalidArgument),
        ("GET", "/bkt?list-type=3", ErrorCode::InvalidArgument),
        ("PUT", "/bkt/k?partNumber=1", ErrorCode::InvalidArgument),
        ("PUT", "/bkt/k?uploadId=u", ErrorCode::InvalidArgument),
        ("GET", "/no_bucket", ErrorCode::InvalidBucketName),
        ("PUT", "/UPPER", ErrorCode::InvalidBucketName),
        ("GET", "/../x", ErrorCode::InvalidBucketName),
        ("GET", "/%2e%2e/x", ErrorCode::InvalidBucketName),
        ("GET", "//", ErrorCode::InvalidBucketName),
        ("GET", "/bkt%2fk", ErrorCode::InvalidBucketName),
        ("GET", "/bkt/%", ErrorCode::InvalidURI),
        ("GET", "/bkt/%ff", ErrorCode::InvalidURI),
        ("GET", "/%zz/k", ErrorCode::InvalidURI),
        ("OPTIONS", "*", ErrorCode::InvalidURI),
        ("GET", "", ErrorCode::InvalidURI),
    ] {
        assert_eq!(refusal(method, uri), code, "{method} {uri}");
    }
}

#[test]
fn keys_are_taken_byte_for_byte() {
    for (path, key) in [
        ("/bkt/a/b", "a/b"),
        ("/bkt/a/", "a/"),
        ("/bkt//", "/"),
        ("/bkt//a//b//", "/a//b//"),
        ("/bkt/../victim/k", "../victim/k"),
        ("/bkt/%2e%2e/victim/k", "../victim/k"),
        ("/bkt/..%2fvictim/k", "../victim/k"),
        ("/bkt/.", "."),
        ("/bkt/%252e", "%2e"),
        ("/bkt/a+b%20c", "a+b c"),
        ("/bkt/a%00b", "a\0b"),
        ("/bkt/%C3%A9", "é"),
        ("/bkt/é", "é"),
    ] {
        let target = routed("GET", "localhost:9000", path, false).unwrap().target;
        assert_eq!(target.bucket.unwrap().as_str(), "bkt", "{path}");
        assert_eq!(target.key.unwrap().as_str(), key, "{path}");
    }
}

#[test]
fn a_key_may_have_1024_bytes() {
    let path = |length: usize| format!("/bkt/{}", "%C3%A9".repeat(length / 2));
    assert!(routed("GET", "h", &path(1024), false).is_ok());
    let error = routed("GET", "h", &path(1026), false).unwrap_err();
    assert_eq!(error.code, ErrorCode::KeyTooLongError);
    assert!(error.extra.contains(&("Size", "1026".to_owned())));
}

#[test]
fn a_subdomain_names_the_bucket() {
    for (host, path, bucket, key) in [
        ("bkt.example.com", "/k", Some("bkt"), Some("k")),
        ("bkt.example.com:9000", "/bkt/k", Some("bkt"), Some("bkt/k")),
        ("BKT.Example.COM", "/", Some("bkt"), None),
        ("a.dotted.bkt.example.com", "/k", Some("a.dotted.bkt"), Some("k")),
        ("bkt.s3.example.com", "//k", Some("bkt"), Some("/k")),
        ("example.com", "/bkt/k", Some("bkt"), Some("k")),
        ("s3.example.com:80", "/bkt/k", Some("bkt"), Some("k")),
        ("notexample.com", "/bkt/k", Some("bkt"), Some("k")),
        ("[::1]:9000", "/bkt/k", Some("bkt"), Some("k")),
        ("example.com", "/", None, None),
    ] {
        let target = routed("GET", host, path, false).unwrap().target;
        assert_eq!(target.bucket.as_ref().map(BucketName::as_str), bucket, "{host}{path}");
        assert_eq!(target.key.as_ref().map(ObjectKey::as_str), key, "{host}{path}");
    }
    assert_eq!(
        routed("GET", "no_name.example.com", "/", false).unwrap_err().code,
        ErrorCode::InvalidBucketName
    );
}
