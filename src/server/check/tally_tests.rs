#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

fn blob(number: u64) -> BlobId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    BlobId::from_bytes(bytes)
}

#[test]
fn the_same_items_in_another_order_leave_nothing() {
    let mut tally = Tally::new();
    (0..10_000).for_each(|number| tally.add(blob(number), number));
    (0..10_000).rev().for_each(|number| tally.take(blob(number), number, 1));
    assert!(tally.differing().is_empty());
    assert_eq!(tally.surplus(), 0);
}

#[test]
fn an_item_met_several_times_is_taken_as_often() {
    let mut tally = Tally::new();
    (0..3).for_each(|_| tally.add(blob(1), "x"));
    tally.take(blob(1), "x", 3);
    assert!(tally.differing().is_empty());
}

#[test]
fn one_item_too_many_is_found_with_its_cell() {
    let mut tally = Tally::new();
    (0..1000).for_each(|number| tally.add(blob(number), ()));
    (0..1000).filter(|number| *number != 7).for_each(|number| tally.take(blob(number), (), 1));
    let shards = tally.differing();
    assert!(shards.contains(blob(7)) && !shards.is_empty());
    assert_eq!(shards.prefixes().collect::<Vec<_>>(), [[blob(7).as_bytes()[0], blob(7).as_bytes()[1]]]);
    assert_eq!(tally.surplus(), 1);
}

/// One gone and another come leave the number as it was.
#[test]
fn an_exchange_is_found_though_the_number_is_right() {
    let mut tally = Tally::new();
    tally.add(blob(1), 10);
    tally.take(blob(1), 11, 1);
    assert_eq!(tally.surplus(), 0);
    assert!(tally.differing().contains(blob(1)));
}
