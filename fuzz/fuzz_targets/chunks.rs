//! aws-chunked framing, cut by the network in different places: how it is cut must make no difference.
#![no_main]

use bytes::Bytes;
use holdall::auth::Chunked;
use holdall::http::body::chunked::DecodeError;
use holdall::http::body::chunked::Decoder;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, u16, u8, &[u8])| {
    let (trailer, length, cut, body) = input;
    let whole = decode(trailer, u64::from(length), [body]);
    let cut = usize::from(cut).min(body.len());
    assert_eq!(whole, decode(trailer, u64::from(length), [&body[..cut], &body[cut..]]));
    if let Ok(data) = whole {
        assert_eq!(data.len(), usize::from(length));
    }
});

fn decode<'a>(
    trailer: bool,
    length: u64,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = Decoder::new(Chunked { signer: None, trailer }, length, "x-amz-checksum-crc32");
    let mut data = Vec::new();
    for piece in pieces {
        decoder.push(Bytes::copy_from_slice(piece));
        while let Some(bytes) = decoder.next_data()? {
            data.extend_from_slice(&bytes);
        }
    }
    decoder.finish().map(|_| data)
}
