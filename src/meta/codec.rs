//! Rows: `format (1) | revision (8, big-endian) | record (postcard)`.
//!
//! The revision is stamped by the committer. A reader accepts formats up to its own and refuses newer ones.

use super::Error;
use super::error::Kind;
use super::keys::Key;
use super::records::Record;

pub(super) const REVISION: std::ops::Range<usize> = 1..9;
const RECORD: usize = REVISION.end;

/// A record and the number of the commit that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<R> {
    /// The number of the commit that wrote it.
    pub revision: u64,
    /// What was written.
    pub record: R,
}

/// A row without its revision yet.
pub(super) fn encode<R: Record>(record: &R) -> Vec<u8> {
    let mut row = vec![0; RECORD];
    row[0] = R::FORMAT;
    // Serialising into memory fails only for types that cannot be serialised at all.
    postcard::to_extend(record, row).unwrap_or_default()
}

pub(super) fn decode<R: Record>(key: &Key, row: &[u8]) -> Result<Stored<R>, Error> {
    let (revision, bytes) = split::<R>(key, row)?;
    let record = postcard::from_bytes(bytes).map_err(|_| Error::corrupt(key.describe(), "the record"))?;
    Ok(Stored { revision, record })
}

/// The revision, and the record's bytes.
pub(super) fn split<'a, R: Record>(key: &Key, row: &'a [u8]) -> Result<(u64, &'a [u8]), Error> {
    let format = *row.first().ok_or_else(|| Error::corrupt(key.describe(), "an empty row"))?;
    if format > R::FORMAT {
        return Err(Error::new("read", key.describe(), Kind::Newer(u16::from(format))));
    }
    let revision = revision(row).ok_or_else(|| Error::corrupt(key.describe(), "a short row"))?;
    Ok((revision, &row[RECORD..]))
}

pub(super) fn revision(row: &[u8]) -> Option<u64> {
    let bytes = row.get(REVISION)?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
