//! Bodies: random, no two alike, made without making random bytes for each.
//!
//! A body is one shared random MiB over and over, with 16 bytes of its own in every 64 KiB. That defeats
//! deduplication by block and compression, and costs a copy of 16 bytes where a generator would cost all of them.

use sha2::Digest as _;
use sha2::Sha256;

use crate::base::Sha256Digest;
use crate::sys::entropy::Entropy as _;
use crate::sys::entropy::SeededEntropy;
use crate::sys::entropy::SystemEntropy;

/// What is made, sent or compared at a time. Fits the second-level cache of current machines.
pub const SEGMENT_BYTES: usize = 1 << 20;
/// Every such stretch of a body has 16 bytes that no other body has.
const STAMP_EVERY: usize = 64 << 10;
/// The shared bytes are the same in every run, so that prepared objects can be verified by a later one.
const BASE_SEED: u64 = 0x686f_6c64_616c_6c21;

/// Makes the bodies of one worker in one reused segment.
pub struct Content {
    segment: Vec<u8>,
}

impl Content {
    /// A maker with room for bodies of `length_max`; shorter ones need less memory.
    pub fn new(length_max: u64) -> Self {
        let length = usize::try_from(length_max).map_or(SEGMENT_BYTES, |length| length.min(SEGMENT_BYTES));
        let mut segment = vec![0; length];
        SeededEntropy::new(BASE_SEED).fill(&mut segment);
        Self { segment }
    }

    /// Bytes `offset..offset + SEGMENT_BYTES` of the body that `identity` names, or up to `length` when it ends
    /// before. `offset` is a multiple of [`SEGMENT_BYTES`].
    pub fn segment(&mut self, identity: u64, length: u64, offset: u64) -> &[u8] {
        let length = length.saturating_sub(offset).min(self.segment.len() as u64) as usize;
        let segment = &mut self.segment[..length];
        for (index, stretch) in segment.chunks_mut(STAMP_EVERY).enumerate() {
            let place = offset / STAMP_EVERY as u64 + index as u64;
            let mut stamp = [0; 16];
            stamp[..8].copy_from_slice(&mix(identity ^ mix(place)).to_le_bytes());
            stamp[8..].copy_from_slice(&mix(identity.rotate_left(32) ^ place).to_le_bytes());
            let width = stretch.len().min(stamp.len());
            stretch[..width].copy_from_slice(&stamp[..width]);
        }
        segment
    }

    /// SHA-256 of the whole body that `identity` names.
    pub fn sha256(&mut self, identity: u64, length: u64) -> Sha256Digest {
        let mut digest = Sha256::new();
        let mut offset = 0;
        while offset < length {
            let segment = self.segment(identity, length, offset);
            digest.update(segment);
            offset += segment.len() as u64;
        }
        digest.finalize().into()
    }
}

/// A bijection of 64 bits under which neighbours land far apart (the finalizer of SplitMix64).
pub const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A number that no other run has.
pub fn unforeseen() -> u64 {
    let mut bytes = [0; 8];
    SystemEntropy.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// Picks which object comes next: a few nanoseconds a pick, even enough for that.
pub struct Picker(u64);

impl Picker {
    /// Begins at `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        ((u128::from(mix(self.0)) * u128::from(bound)) >> 64) as u64
    }
}

#[cfg(test)]
#[path = "content_tests.rs"]
mod tests;
