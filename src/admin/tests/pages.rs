//! What asks for no credentials.

use super::Ask;
use super::Ordering;
use super::Rig;

fn open(rig: &Rig, method: &str, target: &str) -> super::Reply {
    rig.send(&Ask::new(method, target).anonymous())
}

#[test]
fn health_says_what_it_is_asked() {
    let rig = Rig::new();
    let live = open(&rig, "GET", "/health/live");
    assert!(live.status == 200 && live.body.contains(r#""status":"live""#), "{live:?}");
    assert_eq!(open(&rig, "GET", "/health/ready").status, 200);
    rig.is_ready.store(false, Ordering::Relaxed);
    let refused = open(&rig, "GET", "/health/ready");
    assert!(refused.status == 503 && refused.body.contains("the disk is gone"), "{refused:?}");
    assert_eq!(open(&rig, "GET", "/health/live").status, 200);
}

#[test]
fn metrics_are_in_the_text_format() {
    let rig = Rig::new();
    let metrics = open(&rig, "GET", "/metrics");
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    for name in ["holdall_connections 0", "process_resident_memory_bytes ", "process_open_fds "] {
        assert!(metrics.body.lines().any(|line| line.starts_with(name)), "{name}\n{metrics:?}");
    }
}

#[test]
fn there_is_nothing_else() {
    let rig = Rig::new();
    for path in
        ["/", "/health", "/health/ready/", "/metrics/x", "/bucket/key", "/debug/vars", "/minio/admin/v3/info"]
    {
        let answer = open(&rig, "GET", path);
        assert!(answer.status == 404 && answer.code() == "NotFound", "{answer:?}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = open(&rig, method, "/metrics");
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"), "{answer:?}");
    }
    let head = open(&rig, "HEAD", "/health/live");
    assert!(head.status == 200 && head.body.is_empty(), "{head:?}");
}

#[test]
fn every_metric_is_documented() {
    let (source, manual) =
        (include_str!("../../sys/metrics.rs"), include_str!("../../../docs/operations.md"));
    let names = source.split('"').filter(|text| text.starts_with("holdall_") && !text.contains(' '));
    let is_named = |name: &str| ["`", "{"].iter().any(|end| manual.contains(&format!("`{name}{end}")));
    let missing: Vec<&str> = names.filter(|name| !is_named(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
