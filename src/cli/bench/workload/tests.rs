#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;

use super::*;

#[test]
fn paths_sort_by_number() {
    let mut path = ObjectPath::new("b", "p/");
    assert_eq!(path.of(7), "/b/p/0000000007");
    assert_eq!(path.of(12_345_678_901), "/b/p/12345678901");
    let nine = path.of(9).to_owned();
    assert!(nine.as_str() < path.of(10));
}

#[test]
fn the_mix_is_as_promised() {
    let mut counts = BTreeMap::new();
    for percent in 0..100 {
        *counts.entry(mixed::choose(percent, false)).or_insert(0) += 1;
    }
    let wanted = [(Operation::Get, 45), (Operation::Head, 30), (Operation::Put, 15), (Operation::Delete, 10)];
    assert_eq!(counts, BTreeMap::from(wanted));
    assert_eq!(mixed::choose(99, true), Operation::Put);
}

#[test]
fn usual_values_suit_the_operation() {
    let usual = |operation, size| Workload::new(operation, size, None, None);
    assert_eq!(usual(Operation::Get, None).objects, 5000);
    assert_eq!(usual(Operation::Get, Some(1 << 20)).objects, 256);
    assert_eq!(usual(Operation::Get, Some(16 << 20)).objects, 16);
    assert_eq!(usual(Operation::Put, None).objects, 0);
    assert_eq!(usual(Operation::List, None).concurrency, 1);
    assert_eq!(usual(Operation::Multipart, None).size, 64 << 20);
    assert_eq!(usual(Operation::Get, None).prefix(), usual(Operation::Head, None).prefix());
    assert_ne!(usual(Operation::Get, None).prefix(), usual(Operation::Delete, None).prefix());
}

#[test]
fn what_a_run_leaves_is_known() {
    let left = |operation, done| {
        let field = Field::new(Workload::new(operation, None, None, Some(100)), "b", 1, false);
        field.cursor.set(done);
        (field.remains().1, field.remains().0 == field.workload.prefix())
    };
    assert_eq!(left(Operation::Put, 7), (0..7, false));
    assert_eq!(left(Operation::Delete, 40), (40..100, true));
    assert_eq!(left(Operation::Delete, 116), (100..100, true));
    assert_eq!(left(Operation::Mixed, 5), (0..105, true));
    assert!(left(Operation::Get, 0).0.is_empty());
}
