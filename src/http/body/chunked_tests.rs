#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use proptest::prelude::any;
use proptest::prelude::prop_assert_eq;
use proptest::prelude::proptest;

use super::*;
use crate::auth::RequestHead;
use crate::auth::Secret;
use crate::auth::sign::Credentials;
use crate::auth::sign::SignedPayload;
use crate::auth::sign::sign_head;
use crate::base::Timestamp;

const CRC: &str = "x-amz-checksum-crc32c";

/// A signer as it is after the head; every call gives the same one.
fn signer() -> ChunkSigner {
    let credentials = Credentials {
        access_key: "key".to_owned(),
        secret: Secret::new("secret".to_owned()),
        region: "us-east-1".to_owned(),
    };
    let head = RequestHead { method: "PUT", path: "/b/k", query: "", headers: &[("host", b"localhost")] };
    let payload = SignedPayload::SignedChunks { trailer: true };
    sign_head(&credentials, &head, payload, Timestamp::from_secs(1_369_353_600)).chunks
}

fn signed() -> Chunked {
    Chunked { signer: Some(signer()), trailer: false }
}

fn signed_with_trailer() -> Chunked {
    Chunked { signer: Some(signer()), trailer: true }
}

fn unsigned() -> Chunked {
    Chunked { signer: None, trailer: true }
}

/// Signed chunks without what follows the last one.
fn signed_chunks(chunks: &[&[u8]]) -> (Vec<u8>, ChunkSigner) {
    let (mut body, mut signer) = (Vec::new(), signer());
    for chunk in chunks.iter().copied().chain([&b""[..]]) {
        signer.update(chunk);
        let signature = signer.finish();
        body.extend_from_slice(format!("{:x};chunk-signature={signature}\r\n", chunk.len()).as_bytes());
        if !chunk.is_empty() {
            body.extend_from_slice(chunk);
            body.extend_from_slice(b"\r\n");
        }
    }
    (body, signer)
}

fn signed_body(chunks: &[&[u8]]) -> Vec<u8> {
    let (mut body, _) = signed_chunks(chunks);
    body.extend_from_slice(b"\r\n");
    body
}

fn signed_body_with_trailer(chunks: &[&[u8]]) -> Vec<u8> {
    let (mut body, mut signer) = signed_chunks(chunks);
    let signature = signer.finish_trailer(b"x-amz-checksum-crc32c:sOO8/Q==\n");
    let trailer = format!("{CRC}:sOO8/Q==\r\nx-amz-trailer-signature:{signature}\r\n\r\n");
    body.extend_from_slice(trailer.as_bytes());
    body
}

type Decoded = Result<(Vec<u8>, Trailers), DecodeError>;

fn decode_pieces<'a>(decoder: Decoder, pieces: impl Iterator<Item = &'a [u8]>) -> Decoded {
    let (mut decoder, mut data) = (decoder, Vec::new());
    for piece in pieces {
        decoder.push(Bytes::copy_from_slice(piece));
        while let Some(slice) = decoder.next_data()? {
            assert!(!slice.is_empty());
            data.extend_from_slice(&slice);
        }
    }
    decoder.finish().map(|trailers| (data, trailers))
}

fn decode(chunked: Chunked, length: u64, declared: &str, body: &[u8]) -> Decoded {
    decode_pieces(Decoder::new(chunked, length, declared), std::iter::once(body))
}

fn crc() -> Trailers {
    Trailers(vec![(CRC.to_owned(), "sOO8/Q==".to_owned())])
}

#[test]
fn every_form_is_decoded_whole_and_byte_by_byte() {
    let cases = [
        (signed as fn() -> Chunked, "", signed_body(&[b"hello ", b"world"]), Trailers::default()),
        (signed_with_trailer, CRC, signed_body_with_trailer(&[b"hello ", b"world"]), crc()),
        (
            unsigned,
            CRC,
            b"6\r\nhello \r\n5\r\nworld\r\n0\r\nx-amz-checksum-crc32c:sOO8/Q==\r\n\r\n".to_vec(),
            crc(),
        ),
        (unsigned, "", b"B\r\nhello world\r\n0\r\n\r\n".to_vec(), Trailers::default()),
        (
            unsigned,
            " X-Amz-Checksum-CRC32C ",
            b"00b;x=y\r\nhello world\r\n000\r\nX-Amz-Checksum-CRC32C :  sOO8/Q== \r\n\r\n".to_vec(),
            crc(),
        ),
        // How one client's library ends its trailers: a bare line feed, and a line end too many.
        (unsigned, CRC, b"b\r\nhello world\r\n0\r\nx-amz-checksum-crc32c:sOO8/Q==\n\r\n\r\n".to_vec(), crc()),
    ];
    for (chunked, declared, body, trailers) in cases {
        let expected = Ok((b"hello world".to_vec(), trailers));
        assert_eq!(decode(chunked(), 11, declared, &body), expected);
        assert_eq!(decode_pieces(Decoder::new(chunked(), 11, declared), body.chunks(1)), expected);
    }
}

#[test]
fn a_signed_trailer_may_end_its_headers_with_a_bare_line_feed() {
    let body = String::from_utf8(signed_body_with_trailer(&[b"hello"])).unwrap();
    let body = body.replace("sOO8/Q==\r\n", "sOO8/Q==\n\r\n");
    assert_eq!(decode(signed_with_trailer(), 5, CRC, body.as_bytes()), Ok((b"hello".to_vec(), crc())));
}

#[test]
fn the_signature_of_a_trailer_covers_its_headers_in_the_order_of_their_names() {
    let (mut body, mut signer) = signed_chunks(&[b"hello"]);
    let signature = signer.finish_trailer(b"x-amz-checksum-crc32:a\nx-amz-meta:b\n");
    let trailer =
        format!("X-Amz-Meta: b\r\nx-amz-checksum-crc32:a\r\nx-amz-trailer-signature:{signature}\r\n\r\n");
    body.extend_from_slice(trailer.as_bytes());
    let decoded = decode(signed_with_trailer(), 5, "x-amz-meta,x-amz-checksum-crc32", &body).unwrap();
    assert_eq!(decoded.1.get("x-amz-meta"), Some("b"));
}

#[test]
fn an_empty_body_is_decoded() {
    assert_eq!(decode(signed(), 0, "", &signed_body(&[])), Ok((Vec::new(), Trailers::default())));
    assert_eq!(decode(unsigned(), 0, "", b"0\r\n\r\n"), Ok((Vec::new(), Trailers::default())));
}

#[test]
fn data_is_handed_out_as_slices_of_what_came_in() {
    let body = Bytes::from_static(b"5\r\nhello\r\n0\r\n\r\n");
    let mut decoder = Decoder::new(unsigned(), 5, "");
    decoder.push(body.clone());
    let data = decoder.next_data().unwrap().unwrap();
    assert_eq!(data.as_ptr(), body[3..].as_ptr());
    assert_eq!(decoder.next_data(), Ok(None));
    assert!(decoder.finish().is_ok());
}

#[test]
fn the_checksums_of_a_trailer_are_found() {
    let trailers = Trailers(vec![("x-other".to_owned(), "1".to_owned()), (CRC.to_owned(), "v".to_owned())]);
    assert_eq!(trailers.checksums().collect::<Vec<_>>(), [(ChecksumAlgorithm::Crc32c, "v")]);
    assert_eq!((trailers.get("x-other"), trailers.get("y")), (Some("1"), None));
}

#[test]
fn a_wrong_length_is_an_incomplete_body() {
    let body = signed_body(&[b"hello ", b"world"]);
    for length in [0, 5, 10, 12, u64::MAX] {
        assert_eq!(decode(signed(), length, "", &body), Err(DecodeError::Incomplete), "{length}");
    }
    // Every place where the body may be cut off.
    let bodies = [
        (signed as fn() -> Chunked, "", body),
        (signed_with_trailer, CRC, signed_body_with_trailer(&[b"hello world"])),
        (unsigned, CRC, format!("b\r\nhello world\r\n0\r\n{CRC}:sOO8/Q==\r\n\r\n").into_bytes()),
    ];
    for (chunked, declared, body) in bodies {
        for end in 0..body.len() {
            let cut = decode(chunked(), 11, declared, &body[..end]);
            assert_eq!(cut, Err(DecodeError::Incomplete), "cut after {end}");
        }
    }
    assert_eq!(decode(unsigned(), 5, "", b"5\r\nhello\r\n0\r\n\r\nmore"), Err(DecodeError::Incomplete));
    assert_eq!(
        decode(unsigned(), 5, "", b"5\r\nhello\r\n0\r\n\r\n\r\n\r\n\r\n"),
        Err(DecodeError::Incomplete)
    );
}

#[test]
fn a_malformed_chunk_is_refused() {
    let long = "0".repeat(CHUNK_LINE_MAX + 1);
    for body in [
        "\r\n",
        "z\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "-1\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "4\r\nhello\r\n0\r\n\r\n",
        "00000000000000005\r\nhello\r\n0\r\n\r\n",
        &long,
    ] {
        assert_eq!(decode(unsigned(), 5, "", body.as_bytes()), Err(DecodeError::MalformedChunk), "{body:?}");
    }
    assert_eq!(decode(unsigned(), 5, "", b"ffffffffffffffff\r\n"), Err(DecodeError::Incomplete));
    let trailing = b"5\r\nhello\r\n0\r\nx\r\n\r\n";
    assert_eq!(decode(signed(), 5, "", trailing), Err(DecodeError::SignatureMismatch));
    let mut body = signed_chunks(&[b"hello"]).0;
    body.extend_from_slice(b"x:y\r\n\r\n");
    assert_eq!(decode(signed(), 5, "", &body), Err(DecodeError::MalformedChunk));
}

#[test]
fn a_wrong_or_missing_signature_is_a_mismatch() {
    let body = String::from_utf8(signed_body(&[b"first", b"second"])).unwrap();
    let signatures: Vec<&str> =
        body.match_indices("chunk-signature=").map(|(at, _)| &body[at + 16..at + 80]).collect();
    let flipped = |signature: &str| body.replace(signature, &"0".repeat(64));
    for (bad, why) in [
        (flipped(signatures[0]), "first chunk"),
        (flipped(signatures[1]), "second chunk"),
        (flipped(signatures[2]), "last chunk"),
        (body.replace(&format!(";chunk-signature={}", signatures[1]), ""), "none"),
        (body.replace(signatures[1], &signatures[1].to_ascii_uppercase()), "upper case"),
        (body.replace(signatures[1], &format!("{} ", signatures[1])), "longer"),
        (body.replace("second", "tampon"), "other data"),
        ("6;chunk-signature=".to_owned() + signatures[1] + "\r\nsecond\r\n", "out of order"),
    ] {
        assert_eq!(decode(signed(), 11, "", bad.as_bytes()), Err(DecodeError::SignatureMismatch), "{why}");
    }
    let body = String::from_utf8(signed_body_with_trailer(&[b"hello"])).unwrap();
    let bad = body.replace("sOO8", "aOO8");
    assert_eq!(decode(signed_with_trailer(), 5, CRC, bad.as_bytes()), Err(DecodeError::SignatureMismatch));
}

#[test]
fn a_trailer_must_be_what_was_declared() {
    let body = |trailer: &str| format!("5\r\nhello\r\n0\r\n{trailer}\r\n");
    let long = format!("{CRC}:{}\r\n", "a".repeat(TRAILER_LINE_MAX));
    for (declared, trailer) in [
        ("", "x-amz-checksum-crc32c:sOO8/Q==\r\n"),
        (CRC, ""),
        (CRC, "x-amz-checksum-crc32:sOO8/Q==\r\n"),
        (CRC, "x-amz-checksum-crc32c:a\r\nx-amz-checksum-crc32c:b\r\n"),
        (CRC, "x-amz-checksum-crc32c\r\n"),
        (CRC, &long),
    ] {
        let decoded = decode(unsigned(), 5, declared, body(trailer).as_bytes());
        assert_eq!(decoded, Err(DecodeError::MalformedTrailer), "{trailer:?}");
    }
    let mut bytes = body("").into_bytes();
    bytes.splice(bytes.len() - 2.., *b"\xff:1\r\n\r\n");
    assert_eq!(decode(unsigned(), 5, CRC, &bytes), Err(DecodeError::MalformedTrailer));
    // Signed: the signature covers too few headers, or blank lines never end.
    let body = String::from_utf8(signed_body_with_trailer(&[b"hello"])).unwrap();
    let both = format!("{CRC},x-amz-checksum-sha1");
    assert_eq!(decode(signed_with_trailer(), 5, &both, body.as_bytes()), Err(DecodeError::MalformedTrailer));
    let blank = body.replace("sOO8/Q==\r\n", &format!("sOO8/Q=={}", "\r\n".repeat(20)));
    assert_eq!(decode(signed_with_trailer(), 5, CRC, blank.as_bytes()), Err(DecodeError::MalformedTrailer));
}

#[test]
fn after_a_refusal_nothing_more_comes_out() {
    let mut decoder = Decoder::new(unsigned(), 5, "");
    decoder.push(Bytes::from_static(b"z\r\n"));
    assert_eq!(decoder.next_data(), Err(DecodeError::MalformedChunk));
    decoder.push(Bytes::from_static(b"5\r\nhello\r\n0\r\n\r\n"));
    assert_eq!(decoder.next_data(), Err(DecodeError::MalformedChunk));
    assert_eq!(decoder.finish(), Err(DecodeError::MalformedChunk));
}

#[test]
fn each_refusal_is_a_mistake_of_the_client() {
    for (error, code, status) in [
        (DecodeError::Incomplete, "IncompleteBody", 400),
        (DecodeError::MalformedChunk, "InvalidRequest", 400),
        (DecodeError::SignatureMismatch, "SignatureDoesNotMatch", 403),
        (DecodeError::MalformedTrailer, "MalformedTrailerError", 400),
    ] {
        assert_eq!((error.code().as_str(), error.code().status()), (code, status));
    }
}

proptest! {
    #[test]
    fn the_pieces_of_the_network_do_not_matter(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..100), 0..6),
        cuts in proptest::collection::vec(1_usize..40, 1..20),
        kind in 0..3,
    ) {
        let slices: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let (chunked, declared, body) = match kind {
            0 => (signed(), "", signed_body(&slices)),
            1 => (signed_with_trailer(), CRC, signed_body_with_trailer(&slices)),
            _ => {
                let chunk = |data: &&[u8]| [format!("{:X}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat();
                let mut body: Vec<u8> = slices.iter().flat_map(chunk).collect();
                body.extend_from_slice(format!("0\r\n{CRC}:sOO8/Q==\r\n\r\n").as_bytes());
                (unsigned(), CRC, body)
            }
        };
        let (mut rest, mut cuts) = (body.as_slice(), cuts.iter().cycle());
        let pieces = std::iter::from_fn(|| {
            let (piece, left) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            rest = left;
            (!piece.is_empty()).then_some(piece)
        });
        let data = slices.concat();
        let decoded = decode_pieces(Decoder::new(chunked, data.len() as u64, declared), pieces);
        prop_assert_eq!(decoded.map(|(data, _)| data), Ok(data));
    }

    /// Wherever a bit of a signed body is flipped: it is refused, or nothing that counts changed.
    #[test]
    fn a_flipped_bit_never_changes_what_is_accepted(at in any::<proptest::sample::Index>(), bit in 0..8_u8) {
        let mut body = signed_body_with_trailer(&[b"the first chunk", b"the second"]);
        let at = at.index(body.len());
        body[at] ^= 1 << bit;
        if let Ok((data, trailers)) = decode(signed_with_trailer(), 25, CRC, &body) {
            prop_assert_eq!(data, b"the first chunkthe second".to_vec());
            prop_assert_eq!(trailers, crc());
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), length in any::<u64>()) {
        let _ = decode(unsigned(), length, CRC, &bytes);
    }
}
