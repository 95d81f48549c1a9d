#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::sys::disk::RealDisk;

fn at(epoch: u64, number: u64, chain: u32) -> Standing {
    Standing { epoch, commit: Commit { number, chain }, ..Standing::default() }
}

fn elected(standings: &[Standing]) -> Option<usize> {
    elect(&standings.iter().collect::<Vec<_>>())
}

#[test]
fn epoch_goes_before_number_and_number_before_chain() {
    assert_eq!(elected(&[]), None);
    assert_eq!(elected(&[at(1, 5, 1), at(2, 3, 1), at(1, 9, 1)]), Some(1));
    assert_eq!(elected(&[at(2, 3, 1), at(2, 4, 2), at(1, 9, 1)]), Some(1));
    assert_eq!(elected(&[at(2, 4, 1), at(2, 4, 2), at(2, 4, 2)]), Some(1));
    assert_eq!(elected(&[at(2, 4, 1), at(2, 4, 1), at(2, 4, 2)]), Some(0));
    assert_eq!(elected(&[at(2, 4, 1), at(2, 4, 2)]), Some(0));
}

/// A read quorum shares a voter with every majority, so one of it has whatever was acknowledged.
#[test]
fn quorums_meet() {
    for voters in 1..=5 {
        assert!(read_quorum(voters) + majority(voters) > voters, "{voters}");
        assert!(2 * majority(voters) > voters, "{voters}");
    }
    assert_eq!([1, 2, 3].map(majority), [1, 2, 2]);
    assert_eq!([1, 2, 3].map(read_quorum), [1, 1, 2]);
}

#[test]
fn promises_and_marks_last() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(promised(&RealDisk, directory.path()).unwrap(), 0);
    promise(&RealDisk, directory.path(), 7).unwrap();
    promise(&RealDisk, directory.path(), 18).unwrap();
    assert_eq!(promised(&RealDisk, directory.path()).unwrap(), 18);
    assert!(!is_damaged(&RealDisk, directory.path()));
    mark_damaged(&RealDisk, directory.path(), "a bit");
    assert!(is_damaged(&RealDisk, directory.path()));
}
