#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::time::Duration;

use super::*;

#[test]
fn sizes_are_read_and_written_alike() {
    for (text, bytes) in [
        ("4096", 4096),
        ("4KiB", 4096),
        ("64k", 65536),
        ("8MiB", 8 << 20),
        ("1GB", 1_000_000_000),
        ("1.5MiB", 3 << 19),
        ("7b", 7),
    ] {
        assert_eq!(parse_size(text), Ok(bytes), "{text}");
    }
    assert_eq!(show_size(4096), "4KiB");
    assert_eq!(show_size(16 << 20), "16MiB");
    assert_eq!(show_size(1025), "1025B");
    for wrong in ["", "k", "-1", "4x", "99999999999999999999", "99999999999GiB"] {
        assert!(parse_size(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn spans_are_read() {
    assert_eq!(parse_span("250ms"), Ok(Duration::from_millis(250)));
    assert_eq!(parse_span("10s"), Ok(Duration::from_secs(10)));
    assert_eq!(parse_span("2m"), Ok(Duration::from_secs(120)));
    assert!(parse_span("2h").is_err());
    assert!(parse_span("s").is_err());
}
