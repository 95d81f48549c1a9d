use super::*;

#[test]
fn ranges_of_ten_bytes() {
    let cases = [
        ("bytes=0-0", Resolved::Part(0..1)),
        ("bytes=0-9", Resolved::Part(0..10)),
        ("bytes=0-99", Resolved::Part(0..10)),
        ("bytes=4-", Resolved::Part(4..10)),
        ("bytes=-3", Resolved::Part(7..10)),
        ("bytes=-30", Resolved::Part(0..10)),
        ("bytes=9-99999999999999999999999", Resolved::Part(9..10)),
        ("bytes=10-", Resolved::Unsatisfiable),
        ("bytes=10-12", Resolved::Unsatisfiable),
        ("bytes=-0", Resolved::Unsatisfiable),
        ("bytes=5-4", Resolved::Whole),
        ("bytes=0-1,3-4", Resolved::Whole),
        ("bytes=", Resolved::Whole),
        ("bytes=a-b", Resolved::Whole),
        ("bytes=-", Resolved::Whole),
        ("items=0-1", Resolved::Whole),
        ("bytes=+1-2", Resolved::Whole),
    ];
    for (header, expected) in cases {
        assert_eq!(resolve(header, 10), expected, "{header}");
    }
}

#[test]
fn nothing_lies_inside_an_empty_object() {
    for header in ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0"] {
        assert_eq!(resolve(header, 0), Resolved::Unsatisfiable, "{header}");
    }
}

#[test]
fn a_copy_range_is_exact_or_nothing() {
    assert_eq!(parse_exact("bytes=5-9"), Some(5..10));
    for header in ["bytes=5-", "bytes=-5", "bytes=9-5", "5-9", "bytes=a-b", "bytes=1-2,4-5", ""] {
        assert_eq!(parse_exact(header), None, "{header}");
    }
}
