#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::future::poll_fn;
use std::io;

use futures_util::stream;

use super::*;
use crate::auth::Chunked;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::s3::checksum::Hasher;

fn payload(pieces: Vec<Result<&'static [u8], PayloadError>>) -> dev::Payload {
    let pieces = pieces.into_iter().map(|piece| piece.map(Bytes::from_static)).collect::<Vec<_>>();
    dev::Payload::Stream { payload: Box::pin(stream::iter(pieces)) }
}

fn announced(length: Option<u64>, framing: Framed, trailer: &str) -> Announced {
    Announced { length, framing, promises: Promises::default(), trailer: trailer.to_owned() }
}

fn frame() -> Framed {
    Framed::Chunked(Chunked { signer: None, trailer: true }, None)
}

async fn all(body: &mut Body) -> Result<Vec<u8>, ErrorCode> {
    let mut bytes = Vec::new();
    while let Some(chunk) = poll_fn(|cx| body.poll_chunk(cx)).await {
        bytes.extend_from_slice(&chunk.map_err(|error| error.code)?);
    }
    Ok(bytes)
}

#[actix_rt::test]
async fn a_plain_body_comes_through() {
    let mut body = Body::new(payload(vec![Ok(b"ab"), Ok(b"c")]), announced(Some(3), Framed::Plain, ""));
    assert_eq!(body.length(), Some(3));
    assert_eq!(all(&mut body).await.unwrap(), b"abc");
    assert!(body.has_ended());
    assert_eq!(body.received(), 3);
    let mut unknown = Body::new(payload(vec![Ok(b"abc")]), announced(None, Framed::Plain, ""));
    assert_eq!(all(&mut unknown).await.unwrap(), b"abc");
}

#[actix_rt::test]
async fn a_body_that_is_cut_off_is_an_error() {
    let timed_out = || PayloadError::Io(io::ErrorKind::TimedOut.into());
    let broken = || PayloadError::Io(io::ErrorKind::InvalidData.into());
    for (pieces, code) in [
        (vec![Ok(&b"ab"[..])], ErrorCode::IncompleteBody),
        (vec![Ok(&b"ab"[..]), Err(PayloadError::Incomplete(None))], ErrorCode::IncompleteBody),
        (vec![Ok(&b"ab"[..]), Err(timed_out())], ErrorCode::RequestTimeout),
        (vec![Err(broken())], ErrorCode::BadRequest),
    ] {
        let mut body = Body::new(payload(pieces), announced(Some(3), Framed::Plain, ""));
        assert_eq!(all(&mut body).await.unwrap_err(), code);
    }
}

#[actix_rt::test]
async fn framing_is_taken_off_and_the_trailer_promised() {
    let mut hasher = Hasher::new(ChecksumAlgorithm::Crc32);
    hasher.update(b"abcd");
    let wire: &[&[u8]] = &[b"3\r\nab", b"c\r\n1\r\nd\r", b"\n0\r\nx-amz-checksum-crc32:7YLNEQ==\r\n\r\n"];
    let pieces = wire.iter().map(|piece| Ok(*piece)).collect();
    let mut body = Body::new(payload(pieces), announced(Some(4), frame(), "x-amz-checksum-crc32"));
    assert_eq!(all(&mut body).await.unwrap(), b"abcd");
    assert!(body.has_ended());
    assert_eq!(body.promises().checksum, Some(hasher.finish()));
}

#[actix_rt::test]
async fn framing_that_lies_is_refused() {
    for (wire, length, trailer, code) in [
        (&b"3\r\nabc\r\n"[..], 3, "", ErrorCode::IncompleteBody),
        (b"3\r\nabc\r\n0\r\n\r\n", 4, "", ErrorCode::IncompleteBody),
        (b"3\r\nabc\r\n0\r\n\r\n", 2, "", ErrorCode::IncompleteBody),
        (b"zz\r\nabc\r\n0\r\n\r\n", 3, "", ErrorCode::InvalidRequest),
        (b"3\r\nabc\r\n0\r\n\r\n", 3, "x-amz-checksum-crc32", ErrorCode::MalformedTrailerError),
        (
            b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:AA==\r\n\r\n",
            3,
            "x-amz-checksum-crc32",
            ErrorCode::BadDigest,
        ),
    ] {
        let mut body = Body::new(payload(vec![Ok(wire)]), announced(Some(length), frame(), trailer));
        let text = String::from_utf8_lossy(wire);
        assert_eq!(all(&mut body).await.unwrap_err(), code, "{text:?} of {length}");
    }
}

#[actix_rt::test]
async fn a_hash_over_the_framing_is_checked() {
    let wire: &[u8] = b"3\r\nabc\r\n0\r\n\r\n";
    let digest: Sha256Digest = Sha256::digest(wire).into();
    let of = |digest| Framed::Chunked(Chunked { signer: None, trailer: false }, Some(digest));
    let mut body = Body::new(payload(vec![Ok(wire)]), announced(Some(3), of(digest), ""));
    assert_eq!(all(&mut body).await.unwrap(), b"abc");
    let mut body = Body::new(payload(vec![Ok(wire)]), announced(Some(3), of([0; 32]), ""));
    assert_eq!(all(&mut body).await.unwrap_err(), ErrorCode::XAmzContentSHA256Mismatch);
}

#[actix_rt::test]
async fn documents_are_bounded_and_keep_their_promises() {
    let read = |length: Option<u64>, promises: Promises, max: usize| async move {
        let announced = Announced { length, framing: Framed::Plain, promises, trailer: String::new() };
        let mut body = Body::new(payload(vec![Ok(b"ab"), Ok(b"cd")]), announced);
        document::read(&mut body, max).await.map_err(|error| error.code)
    };
    assert_eq!(read(Some(4), Promises::default(), 4).await.unwrap(), b"abcd");
    assert_eq!(read(Some(4), Promises::default(), 3).await.unwrap_err(), ErrorCode::MalformedXML);
    assert_eq!(read(None, Promises::default(), 3).await.unwrap_err(), ErrorCode::MalformedXML);
    let md5 = Promises { md5: Some([0; 16]), ..Promises::default() };
    assert_eq!(read(None, md5, 9).await.unwrap_err(), ErrorCode::BadDigest);
    let sha256 = Promises { sha256: Some([0; 32]), ..Promises::default() };
    assert_eq!(read(None, sha256, 9).await.unwrap_err(), ErrorCode::XAmzContentSHA256Mismatch);
    let checksum =
        Promises { checksum: Checksum::new(ChecksumAlgorithm::Crc32, vec![0; 4]), ..Promises::default() };
    assert_eq!(read(None, checksum, 9).await.unwrap_err(), ErrorCode::BadDigest);
}
