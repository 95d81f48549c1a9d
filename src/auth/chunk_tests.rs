//! The published examples of AWS (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::auth::Authenticated;
use crate::auth::Payload;
use crate::auth::fixture::ACCESS_KEY;
use crate::auth::fixture::Request;
use crate::auth::fixture::at;
use crate::auth::fixture::lenient;

fn example(kind: &str, signed_headers: &str, signature: &str, headers: &[(&str, &str)]) -> ChunkSigner {
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20130524/us-east-1/s3/aws4_request,SignedHeaders={signed_headers},\
         Signature={signature}"
    );
    let day = "20130524T000000Z";
    let request = Request::new("PUT", "/examplebucket/chunkObject.txt", "", headers)
        .with("host", "s3.amazonaws.com")
        .with("x-amz-date", day)
        .with("x-amz-storage-class", "REDUCED_REDUNDANCY")
        .with("content-encoding", "aws-chunked")
        .with("x-amz-decoded-content-length", "66560")
        .with("x-amz-content-sha256", kind)
        .with("authorization", &value);
    match request.authenticate(&lenient(), at(day)).map(Authenticated::into_payload) {
        Ok(Payload::Chunked(chunked)) => chunked.signer.unwrap(),
        Ok(_) => panic!("not chunked"),
        Err(error) => panic!("{error}"),
    }
}

fn signed_chunks() -> ChunkSigner {
    example(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;\
         x-amz-storage-class",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        &[("content-length", "66824")],
    )
}

#[test]
fn the_example_of_signed_chunks() {
    let mut signer = signed_chunks();
    signer.update(&[b'a'; 40_000]);
    signer.update(&[b'a'; 25_536]);
    signer.check(b"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648").unwrap();
    signer.update(&[b'a'; 1024]);
    signer.check(b"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497").unwrap();
    signer.check(b"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9").unwrap();
}

#[test]
fn the_example_of_signed_chunks_with_a_trailer() {
    let mut signer = example(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;\
         x-amz-trailer",
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        &[("x-amz-trailer", "x-amz-checksum-crc32c")],
    );
    signer.update(&[b'a'; 65_536]);
    signer.check(b"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2").unwrap();
    signer.update(&[b'a'; 1024]);
    signer.check(b"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7").unwrap();
    signer.check(b"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992").unwrap();
    let line = b"x-amz-checksum-crc32c:sOO8/Q==\n";
    let signature = b"d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435";
    signer.check_trailer(line, signature).unwrap();
}

#[test]
fn a_chunk_with_another_byte_or_another_signature_does_not_match() {
    let good = b"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
    let mut signer = signed_chunks();
    signer.update(&[b'a'; 65_535]);
    signer.update(b"b");
    assert_eq!(signer.check(good), Err(SignatureMismatch));
    for bad in [&b""[..], &good[..63], &good.to_ascii_uppercase()] {
        let mut signer = signed_chunks();
        signer.update(&[b'a'; 65_536]);
        assert_eq!(signer.check(bad), Err(SignatureMismatch));
    }
}

#[test]
fn what_is_finished_here_checks_here() {
    let (mut writer, mut reader) = (signed_chunks(), signed_chunks());
    for chunk in [&b"one"[..], b"two", b""] {
        writer.update(chunk);
        reader.update(chunk);
        reader.check(writer.finish().as_bytes()).unwrap();
    }
    reader.check_trailer(b"a:b\n", writer.finish_trailer(b"a:b\n").as_bytes()).unwrap();
}
