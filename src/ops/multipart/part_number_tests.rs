use super::*;

#[test]
fn part_numbers_are_one_to_ten_thousand() {
    assert_eq!(part_number(1).ok(), Some(1));
    assert_eq!(part_number(10_000).ok(), Some(10_000));
    for number in [0, -1, 10_001, 65_537, i64::MAX] {
        assert!(part_number(number).is_err(), "{number}");
    }
}
