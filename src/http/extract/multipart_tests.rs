#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::http::extract::tests::request;
use crate::http::extract::tests::target as of;

const PARTS: &[u8] = b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>";

#[test]
fn an_upload_is_created_with_its_checksum() {
    let headers = [("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", "FULL_OBJECT")];
    let input = create(&request("uploads", &headers), &of()).unwrap();
    assert_eq!(input.algorithm, Some(ChecksumAlgorithm::Crc32));
    assert_eq!(input.checksum_type, Some(ChecksumType::FullObject));
    let error = create(&request("uploads", &[("x-amz-checksum-type", "HALF")]), &of()).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidRequest);
}

#[test]
fn a_part_has_a_number_and_an_upload() {
    let input = upload_part(&request("partNumber=7&uploadId=u", &[]), &of(), None).unwrap();
    assert_eq!((input.number, input.target.upload_id.as_str()), (7, "u"));
    for query in ["partNumber=0&uploadId=u", "partNumber=10001&uploadId=u", "partNumber=&uploadId=u"] {
        let error = upload_part(&request(query, &[]), &of(), None).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument, "{query}");
    }
    let headers = [("x-amz-copy-source", "src/k"), ("x-amz-copy-source-range", "bytes=0-9")];
    let input = copy_part(&request("partNumber=1&uploadId=u", &headers), &of()).unwrap();
    assert_eq!(input.range.as_deref(), Some("bytes=0-9"));
}

#[test]
fn a_completion_may_tell_what_the_object_will_be() {
    let headers = [
        ("x-amz-checksum-sha256", "abc=-2"),
        ("x-amz-checksum-type", "COMPOSITE"),
        ("x-amz-mp-object-size", "17"),
        ("if-none-match", "*"),
    ];
    let input = complete(&request("uploadId=u", &headers), &of(), PARTS).unwrap();
    assert_eq!(input.checksum, Some((ChecksumAlgorithm::Sha256, "abc=-2".to_owned())));
    assert_eq!((input.object_size, input.parts.len()), (Some(17), 1));
    assert!(input.conditions.if_none_match.is_some());
    let several = [("x-amz-checksum-sha1", "a"), ("x-amz-checksum-crc32", "b")];
    let error = complete(&request("uploadId=u", &several), &of(), PARTS).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidRequest);
    let error =
        complete(&request("uploadId=u", &[("x-amz-mp-object-size", "-1")]), &of(), PARTS).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidArgument);
    let error = complete(&request("uploadId=u", &[]), &of(), b"").unwrap_err();
    assert_eq!(error.code, ErrorCode::MalformedXML);
}

#[test]
fn listings_have_bounds() {
    let input =
        list_parts(&request("uploadId=u&max-parts=5000&part-number-marker=70000", &[]), &of()).unwrap();
    assert_eq!((input.max_parts, input.marker), (1000, u16::MAX));
    let query = "uploads&prefix=p&key-marker=k&upload-id-marker=&max-uploads=2&encoding-type=url";
    let (input, encoding) = list_uploads(&request(query, &[]), &of()).unwrap();
    assert_eq!((input.key_marker.as_deref(), input.upload_id_marker), (Some("k"), None));
    assert_eq!((input.max_uploads, encoding), (2, Encoding::Url));
    for query in ["uploads&max-uploads=-1", "uploads&max-uploads=x"] {
        assert_eq!(list_uploads(&request(query, &[]), &of()).unwrap_err().code, ErrorCode::InvalidArgument);
    }
    assert!(list_parts(&request("uploadId=u&part-number-marker=-1", &[]), &of()).is_err());
}
