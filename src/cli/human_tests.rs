#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

#[test]
fn sizes_and_rates_have_units() {
    let sizes = [0, 1023, 1024, 1536, 1 << 20, (1 << 30) - 1, 5 << 40].map(size);
    assert_eq!(sizes, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "1024.0 MiB", "5.0 TiB"]);
    assert_eq!([0, 50 << 20].map(rate), ["unlimited", "50.0 MiB/s"]);
}

#[test]
fn spans_have_two_units() {
    let spans = [0, 59, 60, 61, 3600, 3661, 7200, 90_000, 86_400 * 8].map(|it| span(Duration::from_secs(it)));
    assert_eq!(spans, ["0s", "59s", "1m", "1m 1s", "1h", "1h 1m", "2h", "1d 1h", "8d"]);
}

#[test]
fn dates_become_ages() {
    let now = date::parse_iso("2026-01-31T12:00:00.000Z").unwrap();
    assert_eq!(ago("2026-01-31T11:00:00.000Z", now), "1h ago");
    assert_eq!(ago("2026-01-31T12:00:00.000Z", now), "just now");
    // A clock that is ahead is no reason to fail.
    assert_eq!(ago("2026-01-31T13:00:00.000Z", now), "just now");
    assert_eq!(ago("yesterday", now), "yesterday");
}

#[test]
fn columns_are_aligned() {
    let rows = [["a", "long path", "1.0 KiB"], ["bcd", "p", "-"]].map(|row| row.map(str::to_owned).to_vec());
    let text = table(&["ID", "PATH", "SIZE"], &rows);
    assert_eq!(text, "ID   PATH          SIZE\na    long path  1.0 KiB\nbcd  p                -\n");
    assert_eq!(table(&["ID", "PATH"], &[]), "ID  PATH\n");
}
