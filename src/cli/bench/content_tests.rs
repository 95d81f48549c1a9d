#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::HashSet;

use super::*;

fn whole(content: &mut Content, identity: u64, length: u64) -> Vec<u8> {
    let mut body = Vec::new();
    while (body.len() as u64) < length {
        let offset = body.len() as u64;
        body.extend_from_slice(content.segment(identity, length, offset));
    }
    body
}

#[test]
fn every_stretch_of_every_body_is_its_own() {
    let length = (3 << 20) + 100;
    let mut content = Content::new(length);
    let mut seen = HashSet::new();
    for identity in 0..3 {
        let body = whole(&mut content, identity, length);
        assert_eq!(body.len() as u64, length);
        for stretch in body.chunks(STAMP_EVERY) {
            assert!(seen.insert(stretch.to_vec()), "a stretch came twice");
        }
    }
}

#[test]
fn a_body_is_the_same_from_another_maker() {
    let (mut one, mut other) = (Content::new(1 << 20), Content::new(1 << 20));
    whole(&mut one, 1, 70_000);
    assert_eq!(whole(&mut one, 9, 200_000), whole(&mut other, 9, 200_000));
    let digest: Sha256Digest = Sha256::digest(whole(&mut other, 9, 200_000)).into();
    assert_eq!(one.sha256(9, 200_000), digest);
}

#[test]
fn short_bodies_have_room_for_a_part_of_the_stamp() {
    let mut content = Content::new(5);
    assert_ne!(whole(&mut content, 1, 5), whole(&mut Content::new(5), 2, 5));
    assert!(content.segment(1, 0, 0).is_empty());
}

#[test]
fn picks_stay_below_the_bound_and_reach_all() {
    let mut picker = Picker::new(7);
    let seen: HashSet<u64> = (0..1000).map(|_| picker.below(10)).collect();
    assert_eq!(seen, (0..10).collect());
    assert_eq!(picker.below(0), 0);
}
