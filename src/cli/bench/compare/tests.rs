#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::cli::bench::report::Latency;

fn run(target: &str, operation: &'static str, rate: f64, cpu: Option<f64>) -> Run {
    Run {
        target: target.to_owned(),
        operation,
        size: 4096,
        concurrency: 16,
        objects: 0,
        seconds: 10.0,
        operations: 1000,
        errors: BTreeMap::new(),
        ops_per_second: rate,
        mib_per_second: 1.0,
        latency_ms: Latency::default(),
        kinds: BTreeMap::new(),
        server_cpu_us: cpu,
        peak_rss_mib: None,
        rss_mib: None,
        peak_is_of_window: true,
        client_cpu_us: 9.0,
        others_percent: None,
        busy_percent: 90.0,
        connects: 16,
    }
}

fn comparison(runs: Vec<Run>) -> Comparison {
    Comparison {
        descriptions: BTreeMap::from([("ours".to_owned(), "v1, strict".to_owned())]),
        targets: vec!["ours".into(), "slow".into(), "quick".into()],
        rounds: 3,
        runs,
    }
}

#[test]
fn medians_are_of_the_middle() {
    assert_eq!(table::median(vec![9.0, 1.0, 5.0]), Some(5.0));
    assert_eq!(table::median(vec![9.0, 1.0, 5.0, 6.0]), Some(5.5));
    assert_eq!(table::median(vec![]), None);
}

#[test]
fn the_first_is_compared_with_the_best_of_the_others() {
    let mut runs = Vec::new();
    for wobble in [0.0, 300.0, 10.0] {
        runs.push(run("ours", "put", 1000.0 + wobble, Some(50.0)));
        runs.push(run("slow", "put", 100.0, Some(400.0)));
        runs.push(run("quick", "put", 505.0, Some(800.0)));
    }
    let text = table::markdown(&comparison(runs));
    assert!(
        text.contains("| put 4KiB | 1010 | 505 (quick) | 2.00 x | 50.0 | 400 (slow) | 0.125 | - |"),
        "{text}"
    );
    assert!(text.contains("- **ours**: v1, strict"), "{text}");
    assert!(text.contains("- **slow**: durability and options not stated"), "{text}");
}

#[test]
fn a_target_without_processes_has_no_cpu_ratio() {
    let text =
        table::markdown(&comparison(vec![run("ours", "get", 2.0, Some(1.0)), run("slow", "get", 1.0, None)]));
    assert!(text.contains("| get 4KiB | 2.00 | 1.00 (slow) | 2.00 x | 1.00 | - | - | - |"), "{text}");
}

#[test]
fn workloads_are_read() {
    let all = workloads(&["standard".to_owned(), "get:1MiB:8:100".to_owned()]).unwrap();
    assert_eq!(all.len(), STANDARD.len() + 1);
    let last = all.last().unwrap();
    assert_eq!((last.size, last.concurrency, last.objects), (1 << 20, 8, 100));
    for wrong in ["fly", "get:x", "get:1:y", "get:1:1:1:1"] {
        assert!(workloads(&[wrong.to_owned()]).is_err(), "{wrong}");
    }
}
