use std::collections::HashMap;

use super::*;

/// Capacity of a volume of average size in these tests, and so many of its points.
const POINT_BYTES: u64 = 1 << 30;

fn volume(number: u8) -> VolumeId {
    VolumeId::from_bytes([number; 16])
}

/// A volume with `points` of its own.
fn weight(number: u8, points: u64) -> Weight {
    let volume = volume(number);
    Weight { volume, place: volume, capacity_bytes: points * POINT_BYTES }
}

fn ring(weights: &[Weight]) -> Ring {
    Ring::new(weights, POINT_BYTES)
}

fn blobs() -> impl Iterator<Item = BlobId> {
    (0..20_000_u64).map(|n| {
        let digest = sha2::Sha256::digest(n.to_be_bytes());
        BlobId::from_bytes(std::array::from_fn(|i| digest[i]))
    })
}

#[test]
fn every_volume_is_named_once() {
    let ring = ring(&[weight(1, 500), weight(2, 0), weight(3, 900)]);
    for blob in blobs().take(100) {
        let mut order: Vec<_> = ring.order(blob).collect();
        order.sort_unstable();
        assert_eq!(order, [volume(1), volume(2), volume(3)]);
    }
}

#[test]
fn shares_follow_capacity() {
    let ring = ring(&[weight(1, 256), weight(2, 768)]);
    let mut homes = HashMap::new();
    blobs().filter_map(|blob| ring.order(blob).next()).for_each(|home| *homes.entry(home).or_insert(0) += 1);
    let share = f64::from(homes[&volume(2)]) / 20_000.0;
    assert!((0.68..0.82).contains(&share), "{share}");
}

/// Copies that are elsewhere afterwards, as parts of all, when each blob has `replicas`.
fn moved(before: &Ring, after: &Ring, replicas: usize, comes: VolumeId) -> f64 {
    let mut moved = 0_u32;
    for blob in blobs() {
        let old: Vec<_> = before.order(blob).take(replicas).collect();
        let new = after.order(blob).take(replicas).filter(|volume| !old.contains(volume));
        for volume in new {
            assert_eq!(volume, comes, "a copy moved between two others");
            moved += 1;
        }
    }
    f64::from(moved) / (20_000.0 * replicas as f64)
}

/// Adding the Nth of equal volumes moves 1.2/N of the bytes at the most, and only to the new one.
#[test]
fn a_new_volume_takes_its_share_and_moves_nothing_else() {
    for replicas in 1..=3 {
        for n in (replicas as u8 + 1)..=8 {
            let after: Vec<_> = (1..=n).map(|number| weight(number, 512)).collect();
            let (before, after) = (ring(&after[..usize::from(n) - 1]), ring(&after));
            let moved = moved(&before, &after, replicas, volume(n));
            assert!(moved <= 1.2 / f64::from(n), "{moved} moved to volume {n}, {replicas} copies");
        }
    }
}

/// Volumes of any sizes: a new one moves at most 1.2 times its share of the capacity, and only to itself. (With
/// several copies its share of the bytes is bounded by one copy of each blob.)
#[test]
fn sizes_may_differ() {
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for _ in 0..40 {
        let n = 3 + random(8) as u8;
        let weights: Vec<_> = (1..=n).map(|number| weight(number, 300 + random(1500))).collect();
        let points =
            |weights: &[Weight]| weights.iter().map(|weight| weight.capacity_bytes).sum::<u64>() as f64;
        let share = points(&weights[usize::from(n) - 1..]) / points(&weights);
        let (before, after) = (ring(&weights[..usize::from(n) - 1]), ring(&weights));
        let moved = moved(&before, &after, 1, volume(n));
        assert!(moved <= 1.2 * share, "{moved} moved to a volume with {share} of the capacity");
    }
}

/// A new disk in the place of an old one gets exactly the copies that the old one had.
#[test]
fn a_replacement_moves_nothing_between_others() {
    let before: Vec<_> = (1..=5).map(|number| weight(number, 200 * u64::from(number))).collect();
    let mut after = before.clone();
    after[2].volume = volume(9);
    let (before, after) = (ring(&before), ring(&after));
    for blob in blobs() {
        let replaced = before.order(blob).map(|one| if one == volume(3) { volume(9) } else { one });
        assert!(replaced.eq(after.order(blob)));
    }
}
