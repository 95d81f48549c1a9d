//! Where copies belong: consistent hashing with virtual nodes, weighted by capacity. Pure.
//!
//! Each volume owns points on a ring of 64 bits, as many as its capacity warrants. A blob's home are the first R
//! volumes clockwise from the first eight bytes of its random id; reads go on clockwise over all volumes, so copies
//! are found wherever an earlier ring had put them. A volume that comes takes points from all others evenly; one
//! that goes gives its points to those that follow it.

use sha2::Digest as _;

use crate::base::BlobId;
use crate::base::VolumeId;

/// The most points that one volume has; what a larger disk has more than that is left out.
const POINTS_MAX: u64 = 1 << 14;

/// A volume on the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    /// The volume.
    pub volume: VolumeId,
    /// Whose points it has: its own, or those of the volume whose place it took.
    pub place: VolumeId,
    /// Its capacity in bytes.
    pub capacity_bytes: u64,
}

/// The ring of the volumes of one deployment.
pub struct Ring {
    volumes: Vec<VolumeId>,
    /// Position and index into `volumes`, ordered.
    points: Vec<(u64, u16)>,
}

impl Ring {
    /// The ring of these volumes, with a point for every `point_bytes` of capacity. As long as that stays, a volume that
    /// comes or goes leaves the points of all others where they are.
    pub fn new(weights: &[Weight], point_bytes: u64) -> Self {
        let mut points = Vec::new();
        for (index, weight) in weights.iter().enumerate() {
            let count = (weight.capacity_bytes / point_bytes.max(1)).clamp(1, POINTS_MAX);
            points.extend((0..count).map(|number| (position(weight.place, number), index as u16)));
        }
        points.sort_unstable();
        Self { volumes: weights.iter().map(|weight| weight.volume).collect(), points }
    }

    /// All volumes in the order in which this blob prefers them.
    pub fn order(&self, blob: BlobId) -> impl Iterator<Item = VolumeId> + '_ {
        let bytes = blob.as_bytes();
        let start = u64::from_be_bytes(std::array::from_fn(|i| bytes[i]));
        let first = self.points.partition_point(|(position, _)| *position < start);
        let mut clockwise = self.points[first..].iter().chain(&self.points[..first]);
        let mut seen = vec![false; self.volumes.len()];
        std::iter::from_fn(move || {
            let (_, index) = clockwise.find(|(_, index)| !seen[usize::from(*index)])?;
            seen[usize::from(*index)] = true;
            Some(self.volumes[usize::from(*index)])
        })
    }
}

/// A fixed position for a volume's virtual node, spread evenly by SHA-256.
fn position(volume: VolumeId, number: u64) -> u64 {
    let mut digest = sha2::Sha256::new();
    digest.update(volume.as_bytes());
    digest.update(number.to_be_bytes());
    let digest = digest.finalize();
    u64::from_be_bytes(std::array::from_fn(|i| digest[i]))
}

#[cfg(test)]
#[path = "placement_tests.rs"]
mod tests;
