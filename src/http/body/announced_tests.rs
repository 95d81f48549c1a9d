#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::http::query::Query;

const CRC32: &str = "x-amz-checksum-crc32";

fn read(payload: Payload, headers: &[(&str, &str)]) -> Result<Announced, Error> {
    let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let request = Request {
        method: "PUT",
        path: "/b/k",
        raw_query: "",
        query: Query::default(),
        headers,
        hoisted: Vec::new(),
    };
    announced(&request, payload)
}

fn plain(headers: &[(&str, &str)]) -> Result<Announced, Error> {
    read(Payload::Unsigned, headers)
}

fn chunked(trailer: bool) -> Payload {
    Payload::Chunked(Chunked { signer: None, trailer })
}

#[test]
fn a_plain_body_promises_what_its_headers_say() {
    let announced = read(
        Payload::Sha256([7; 32]),
        &[
            ("content-length", "5"),
            ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
            (CRC32, "AAAAAA=="),
            ("x-amz-sdk-checksum-algorithm", "CRC32"),
            ("x-amz-checksum-type", "FULL_OBJECT"),
        ],
    )
    .unwrap();
    assert_eq!(announced.length, Some(5));
    assert_eq!(announced.promises.sha256, Some([7; 32]));
    assert_eq!(announced.promises.md5.unwrap()[0], 0xd4);
    assert_eq!(announced.promises.checksum.unwrap().value(), [0; 4]);
    assert!(matches!(announced.framing, Framed::Plain));
    assert_eq!(plain(&[("transfer-encoding", "chunked")]).unwrap().length, None);
}

#[test]
fn a_framed_body_has_its_decoded_length_and_its_trailer() {
    let headers = [
        ("content-length", "99"),
        ("x-amz-decoded-content-length", "5"),
        ("x-amz-trailer", "x-amz-checksum-crc32c"),
        ("content-encoding", "aws-chunked"),
    ];
    let announced = read(chunked(true), &headers).unwrap();
    assert_eq!(announced.length, Some(5));
    assert_eq!(announced.trailer, "x-amz-checksum-crc32c");
    assert_eq!(announced.promises.algorithm, Some(ChecksumAlgorithm::Crc32c));
    assert!(matches!(announced.framing, Framed::Chunked(..)));
    let signed_as_a_whole = read(Payload::Sha256([1; 32]), &headers).unwrap();
    assert!(matches!(signed_as_a_whole.framing, Framed::Chunked(_, Some(_))));
    assert_eq!(signed_as_a_whole.promises.sha256, None, "the hash is of the framed bytes");
}

#[test]
fn aws_chunked_without_a_frame_is_only_a_word() {
    let announced = read(Payload::Sha256([1; 32]), &[("content-encoding", "aws-chunked,gzip")]).unwrap();
    assert!(matches!(announced.framing, Framed::Plain));
}

#[test]
fn what_contradicts_itself_is_refused() {
    let invalid_request: &[&[(&str, &str)]] = &[
        &[(CRC32, "AAAAAA=="), ("x-amz-checksum-crc32c", "AAAAAA==")],
        &[(CRC32, "AAAAAA=="), ("x-amz-trailer", CRC32)],
        &[("x-amz-checksum-crc31", "AAAAAA==")],
        &[(CRC32, "AAAAAA=="), ("x-amz-sdk-checksum-algorithm", "SHA256")],
        &[(CRC32, "AAAAAA=="), ("x-amz-sdk-checksum-algorithm", "MD6")],
        &[("x-amz-sdk-checksum-algorithm", "CRC32")],
        &[("x-amz-trailer", "x-amz-meta-late")],
        &[("content-encoding", "gzip, aws-chunked"), ("x-amz-decoded-content-length", "1")],
    ];
    for headers in invalid_request {
        assert_eq!(plain(headers).err().unwrap().code, ErrorCode::InvalidRequest, "{headers:?}");
    }
    for value in ["AAAA", "", "bad"] {
        assert_eq!(plain(&[(CRC32, value)]).err().unwrap().code, ErrorCode::BadDigest, "{value}");
    }
    for md5 in ["", "x", "1B2M2Y8AsgTpgAmY7PhCfg", "AAAA", "rL0Y20zC+Fzt72VPzMSk2A==="] {
        assert_eq!(plain(&[("content-md5", md5)]).err().unwrap().code, ErrorCode::InvalidDigest, "{md5}");
    }
    for length in ["", "-1", "+5", "0x5", "5,5", "99999999999999999999"] {
        let error = plain(&[("content-length", length)]).err().unwrap();
        assert_eq!(error.code, ErrorCode::InvalidArgument, "{length}");
    }
    assert_eq!(plain(&[("x-amz-trailer", CRC32)]).err().unwrap().code, ErrorCode::MalformedTrailerError);
    assert_eq!(read(chunked(false), &[]).err().unwrap().code, ErrorCode::MissingContentLength);
}
