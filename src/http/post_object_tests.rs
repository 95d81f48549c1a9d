#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::s3::etag::ETag;
use crate::s3::name::BucketName;

fn form(fields: &[(&str, &str)]) -> Fields {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Fields { fields, filename: "photo.jpg".to_owned() }
}

fn done() -> Done {
    let (bucket, key) = ("bkt".to_owned(), "a b/é".to_owned());
    Done { location: "http://h/bkt/a%20b%2F%C3%A9".to_owned(), bucket, key }
}

fn output() -> put::Output {
    put::Output { etag: ETag::plain([0; 16]), checksum: None, size: 0 }
}

fn header(reply: &Reply, name: &str) -> Option<String> {
    reply.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

#[test]
fn the_name_of_the_file_fills_in_but_signs_nothing() {
    let mut form =
        form(&[("key", "u/${filename}"), ("policy", "${filename}"), ("x-amz-meta-n", "${filename}!")]);
    expand_filename(&mut form);
    assert_eq!(form.get("key"), Some("u/photo.jpg"));
    assert_eq!(form.get("policy"), Some("${filename}"));
    assert_eq!(form.get("x-amz-meta-n"), Some("photo.jpg!"));
}

#[test]
fn a_form_must_name_a_key() {
    assert_eq!(key(&form(&[("key", "k")])).unwrap().as_str(), "k");
    for fields in [&[("key", "")][..], &[("name", "k")]] {
        assert_eq!(key(&form(fields)).unwrap_err().code, ErrorCode::InvalidArgument);
    }
    let long = "k".repeat(1025);
    assert_eq!(key(&form(&[("key", &long)])).unwrap_err().code, ErrorCode::KeyTooLongError);
}

#[test]
fn what_we_lack_is_refused_in_fields_too() {
    for field in [
        ("acl", "public-read"),
        ("tagging", "<Tagging/>"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-grant-read", "id=x"),
    ] {
        assert_eq!(
            refuse_unsupported(&form(&[field])).unwrap_err().code,
            ErrorCode::NotImplemented,
            "{field:?}"
        );
    }
    refuse_unsupported(&form(&[("acl", "private"), ("x-ignore-this", "x")])).unwrap();
}

#[test]
fn fields_promise_digests() {
    let promised =
        promises(&form(&[("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="), ("x-amz-checksum-crc32", "AAAAAA==")]));
    let promised = promised.unwrap();
    assert!(promised.md5.is_some() && promised.algorithm == Some(ChecksumAlgorithm::Crc32));
    assert_eq!(promises(&form(&[("content-md5", "x")])).unwrap_err().code, ErrorCode::InvalidDigest);
    let several = form(&[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-checksum-crc32c", "AAAAAA==")]);
    assert_eq!(promises(&several).unwrap_err().code, ErrorCode::InvalidRequest);
}

#[test]
fn the_form_chooses_its_reply() {
    for (fields, status) in [
        (&[][..], 204),
        (&[("success_action_status", "200")][..], 200),
        (&[("success_action_status", "201")], 201),
        (&[("success_action_status", "404")], 204),
        (&[("success_action_redirect", "http://h/done"), ("success_action_status", "201")], 303),
        (&[("redirect", "https://h/done?a=b")], 303),
        (&[("success_action_redirect", "javascript:alert(1)")], 204),
        (&[("success_action_redirect", "http://h/\r\nx: y")], 204),
    ] {
        let reply = done().reply(&form(fields), &output());
        assert_eq!(reply.status.as_u16(), status, "{fields:?}");
        assert_eq!(header(&reply, "etag").as_deref(), Some("\"00000000000000000000000000000000\""));
        assert!(header(&reply, "location").is_some());
    }
    let reply = done().reply(&form(&[("redirect", "https://h/done?a=b")]), &output());
    assert_eq!(
        header(&reply, "location").as_deref(),
        Some("https://h/done?a=b&bucket=bkt&key=a%20b%2F%C3%A9&etag=%2200000000000000000000000000000000%22")
    );
}

#[test]
fn the_location_is_the_url_of_the_object() {
    let headers = vec![("host", &b"h:9000"[..])];
    let query = crate::http::query::Query::default();
    let request =
        Request { method: "POST", path: "/bkt/", raw_query: "", query, headers, hoisted: Vec::new() };
    let input = put::Input {
        bucket: BucketName::new("bkt").unwrap(),
        key: ObjectKey::new("a b").unwrap(),
        attributes: attributes::attributes(&form(&[])).unwrap(),
        conditions: WriteConditions::default(),
        algorithm: None,
    };
    assert_eq!(Done::new(&request, &input).location, "http://h:9000/bkt/a%20b");
}
