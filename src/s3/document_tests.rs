#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

#[test]
fn a_completion_lists_its_parts() {
    let parts = complete_multipart_upload(
        b"<CompleteMultipartUpload><Part><ETag>\"x\"</ETag><PartNumber>1</PartNumber>\
          <ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part><Part><PartNumber>7</PartNumber><ETag>y</ETag></Part>\
          </CompleteMultipartUpload>",
    )
    .unwrap();
    assert_eq!(parts.iter().map(|p| p.number).collect::<Vec<_>>(), [1, 7]);
    assert_eq!(parts[0].etag, "\"x\"");
    assert!(parts[0].checksum.is_some() && parts[1].checksum.is_none());
}

#[test]
fn a_completion_without_parts_or_tags_is_malformed() {
    for body in [
        "<CompleteMultipartUpload/>",
        "<Other><Part><ETag>x</ETag><PartNumber>1</PartNumber></Part></Other>",
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
        "<CompleteMultipartUpload><Part><ETag>x</ETag><PartNumber>one</PartNumber></Part></CompleteMultipartUpload>",
        "",
    ] {
        assert_eq!(complete_multipart_upload(body.as_bytes()), Err(Malformed), "{body}");
    }
}

#[test]
fn a_delete_keeps_keys_as_they_are() {
    let body = "<Delete><Quiet>true</Quiet><Object><Key> a/ b</Key></Object>\
                <Object><Key>c</Key><VersionId>null</VersionId><ETag>\"e\"</ETag></Object></Delete>";
    let delete = delete(body.as_bytes()).unwrap();
    assert!(delete.quiet);
    assert_eq!(delete.objects[0].key, " a/ b");
    assert_eq!(delete.objects[1].version.as_deref(), Some("null"));
    assert_eq!(delete.objects[1].etag.as_deref(), Some("\"e\""));
}

#[test]
fn a_delete_under_a_condition_we_do_not_know_says_so() {
    let condition = |inside: &str| {
        let body =
            format!("<Delete><Object><Key>a</Key></Object><Object><Key>b</Key>{inside}</Object></Delete>");
        delete(body.as_bytes()).unwrap().unknown_condition
    };
    assert_eq!(condition("<Size>1</Size>"), Some("Size"));
    assert_eq!(condition("<LastModifiedTime>2015-01-01</LastModifiedTime>"), Some("LastModifiedTime"));
    assert_eq!(condition("<ETag>x</ETag>"), None);
}

#[test]
fn a_delete_of_none_or_too_many_is_malformed() {
    let many = format!("<Delete>{}</Delete>", "<Object><Key>k</Key></Object>".repeat(1001));
    for body in ["<Delete/>", many.as_str(), "<Delete><Object/></Delete>"] {
        assert_eq!(delete(body.as_bytes()), Err(Malformed));
    }
}

#[test]
fn a_bucket_may_name_its_location() {
    let named = b"<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    assert_eq!(create_bucket_configuration(named).unwrap().location.as_deref(), Some("eu-west-1"));
    for plain in [&b""[..], b"<CreateBucketConfiguration/>"] {
        assert_eq!(create_bucket_configuration(plain), Ok(CreateBucketConfiguration::default()));
    }
    let tagged = b"<CreateBucketConfiguration><Tags/></CreateBucketConfiguration>";
    assert_eq!(create_bucket_configuration(tagged).unwrap().unknown, Some("Tags"));
    assert_eq!(create_bucket_configuration(b"<x"), Err(Malformed));
}
