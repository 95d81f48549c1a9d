#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::ops::Range;

use super::*;
use crate::base::Timestamp;
use crate::base::UploadId;
use crate::http::route::Target;
use crate::ops::multipart as mp;
use crate::ops::object as ob;
use crate::ops::object::get::Selected;
use crate::s3::checksum::Checksum;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::checksum::ChecksumType;
use crate::s3::checksum::ObjectChecksum;
use crate::s3::etag::ETag;
use crate::s3::name::BucketName;
use crate::s3::name::ObjectKey;
use crate::s3::operation::Operation;
use crate::s3::xml::read::parse;
use crate::store::ListItem;
use crate::store::records::ObjectHead;

const ETAG: &str = "\"00000000000000000000000000000000\"";

fn etag() -> ETag {
    ETag::plain([0; 16])
}

fn crc32() -> ObjectChecksum {
    ObjectChecksum::whole(Checksum::new(ChecksumAlgorithm::Crc32, vec![0; 4]).unwrap())
}

fn facts() -> ob::Facts {
    ob::Facts {
        size: 10,
        etag: etag(),
        modified: Timestamp::from_millis(1_369_353_600_123),
        headers: ob::ContentHeaders {
            content_type: Some("text/plain".to_owned()),
            cache_control: Some("no-cache".to_owned()),
            ..ob::ContentHeaders::default()
        },
        user_metadata: vec![("colour".to_owned(), "gr\u{fc}n".to_owned())],
        storage_class: Some("STANDARD_IA".to_owned()),
        checksum: Some(crc32()),
        parts_count: Some(2),
    }
}

fn found(range: Range<u64>, is_partial: bool, wish: &object::Wish) -> Reply {
    let checksum = (range == (0..10)).then(|| crc32().checksum);
    object::head(&ob::head::Output::Found(Box::new(facts()), Selected { range, is_partial, checksum }), wish)
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.get(name).map(|value| value.to_str().unwrap())
}

fn text(reply: Reply) -> String {
    match reply.body {
        Body::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
        _ => panic!("no document"),
    }
}

fn target() -> Target {
    Target { bucket: Some(BucketName::new("bkt").unwrap()), key: Some(ObjectKey::new("a&b").unwrap()) }
}

#[test]
fn a_whole_object_is_told_with_all_its_headers() {
    let wish = object::Wish { checksum: true, ..object::Wish::default() };
    let reply = found(0..10, false, &wish);
    assert_eq!(reply.status, StatusCode::OK);
    assert!(matches!(reply.body, Body::Length(10)));
    for (name, value) in [
        ("etag", ETAG),
        ("last-modified", "Fri, 24 May 2013 00:00:00 GMT"),
        ("content-type", "text/plain"),
        ("cache-control", "no-cache"),
        ("accept-ranges", "bytes"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-checksum-crc32", "AAAAAA=="),
        ("x-amz-checksum-type", "FULL_OBJECT"),
    ] {
        assert_eq!(header(&reply, name), Some(value), "{name}");
    }
    assert_eq!(reply.headers.get("x-amz-meta-colour").unwrap().as_bytes(), b"gr\xfcn");
    assert_eq!(header(&reply, "content-range"), None);
    assert_eq!(header(&reply, "x-amz-mp-parts-count"), None);
}

#[test]
fn a_range_is_partial_and_has_no_checksum_of_the_whole() {
    let wish = object::Wish { checksum: true, parts_count: true, ..object::Wish::default() };
    let reply = found(2..5, true, &wish);
    assert_eq!(reply.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(header(&reply, "content-range"), Some("bytes 2-4/10"));
    assert_eq!(header(&reply, "x-amz-mp-parts-count"), Some("2"));
    assert_eq!(header(&reply, "x-amz-checksum-crc32"), None);
    assert!(matches!(reply.body, Body::Length(3)));
}

#[test]
fn overrides_win_and_checksums_are_told_on_demand() {
    let overrides = vec![("content-type", "text/html".to_owned())];
    let reply = found(0..10, false, &object::Wish { overrides, ..object::Wish::default() });
    assert_eq!(header(&reply, "content-type"), Some("text/html"));
    assert_eq!(header(&reply, "x-amz-checksum-crc32"), None);
    let untouched = object::head(&ob::head::Output::NotModified(Box::new(facts())), &object::Wish::default());
    assert_eq!(untouched.status, StatusCode::NOT_MODIFIED);
    assert_eq!(header(&untouched, "etag"), Some(ETAG));
    assert_eq!(header(&untouched, "content-type"), None);
}

#[test]
fn a_value_that_is_no_header_is_left_out() {
    let mut reply = Reply::empty(StatusCode::OK);
    reply.set("etag", "a\r\nb: c");
    assert!(reply.headers.is_empty());
}

fn list_input(delimiter: Option<&str>) -> ob::list::Input {
    ob::list::Input {
        bucket: BucketName::new("bkt").unwrap(),
        prefix: "p/é ".to_owned(),
        delimiter: delimiter.map(str::to_owned),
        marker: "m+".to_owned(),
        max_keys: 2,
    }
}

fn items() -> Vec<ListItem> {
    let head = ObjectHead {
        size: 3,
        etag: etag(),
        modified: Timestamp::default(),
        version: 0,
        is_delete_marker: false,
        storage_class: String::new(),
        checksum: Some((ChecksumAlgorithm::Crc32, ChecksumType::FullObject)),
        owner: "me".to_owned(),
    };
    vec![ListItem::CommonPrefix("p/a%/".to_owned()), ListItem::Object("p/\u{1}<".to_owned(), head)]
}

#[test]
fn a_listing_says_everything_clients_look_for() {
    let output = ob::list::Output { items: items(), is_truncated: true, next_marker: Some("n+".to_owned()) };
    let form = bucket::ListForm { encoding: bucket::Encoding::Url, owner: true };
    let text = text(bucket::objects(&output, &list_input(Some("/")), form));
    assert!(text.contains("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"), "{text}");
    for element in [
        "<Name>bkt</Name><Prefix>p/é </Prefix><Marker>m%2B</Marker><MaxKeys>2</MaxKeys><Delimiter>/</Delimiter>",
        "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextMarker>n%2B</NextMarker>",
        "<Contents><Key>p/%01%3C</Key><LastModified>1970-01-01T00:00:00.000Z</LastModified>",
        "<ETag>&quot;00000000000000000000000000000000&quot;</ETag>",
        "<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>3</Size>",
        "<Owner><ID>me</ID><DisplayName>me</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents>",
        "<CommonPrefixes><Prefix>p/a%25/</Prefix></CommonPrefixes></ListBucketResult>",
    ] {
        assert!(text.contains(element), "{element} in {text}");
    }
}

#[test]
fn a_plain_listing_encodes_nothing_and_tells_no_next_marker() {
    let output = ob::list::Output { items: items(), is_truncated: true, next_marker: Some("n".to_owned()) };
    let text = text(bucket::objects(&output, &list_input(None), bucket::ListForm::default()));
    assert!(text.contains("<Key>p/&#x1;&lt;</Key>") && text.contains("<Prefix>p/é </Prefix>"), "{text}");
    assert!(!text.contains("EncodingType") && !text.contains("NextMarker") && !text.contains("Delimiter"));
}

#[test]
fn the_second_version_counts_keys() {
    let output =
        ob::list_v2::Output { items: items(), is_truncated: true, next_token: Some("next".to_owned()) };
    let input = ob::list_v2::Input { base: list_input(Some("/")), token: Some("now".to_owned()) };
    let text = text(bucket::objects_v2(&output, &input, bucket::ListForm::default()));
    for element in [
        "<StartAfter>m+</StartAfter><ContinuationToken>now</ContinuationToken>",
        "<NextContinuationToken>next</NextContinuationToken><KeyCount>2</KeyCount><MaxKeys>2</MaxKeys>",
    ] {
        assert!(text.contains(element), "{element} in {text}");
    }
    assert!(!text.contains("<Owner>"));
}

#[test]
fn objects_that_were_never_versioned_are_the_null_version() {
    let output = ob::list::Output { items: items(), is_truncated: true, next_marker: Some("n".to_owned()) };
    let text = text(bucket::versions(&output, &list_input(None), None, bucket::Encoding::Plain));
    assert!(text.contains("<VersionId>null</VersionId><IsLatest>true</IsLatest>"), "{text}");
    assert!(text.contains("<NextKeyMarker>n</NextKeyMarker><NextVersionIdMarker>null</NextVersionIdMarker>"));
}

#[test]
fn locations_are_empty_for_the_first_region() {
    let of = |region: &str| {
        let output = crate::ops::bucket::head::Output {
            region: region.to_owned(),
            owner: "me".to_owned(),
            created: Timestamp::default(),
        };
        text(bucket::location(&output))
    };
    assert_eq!(parse(of("us-east-1").as_bytes()).unwrap().text, "");
    assert_eq!(parse(of("eu-west-1").as_bytes()).unwrap().text, "eu-west-1");
}

#[test]
fn deletions_are_told_one_by_one_or_errors_alone() {
    let line = |key: &str, result| ob::delete_many::Line {
        object: crate::s3::document::DeletedObject { key: key.to_owned(), version: None, etag: None },
        result,
    };
    let refused = crate::ops::Error::new(crate::s3::error_code::ErrorCode::KeyTooLongError);
    let lines = [line("a<", Ok(())), line("b", Err(refused))];
    let loud = text(object::delete_many(&lines, false));
    assert!(
        loud.contains("<Deleted><Key>a&lt;</Key></Deleted><Error><Key>b</Key><Code>KeyTooLongError</Code>")
    );
    let quiet = text(object::delete_many(&lines, true));
    assert!(!quiet.contains("<Deleted>") && quiet.contains("<Error>"));
}

#[test]
fn uploads_are_told_with_what_they_became() {
    let upload_id = UploadId::from_bytes([7; 16]);
    let checksum = Some((ChecksumAlgorithm::Crc32, ChecksumType::Composite));
    let created = multipart::create(&mp::create::Output { upload_id, checksum }, &target());
    assert_eq!(header(&created, "x-amz-checksum-type"), Some("COMPOSITE"));
    let created = text(created);
    assert!(created.contains("<Bucket>bkt</Bucket><Key>a&amp;b</Key><UploadId>07070707"), "{created}");
    let output = mp::complete::Output { etag: etag(), checksum: Some(crc32()) };
    let completed = text(multipart::complete(&output, &target(), "http://h/bkt/a%26b"));
    for element in [
        "<Location>http://h/bkt/a%26b</Location><Bucket>bkt</Bucket><Key>a&amp;b</Key><ETag>&quot;",
        "<ChecksumCRC32>AAAAAA==</ChecksumCRC32><ChecksumType>FULL_OBJECT</ChecksumType>",
    ] {
        assert!(completed.contains(element), "{element} in {completed}");
    }
}

/// Every question about a configuration has an answer, every other operation none.
#[test]
fn probes_are_answered() {
    let asked =
        |operation: &&Operation| bucket_probe(**operation).is_some() || object_probe(**operation).is_some();
    let answered: Vec<&str> = Operation::ALL.iter().filter(asked).map(|operation| operation.name()).collect();
    assert_eq!(answered.len(), 21, "{answered:?}");
    assert!(answered.iter().all(|name| name.starts_with("Get")), "{answered:?}");
    let acl = bucket_probe(Operation::GetBucketAcl).unwrap().unwrap();
    let acl = text(acl);
    assert!(
        acl.contains("<Permission>FULL_CONTROL</Permission>") && acl.contains("xsi:type=\"CanonicalUser\"")
    );
    parse(acl.as_bytes()).unwrap();
    let code = |operation| bucket_probe(operation).unwrap().err().unwrap().code.as_str();
    assert_eq!(code(Operation::GetBucketPolicy), "NoSuchBucketPolicy");
    assert_eq!(code(Operation::GetBucketCors), "NoSuchCORSConfiguration");
    assert_eq!(code(Operation::GetBucketEncryption), "ServerSideEncryptionConfigurationNotFoundError");
    let versioning = text(bucket_probe(Operation::GetBucketVersioning).unwrap().unwrap());
    assert!(parse(versioning.as_bytes()).unwrap().children.is_empty());
}

fn bucket_probe(operation: Operation) -> Option<Result<Reply, crate::ops::Error>> {
    probe::of_bucket(operation, "me")
}

fn object_probe(operation: Operation) -> Option<Result<Reply, crate::ops::Error>> {
    probe::of_object(operation, "me")
}
