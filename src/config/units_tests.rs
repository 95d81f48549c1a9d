#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

#[test]
fn sizes_are_read_in_binary_and_decimal_units() {
    let cases = [
        ("0", 0),
        ("4096", 4096),
        ("4096B", 4096),
        ("64MiB", 64 << 20),
        ("64 mib", 64 << 20),
        (" 1GiB ", 1 << 30),
        ("2TB", 2_000_000_000_000),
        ("3kb", 3000),
        ("50MB", 50_000_000),
        ("1.5MiB", 3 << 19),
        ("0.25 gb", 250_000_000),
    ];
    for (text, bytes) in cases {
        assert_eq!(parse_size(text), Some(bytes), "{text}");
    }
}

#[test]
fn what_is_no_size_is_refused() {
    for text in [
        "",
        "MiB",
        "-1",
        "1.5",
        "1.5B",
        "1.GiB",
        ".5GiB",
        "1.2.3GiB",
        "12 parsecs",
        "64M",
        "20000000TiB",
        "1 000",
    ] {
        assert_eq!(parse_size(text), None, "{text}");
    }
}

#[test]
fn a_size_survives_its_text() {
    for bytes in [0, 1, 1023, 1024, 1536, 64 << 20, (64 << 20) + 1, 3 << 40] {
        assert_eq!(parse_size(&show_size(bytes)), Some(bytes), "{}", show_size(bytes));
    }
    assert_eq!(show_size(64 << 20), "64MiB");
}

#[test]
fn durations_need_their_unit() {
    let cases = [
        ("500ms", 500),
        ("30s", 30_000),
        ("5m", 300_000),
        ("6 h", 21_600_000),
        ("7d", 604_800_000),
        ("0s", 0),
    ];
    for (text, millis) in cases {
        assert_eq!(parse_duration(text), Some(Duration::from_millis(millis)), "{text}");
        assert_eq!(parse_duration(&show_duration(Duration::from_millis(millis))), parse_duration(text));
    }
    for text in ["", "30", "s", "-3s", "1.5s", "3 weeks", "99999999999999999d"] {
        assert_eq!(parse_duration(text), None, "{text}");
    }
}
