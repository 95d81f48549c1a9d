use std::collections::HashMap;

use super::*;

fn volume(number: u8) -> VolumeId {
    VolumeId::from_bytes([number; 16])
}

fn blobs() -> impl Iterator<Item = BlobId> {
    (0..20_000_u64).map(|n| {
        let digest = sha2::Sha256::digest(n.to_be_bytes());
        BlobId::from_bytes(std::array::from_fn(|i| digest[i]))
    })
}

#[test]
fn every_volume_is_named_once() {
    let ring = Ring::new(&[(volume(1), 5), (volume(2), 1), (volume(3), 9)]);
    for blob in blobs().take(100) {
        let mut order: Vec<_> = ring.order(blob).collect();
        order.sort_unstable();
        assert_eq!(order, [volume(1), volume(2), volume(3)]);
    }
}

#[test]
fn shares_follow_capacity() {
    let ring = Ring::new(&[(volume(1), 100), (volume(2), 300)]);
    let mut homes = HashMap::new();
    blobs().filter_map(|blob| ring.order(blob).next()).for_each(|home| *homes.entry(home).or_insert(0) += 1);
    let share = f64::from(homes[&volume(2)]) / 20_000.0;
    assert!((0.68..0.82).contains(&share), "{share}");
}

/// Adding the Nth volume may move 1.2/N of the blobs at the most, and only to the new one.
#[test]
fn a_new_volume_takes_its_share_and_moves_nothing_else() {
    for n in 2..=8_u8 {
        let before: Vec<_> = (1..n).map(|number| (volume(number), 10)).collect();
        let mut after = before.clone();
        after.push((volume(n), 10));
        let (before, after) = (Ring::new(&before), Ring::new(&after));
        let mut moved = 0;
        for blob in blobs() {
            let (old, new) = (before.order(blob).next(), after.order(blob).next());
            if old != new {
                assert_eq!(new, Some(volume(n)));
                moved += 1;
            }
        }
        assert!(f64::from(moved) <= 20_000.0 * 1.2 / f64::from(n), "{moved} of 20000 moved to volume {n}");
    }
}
