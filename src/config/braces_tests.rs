#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

#[test]
fn ranges_are_written_out() {
    let cases: [(&str, &[&str]); 7] = [
        ("./data", &["./data"]),
        ("/mnt/disk{1...4}", &["/mnt/disk1", "/mnt/disk2", "/mnt/disk3", "/mnt/disk4"]),
        ("/d{9...11}/x", &["/d9/x", "/d10/x", "/d11/x"]),
        ("/d{08...10}", &["/d08", "/d09", "/d10"]),
        ("/r{1...2}/d{0...1}", &["/r1/d0", "/r1/d1", "/r2/d0", "/r2/d1"]),
        ("/d{7...7}", &["/d7"]),
        ("/odd{name}...x", &["/odd{name}...x"]),
    ];
    for (text, paths) in cases {
        assert_eq!(expand(text).unwrap(), paths, "{text}");
    }
}

#[test]
fn what_is_no_range_is_refused_and_named() {
    for text in
        ["/d{4...1}", "/d{1...}", "/d{...4}", "/d{a...c}", "/d{1....4}", "/d{-1...2}", "/d{1...99999999999}"]
    {
        let refused = expand(text).unwrap_err();
        assert!(refused.contains(text) && refused.contains("{1...4}"), "{refused}");
    }
    assert!(expand("/d{1...9999}").unwrap_err().contains("256"));
    assert!(expand("/d{1...99}/{1...99}/{1...99}").unwrap_err().contains("256"));
}
