//! MD5 of bodies, of one or of many at once.
//!
//! It is the largest cost of a large upload and, being one long chain, cannot be made faster for one body. Those of many
//! uploads can be advanced together ([`lanes`]). The compression of one alone is the `md-5` crate's.

mod lanes;

use crate::base::Md5Digest;

use lanes::Block;
use lanes::Chain;
use lanes::Run;

const BLOCK_BYTES: usize = 64;

/// What RFC 1321 begins with (section 3.3).
const BEGUN: Chain = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// A running digest.
#[derive(Clone)]
pub(super) struct Md5 {
    chain: Chain,
    /// Bytes taken so far.
    length: u64,
    /// The bytes of a block that is not full yet: as many as `length` has beyond whole blocks.
    begun: Block,
}

impl Md5 {
    pub(super) const fn new() -> Self {
        Self { chain: BEGUN, length: 0, begun: [0; BLOCK_BYTES] }
    }

    /// Takes the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        if let Some(run) = self.begin(bytes) {
            md5::block_api::compress(run.chain, run.blocks);
        }
    }

    /// Takes the next bytes but for their whole blocks, which are to be compressed next.
    fn begin<'a>(&'a mut self, mut bytes: &'a [u8]) -> Option<Run<'a>> {
        let begun = (self.length % BLOCK_BYTES as u64) as usize;
        self.length += bytes.len() as u64;
        if begun > 0 {
            let taken = bytes.len().min(BLOCK_BYTES - begun);
            self.begun[begun..begun + taken].copy_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if begun + taken < BLOCK_BYTES {
                return None;
            }
            md5::block_api::compress(&mut self.chain, &[self.begun]);
        }
        let (blocks, rest) = bytes.as_chunks();
        self.begun[..rest.len()].copy_from_slice(rest);
        Some(Run { chain: &mut self.chain, blocks })
    }

    /// The digest of all that was taken.
    pub(super) fn finish(mut self) -> Md5Digest {
        let bits = self.length.wrapping_mul(8);
        // A one, zeros up to eight bytes before the end of a block, and the length (RFC 1321, sections 3.1 and 3.2).
        let mut padding = [0; 2 * BLOCK_BYTES];
        padding[0] = 0x80;
        let begun = (self.length % BLOCK_BYTES as u64) as usize;
        let zeros_end = if begun < 56 { 56 - begun } else { 120 - begun };
        padding[zeros_end..zeros_end + 8].copy_from_slice(&bits.to_le_bytes());
        self.update(&padding[..zeros_end + 8]);
        let mut digest = [0; 16];
        for (bytes, word) in digest.chunks_exact_mut(4).zip(self.chain) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        digest
    }
}

/// Takes the next bytes of each.
pub(super) fn update_many<'a>(messages: impl Iterator<Item = (&'a mut Md5, &'a [u8])>) {
    lanes::compress_many(messages.filter_map(|(md5, bytes)| md5.begin(bytes)).collect());
}

#[cfg(test)]
#[path = "md5_tests.rs"]
mod tests;
