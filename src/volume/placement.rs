//! Where copies belong: consistent hashing with virtual nodes, weighted by capacity. Pure.
//!
//! Each volume owns points on a ring of 64 bits, as many as its share of the capacity. A blob's home are the first R
//! volumes clockwise from the first eight bytes of its random id; reads go on clockwise over all volumes, so copies
//! are found wherever an earlier ring had put them. A volume that comes takes points from all others evenly; one
//! that goes gives its points to those that follow it.

use sha2::Digest as _;

use crate::base::BlobId;
use crate::base::VolumeId;

/// Points of a volume of average size: the share of each then deviates by about 1/sqrt(512), under 5 %.
const POINTS_AVERAGE: u128 = 512;

/// The ring of the volumes of one deployment.
pub struct Ring {
    volumes: Vec<VolumeId>,
    /// Position and index into `volumes`, ordered.
    points: Vec<(u64, u16)>,
}

impl Ring {
    /// The ring of these volumes with their weights, which are capacities in any one unit.
    pub fn new(weights: &[(VolumeId, u64)]) -> Self {
        let total: u128 = weights.iter().map(|(_, weight)| u128::from(*weight)).sum();
        let mut points = Vec::new();
        for (index, (volume, weight)) in weights.iter().enumerate() {
            let share = POINTS_AVERAGE * weights.len() as u128 * u128::from(*weight);
            let count = share.checked_div(total).unwrap_or(POINTS_AVERAGE).max(1);
            points.extend((0..count as u64).map(|number| (position(*volume, number), index as u16)));
        }
        points.sort_unstable();
        Self { volumes: weights.iter().map(|(volume, _)| *volume).collect(), points }
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
