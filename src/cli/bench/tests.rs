#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::rc::Rc;

use clap::Parser;

use super::args::BenchArgs;
use super::args::Command;
use super::args::Operation;
use super::args::SingleArgs;
use super::fake::Fake;
use super::report::Run;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    bench: BenchArgs,
}

fn single(words: &[&str]) -> (Operation, SingleArgs) {
    let line = Line::try_parse_from([&["bench"], words].concat()).unwrap();
    match line.bench.command() {
        Command::Single(operation, args) => (operation, args),
        Command::Compare(_) => panic!("not a single operation"),
    }
}

fn within<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test)
}

/// Runs a line against the fake, its report from the file it was told to write.
async fn run(fake: &Rc<Fake>, words: &[&str]) -> serde_json::Value {
    let url = fake.listen().await;
    let directory = tempfile::tempdir().unwrap();
    let json = directory.path().join("report.json");
    let fixed =
        ["--endpoint", &url, "--warm-up", "20ms", "--duration", "150ms", "--json", json.to_str().unwrap()];
    let keys = ["--access-key", "a", "--secret-key", "s", "--bucket", "b"];
    let (operation, args) = single(&[words, &fixed, &keys].concat());
    super::report::run(operation, args).await.unwrap();
    serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap()
}

#[test]
fn every_operation_is_measured_and_leaves_nothing() {
    for (operation, size) in [
        ("put", "4KiB"),
        ("get", "4KiB"),
        ("get", "600KiB"),
        ("head", "4KiB"),
        ("delete", "1KiB"),
        ("list", "10"),
        ("mixed", "2KiB"),
        ("multipart", "300KiB"),
    ] {
        within(async {
            let fake = Rc::new(Fake::default());
            let objects = if operation == "list" { "2500" } else { "40" };
            let words =
                [operation, "--size", size, "--objects", objects, "--verify", "--part-size", "128KiB"];
            let report = run(&fake, &words).await;
            assert!(report["operations"].as_u64().unwrap() > 0, "{report}");
            assert_eq!(report["errors"].as_object().unwrap().len(), 0, "{report}");
            assert!(report["latency_ms"]["p99"].as_f64().unwrap() > 0.0, "{report}");
            let left: Vec<String> = fake.objects.borrow().keys().cloned().collect();
            assert!(left.is_empty(), "{operation} left {left:?}");
        });
    }
}

#[test]
fn delete_counts_each_object_once_and_ends() {
    within(async {
        let fake = Rc::new(Fake::default());
        let report = run(&fake, &["delete", "--objects", "77"]).await;
        assert_eq!(report["operations"], 77);
        assert!(report["seconds"].as_f64().unwrap() < 0.15, "{report}");
    });
}

#[test]
fn refusals_are_errors_and_no_operations() {
    within(async {
        let fake = Rc::new(Fake::default());
        let url = fake.listen().await;
        let (_, args) = single(&["get", "--endpoint", &url, "--duration", "100ms", "--warm-up", "0"]);
        let target = Rc::new(super::target::Target::new("t", &url, None, &[], &args.client).unwrap());
        let workload = super::workload::Workload::new(Operation::Get, Some(10), Some(2), Some(5));
        super::prepare::objects(&target, &args.client.bucket, &workload, true).await.unwrap();
        fake.refuse_every.set(2);
        let run: Run = super::report::once(&target, &workload, &args.client).await.unwrap();
        let refused = run.errors["503 SlowDown"];
        assert!(refused > 0 && run.errors.len() == 1, "{:?}", run.errors);
        assert!(run.operations.abs_diff(refused) <= 2, "{} {refused}", run.operations);
    });
}

#[test]
fn spoiled_bytes_are_found() {
    within(async {
        let fake = Rc::new(Fake::default());
        let url = fake.listen().await;
        let (_, args) = single(&["get", "--endpoint", &url, "--duration", "50ms", "--verify"]);
        let target = Rc::new(super::target::Target::new("t", &url, None, &[], &args.client).unwrap());
        let workload = super::workload::Workload::new(Operation::Get, Some(100), Some(1), Some(1));
        super::prepare::objects(&target, &args.client.bucket, &workload, true).await.unwrap();
        fake.objects.borrow_mut().values_mut().for_each(|body| body[50] ^= 1);
        let run = super::report::once(&target, &workload, &args.client).await.unwrap();
        assert_eq!(run.operations, 0);
        assert!(!run.errors.is_empty());
    });
}

#[test]
fn servers_are_compared_in_turn() {
    within(async {
        let (one, other) = (Rc::new(Fake::default()), Rc::new(Fake::default()));
        let targets = [format!("one={},a,s", one.listen().await), format!("other={}", other.listen().await)];
        let directory = tempfile::tempdir().unwrap();
        let (json, markdown) = (directory.path().join("c.json"), directory.path().join("c.md"));
        let line = Line::try_parse_from([
            "bench",
            "compare",
            "--target",
            &targets[0],
            "--target",
            &targets[1],
            "--describe",
            "one=the one",
            "--workloads",
            "put:1KiB:2,get:1KiB:2:9",
            "--rounds",
            "2",
            "--duration",
            "60ms",
            "--warm-up",
            "0",
            "--settle",
            "0",
            "--json",
            json.to_str().unwrap(),
            "--markdown",
            markdown.to_str().unwrap(),
        ]);
        let Command::Compare(args) = line.unwrap().bench.command() else { panic!("not compare") };
        super::compare::run(args).await.unwrap();
        let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
        let turns: Vec<&str> =
            report["runs"].as_array().unwrap().iter().map(|run| run["target"].as_str().unwrap()).collect();
        assert_eq!(turns, ["one", "other", "one", "other", "one", "other", "one", "other"]);
        let table = std::fs::read_to_string(markdown).unwrap();
        assert!(
            table.contains("- **one**: the one") && table.contains("| get 1KiB | 2 | other |"),
            "{table}"
        );
        assert!(one.objects.borrow().is_empty() && other.objects.borrow().is_empty());
    });
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for words in [
        &["get", "--objects", "0"][..],
        &["put", "--duration", "0"],
        &["multipart", "--part-size", "0"],
        &["put", "--endpoint", "https://host"],
        &["put", "--pid", "4294967295"],
    ] {
        let (operation, args) = single(words);
        assert!(within(super::report::run(operation, args)).is_err(), "{words:?}");
    }
}
