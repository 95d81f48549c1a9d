//! The part file, byte by byte. `docs/format.md` draws it; the offsets below are chained so that the two can be
//! compared by eye.
//!
//! ```text
//!   payload            as the client sent it
//!   block table        one CRC-32 per 64 KiB of payload, little-endian
//!   owner              what the file says about itself; opaque here
//!   footer, 80 bytes   below; its last four bytes make the file valid
//! ```

use crate::base::BlobId;
use crate::base::Md5Digest;
use crate::base::Timestamp;

use super::buffer::AlignedBuffer;

/// Bytes of payload behind one checksum: small enough for cheap ranges, large enough for a small table.
pub const BLOCK_BYTES: usize = 64 << 10;

const MAGIC: &[u8; 8] = b"HOLDPART";
/// The newest format we write and read.
const FORMAT: u16 = 1;

const AT_MAGIC: usize = 0;
const AT_FORMAT: usize = AT_MAGIC + 8;
/// Zero: a whole copy. Others will be shards of erasure-coded blobs.
const AT_SCHEME: usize = AT_FORMAT + 2;
const AT_SHARD: usize = AT_SCHEME + 1;
const AT_BLOCK_BYTES: usize = AT_SHARD + 1;
const AT_ID: usize = AT_BLOCK_BYTES + 4;
const AT_LENGTH: usize = AT_ID + 16;
const AT_OWNER_LENGTH: usize = AT_LENGTH + 8;
const AT_TABLE_CRC: usize = AT_OWNER_LENGTH + 4;
const AT_MD5: usize = AT_TABLE_CRC + 4;
const AT_CREATED: usize = AT_MD5 + 16;
const AT_RESERVED: usize = AT_CREATED + 8;
const AT_CRC: usize = AT_RESERVED + 4;
/// Length of the footer in bytes.
pub const FOOTER_BYTES: usize = AT_CRC + 4;

const _: () = assert!(FOOTER_BYTES == 80, "docs/format.md draws 80 bytes");

/// The fixed end of a part file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footer {
    /// Which blob this is.
    pub id: BlobId,
    /// Payload bytes.
    pub length: u64,
    /// Owner bytes.
    pub owner_length: u32,
    /// CRC-32 over block table and owner.
    pub table_crc: u32,
    /// MD5 of the payload.
    pub md5: Md5Digest,
    /// When it was written.
    pub created: Timestamp,
}

/// Why bytes are no footer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoFooter {
    Corrupt(&'static str),
    Newer(u16),
}

impl Footer {
    /// Bytes of the block table.
    pub const fn table_bytes(&self) -> u64 {
        self.length.div_ceil(BLOCK_BYTES as u64) * 4
    }

    /// Bytes of the whole file.
    pub const fn file_bytes(&self) -> u64 {
        self.length + self.table_bytes() + self.owner_length as u64 + FOOTER_BYTES as u64
    }

    pub(super) fn encode(&self) -> [u8; FOOTER_BYTES] {
        let mut bytes = [0; FOOTER_BYTES];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(AT_MAGIC, MAGIC);
        put(AT_FORMAT, &FORMAT.to_le_bytes());
        put(AT_BLOCK_BYTES, &(BLOCK_BYTES as u32).to_le_bytes());
        put(AT_ID, self.id.as_bytes());
        put(AT_LENGTH, &self.length.to_le_bytes());
        put(AT_OWNER_LENGTH, &self.owner_length.to_le_bytes());
        put(AT_TABLE_CRC, &self.table_crc.to_le_bytes());
        put(AT_MD5, &self.md5);
        put(AT_CREATED, &self.created.as_millis().to_le_bytes());
        let crc = crc32fast::hash(&bytes[..AT_CRC]);
        bytes[AT_CRC..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8; FOOTER_BYTES]) -> Result<Self, NoFooter> {
        if &bytes[AT_MAGIC..AT_FORMAT] != MAGIC {
            return Err(NoFooter::Corrupt("no footer at the end"));
        }
        if u32_at(bytes, AT_CRC) != crc32fast::hash(&bytes[..AT_CRC]) {
            return Err(NoFooter::Corrupt("the footer's checksum is wrong"));
        }
        let format = u16::from_le_bytes([bytes[AT_FORMAT], bytes[AT_FORMAT + 1]]);
        let known = bytes[AT_SCHEME] == 0 && u32_at(bytes, AT_BLOCK_BYTES) as usize == BLOCK_BYTES;
        if format > FORMAT || !known {
            return Err(NoFooter::Newer(format));
        }
        Ok(Self {
            id: BlobId::from_bytes(array_at(bytes, AT_ID)),
            length: u64::from_le_bytes(array_at(bytes, AT_LENGTH)),
            owner_length: u32_at(bytes, AT_OWNER_LENGTH),
            table_crc: u32_at(bytes, AT_TABLE_CRC),
            md5: array_at(bytes, AT_MD5),
            created: Timestamp::from_millis(u64::from_le_bytes(array_at(bytes, AT_CREATED))),
        })
    }
}

fn array_at<const N: usize>(bytes: &[u8; FOOTER_BYTES], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

fn u32_at(bytes: &[u8; FOOTER_BYTES], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

/// The block checksums of a payload that passes in order.
pub struct BlockSums {
    table: Vec<u8>,
    block: crc32fast::Hasher,
    in_block: usize,
}

impl BlockSums {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self { table: Vec::new(), block: crc32fast::Hasher::new(), in_block: 0 }
    }

    /// Takes the next bytes of the payload.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK_BYTES - self.in_block));
            self.block.update(now);
            self.in_block += now.len();
            if self.in_block == BLOCK_BYTES {
                self.close_block();
            }
            bytes = later;
        }
    }

    fn close_block(&mut self) {
        let block = std::mem::take(&mut self.block);
        self.table.extend_from_slice(&block.finalize().to_le_bytes());
        self.in_block = 0;
    }

    fn finish(mut self) -> Vec<u8> {
        if self.in_block > 0 {
            self.close_block();
        }
        self.table
    }
}

impl Default for BlockSums {
    fn default() -> Self {
        Self::new()
    }
}

/// Everything behind the last full buffer of a part file, built once for all copies.
pub struct Tail {
    pub(super) offset: u64,
    pub(super) buffer: AlignedBuffer,
    pub(super) file_bytes: u64,
    footer: Footer,
}

impl Tail {
    /// The tail of blob `id`: `rest` is the payload behind the last full buffer, `sums` were taken over all of it.
    pub fn new(
        (id, created): (BlobId, Timestamp),
        length: u64,
        rest: &[u8],
        sums: BlockSums,
        md5: Md5Digest,
        owner: &[u8],
    ) -> Self {
        let table = sums.finish();
        let mut crc = crc32fast::Hasher::new();
        crc.update(&table);
        crc.update(owner);
        let owner_length = owner.len() as u32;
        let footer = Footer { id, length, owner_length, table_crc: crc.finalize(), md5, created };
        let mut buffer = AlignedBuffer::with_capacity(rest.len() + table.len() + owner.len() + FOOTER_BYTES);
        for piece in [rest, &table, owner, &footer.encode()] {
            buffer.fill_from(piece);
        }
        Self { offset: length - rest.len() as u64, buffer, file_bytes: footer.file_bytes(), footer }
    }

    /// The end of the file that this makes.
    pub const fn footer(&self) -> &Footer {
        &self.footer
    }
}
