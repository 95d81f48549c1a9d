use super::*;

#[test]
fn the_oldest_read_holds_the_line() {
    let readers = Arc::new(Readers::default());
    assert_eq!(readers.oldest(), None);
    let first = readers.enter(7);
    let second = readers.enter(9);
    let third = readers.enter(7);
    assert_eq!(readers.oldest(), Some(7));
    drop(first);
    assert_eq!(readers.oldest(), Some(7), "another read of the same age runs");
    drop(third);
    assert_eq!(readers.oldest(), Some(9));
    drop(second);
    assert_eq!(readers.oldest(), None);
}
