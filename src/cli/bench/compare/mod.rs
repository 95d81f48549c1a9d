//! `holdall bench compare`: several servers, the same workloads, in turn.
//!
//! Targets alternate within each workload (A B A B …), so that whatever changes on the machine over minutes meets
//! all of them. The first target is the one of interest; ratios are against the best of the others, workload by
//! workload.

mod table;

use std::collections::BTreeMap;
use std::rc::Rc;

use anyhow::Context as _;
use anyhow::ensure;
use serde::Serialize;

use crate::cli::bench::args::CompareArgs;
use crate::cli::bench::prepare;
use crate::cli::bench::report;
use crate::cli::bench::report::Run;
use crate::cli::bench::target::Target;
use crate::cli::bench::workload::Workload;

/// The usual set: small, middling and large objects, and what is done to them. Number of objects and connections as
/// in [`Workload::new`], unless given.
const STANDARD: [&str; 13] = [
    "put:4KiB",
    "get:4KiB",
    "head:4KiB",
    "put:64KiB",
    "get:64KiB:16:2000",
    "put:1MiB",
    "get:1MiB:16:256",
    "put:16MiB:4",
    "get:16MiB:4:16",
    "list:128:1:10000",
    "delete:4KiB:16:20000",
    "mixed:4KiB",
    "multipart:64MiB:2",
];

/// Everything that was found out.
#[derive(Serialize)]
struct Comparison {
    /// Version, options and durability by target.
    descriptions: BTreeMap<String, String>,
    /// Targets in order.
    targets: Vec<String>,
    /// Rounds of each.
    rounds: usize,
    /// Every run, in the order in which they were made.
    runs: Vec<Run>,
}

/// Runs `holdall bench compare`.
///
/// # Errors
/// See [`super::run`].
pub async fn run(args: CompareArgs) -> anyhow::Result<()> {
    ensure!(args.rounds > 0, "no rounds, no medians");
    let client = &args.client;
    let targets: Result<Vec<_>, _> =
        args.target.iter().map(|text| Target::parse(text, client).map(Rc::new)).collect();
    let targets = targets?;
    let mut comparison = Comparison {
        descriptions: descriptions(&args.describe)?,
        targets: targets.iter().map(|target| target.name.clone()).collect(),
        rounds: args.rounds,
        runs: Vec::new(),
    };
    let workloads = workloads(&args.workloads)?;
    for workload in &workloads {
        workload.check(client).map_err(anyhow::Error::msg)?;
    }
    let mut made = Vec::new();
    for target in &targets {
        made.push(prepare::bucket(target, &client.bucket).await?);
    }
    for workload in &workloads {
        alternate(&targets, workload, &args, &mut comparison.runs).await?;
        // What is there so far survives a later failure.
        write(&args, &comparison)?;
    }
    for (target, _) in targets.iter().zip(made).filter(|(_, made)| *made && !client.keep) {
        prepare::remove_bucket(target, &client.bucket).await?;
    }
    println!("{}", table::markdown(&comparison));
    Ok(())
}

/// All rounds of one workload.
async fn alternate(
    targets: &[Rc<Target>],
    workload: &Workload,
    args: &CompareArgs,
    runs: &mut Vec<Run>,
) -> anyhow::Result<()> {
    let client = &args.client;
    for round in 0..args.rounds {
        for target in targets {
            if workload.objects > 0 && (round == 0 || !workload.keeps_objects()) {
                prepare::objects(target, &client.bucket, workload, client.quiet).await?;
            }
            tokio::time::sleep(args.settle).await;
            let run = report::once(target, workload, client).await?;
            eprintln!("{}", progress_line(round, workload, &run));
            runs.push(run);
        }
    }
    for target in targets.iter().filter(|_| !client.keep) {
        report::clear_prepared(target, workload, client).await?;
    }
    Ok(())
}

fn progress_line(round: usize, workload: &Workload, run: &Run) -> String {
    let errors: u64 = run.errors.values().sum();
    let cpu = run.server_cpu_us.map_or(String::new(), |cpu| format!(", {cpu:.0} us/op"));
    format!(
        "{} [{}] {}: {:.1} ops/s, {:.1} MiB/s, p99 {:.2} ms{cpu}, {errors} errors",
        workload.label(),
        round + 1,
        run.target,
        run.ops_per_second,
        run.mib_per_second,
        run.latency_ms.p99
    )
}

fn write(args: &CompareArgs, comparison: &Comparison) -> anyhow::Result<()> {
    if let Some(path) = &args.json {
        report::write_json(path, comparison)?;
    }
    if let Some(path) = &args.markdown {
        report::write_file(path, table::markdown(comparison).as_bytes())?;
    }
    Ok(())
}

fn workloads(texts: &[String]) -> anyhow::Result<Vec<Workload>> {
    let texts = texts.iter().flat_map(|text| match text.as_str() {
        "standard" => STANDARD.to_vec(),
        text => vec![text],
    });
    texts.map(|text| Workload::parse(text).map_err(anyhow::Error::msg)).collect()
}

fn descriptions(texts: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let pair = |text: &String| {
        let (name, text) = text.split_once('=').context("a description is NAME=TEXT")?;
        Ok((name.to_owned(), text.to_owned()))
    };
    texts.iter().map(pair).collect()
}

#[cfg(test)]
mod tests;
