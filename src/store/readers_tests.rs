use super::*;

const BLOB: BlobId = BlobId::from_bytes([1; 16]);
const OTHER: BlobId = BlobId::from_bytes([2; 16]);

#[test]
fn the_oldest_read_that_begins_holds_the_line() {
    let readers = Arc::new(Readers::default());
    assert!(!readers.may_want(BLOB, 8));
    let first = readers.enter(7);
    let second = readers.enter(9);
    let third = readers.enter(7);
    assert!(readers.may_want(BLOB, 8));
    assert!(!readers.may_want(BLOB, 7), "it was gone before they began");
    drop(first);
    assert!(readers.may_want(BLOB, 8), "another read of the same age runs");
    drop(third);
    assert!(!readers.may_want(BLOB, 9));
    assert!(readers.may_want(BLOB, 10));
    drop(second);
    assert!(!readers.may_want(BLOB, 10));
}

#[test]
fn a_read_that_knows_its_blobs_holds_them_alone() {
    let readers = Arc::new(Readers::default());
    let mut first = readers.enter(7);
    let mut second = readers.enter(7);
    first.narrow(vec![BLOB, BLOB]);
    second.narrow(vec![BLOB]);
    assert!(readers.may_want(BLOB, 8));
    assert!(!readers.may_want(OTHER, 8));
    drop(first);
    assert!(readers.may_want(BLOB, 8), "the other read has it too");
    drop(second);
    assert!(!readers.may_want(BLOB, 8));
}
