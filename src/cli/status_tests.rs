#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

fn status() -> Status {
    let document = serde_json::json!({
        "version": "1", "healthy": true, "reasons": [],
        "redundancy": {
            "replicas": 3, "blobs_by_copies": [0, 0, 1, 41], "queued": 0, "queue_by_missing": [], "lost": 0,
            "misplaced_copies": 0, "quarantined_files": 0, "last_census": "2026-01-31T11:00:00.000Z",
            "last_scrub": {
                "began": "2026-01-31T09:00:00.000Z", "ended": "2026-01-31T10:00:00.000Z", "files": 126,
                "bytes": 1_073_741_824, "bad": 0, "unread": 0
            }
        },
        "volumes": [], "jobs": [], "a field of a later release": 1
    });
    serde_json::from_value(document).unwrap()
}

fn screen_of(status: &Status) -> String {
    screen(status, crate::s3::date::parse_iso("2026-01-31T12:00:00.000Z").unwrap())
}

#[test]
fn a_healthy_server_fits_on_a_screen() {
    let text = screen_of(&status());
    let expected = "\
Healthy. Nothing is known to be amiss.

copies        41 blobs on 3, 1 blob on 2; 3 copies are wanted; counted 1h ago
repair queue  empty
last scrub    126 files, 1.0 GiB read, 0 bad; ended 2h ago
metadata      0 replicas, 0 up to date

ID  PATH  SIZE  FREE  STATE  HEALTH  METADATA

No job is running.
";
    assert_eq!(text, expected);
}

#[test]
fn what_is_amiss_comes_first() {
    let mut status = status();
    status.healthy = false;
    status.reasons = vec!["3 blobs wait for another copy".to_owned()];
    (status.redundancy.queued, status.redundancy.lost, status.redundancy.quarantined_files) = (3, 1, 2);
    status.redundancy.misplaced_copies = 5;
    let text = screen_of(&status);
    assert!(text.starts_with("DEGRADED\n  - 3 blobs wait for another copy\n\n"), "{text}");
    assert!(
        text.contains("repair queue  3 blobs, 1 without any good copy; 2 bad copies in quarantine\n"),
        "{text}"
    );
    assert!(text.contains("5 copies are to be moved"), "{text}");
}

#[test]
fn what_is_not_known_is_not_made_up() {
    let mut status = status();
    status.redundancy.blobs_by_copies = None;
    status.redundancy.last_scrub = None;
    let text = screen_of(&status);
    assert!(text.contains("3 copies are wanted; not counted yet"), "{text}");
    assert!(text.contains("none has come to its end yet"), "{text}");
    status.redundancy.blobs_by_copies = Some(Vec::new());
    assert!(screen_of(&status).contains("no blob yet"));
}
