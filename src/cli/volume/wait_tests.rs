#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

#[test]
fn a_line_says_what_is_known() {
    let mut progress = Progress {
        job: "rebalance".to_owned(),
        state: "running".to_owned(),
        done: false,
        done_bytes: 3 << 20,
        left_bytes: None,
        eta_seconds: None,
    };
    assert_eq!(line_of(&progress), "rebalance: 3.0 MiB done");
    (progress.left_bytes, progress.eta_seconds) = (Some(1 << 30), Some(125));
    assert_eq!(line_of(&progress), "rebalance: 3.0 MiB done, 1.0 GiB left, about 2m 5s left");
    "paused".clone_into(&mut progress.state);
    assert!(line_of(&progress).ends_with("paused; `holdall job resume rebalance` lets it go on"));
}
