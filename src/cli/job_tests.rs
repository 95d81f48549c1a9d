#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

fn job() -> Job {
    Job {
        name: "scrub".to_owned(),
        state: "running".to_owned(),
        rate_bytes_per_second: 50 << 20,
        done_bytes: 1 << 30,
        total_bytes: 4 << 30,
        done_items: 10,
        total_items: 40,
        started: None,
        eta_seconds: Some(3700),
        last_finished: Some("2026-01-31T11:00:00.000Z".to_owned()),
        last_error: None,
    }
}

#[test]
fn rates_are_read_as_people_write_them() {
    for (text, rate) in
        [("50MiB", 50 << 20), ("50MiB/s", 50 << 20), ("1g", 1 << 30), ("0", 0), ("unlimited", 0)]
    {
        assert_eq!(parse_rate(text), Ok(rate), "{text}");
    }
    for text in ["", "fast", "-1", "5 parsecs"] {
        assert!(parse_rate(text).is_err(), "{text}");
    }
}

#[test]
fn progress_is_told_in_what_is_known() {
    let mut job = job();
    assert_eq!(progress(&job), "1.0 GiB of 4.0 GiB");
    job.total_bytes = 0;
    assert_eq!(progress(&job), "10 of 40");
    job.total_items = 0;
    assert_eq!(progress(&job), "1.0 GiB");
    job.done_bytes = 0;
    assert_eq!(progress(&job), "10");
    "idle".clone_into(&mut job.state);
    assert_eq!(progress(&job), "-");
}

#[test]
fn the_table_is_aligned() {
    let now = crate::s3::date::parse_iso("2026-01-31T12:00:00.000Z").unwrap();
    let text = table(&[job()], now);
    let (titles, line) = text.split_once('\n').unwrap();
    assert_eq!(titles, "JOB    STATE          RATE                DONE   LEFT  FINISHED  ERROR");
    assert_eq!(line, "scrub  running  50.0 MiB/s  1.0 GiB of 4.0 GiB  1h 1m    1h ago\n");
}
