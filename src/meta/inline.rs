//! Inline values: `format (1) | CRC-32 of the body (4, little-endian) | body`.

use bytes::Bytes;

use super::Error;
use super::error::Kind;
use super::keys::Key;

const FORMAT: u8 = 1;
const BODY: usize = 5;

pub(super) fn encode(body: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(BODY + body.len());
    value.push(FORMAT);
    value.extend_from_slice(&crc32fast::hash(body).to_le_bytes());
    value.extend_from_slice(body);
    value
}

pub(super) fn decode(key: &Key, value: &[u8]) -> Result<Bytes, Error> {
    let (head, body) =
        value.split_at_checked(BODY).ok_or_else(|| Error::corrupt(key.describe(), "a short value"))?;
    if head[0] > FORMAT {
        return Err(Error::new("read", key.describe(), Kind::Newer(u16::from(head[0]))));
    }
    if crc32fast::hash(body).to_le_bytes() != head[1..] {
        return Err(Error::corrupt(key.describe(), "the checksum of an inline body"));
    }
    Ok(Bytes::copy_from_slice(body))
}
