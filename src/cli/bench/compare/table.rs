//! The tables of a comparison, as Markdown.

use std::fmt::Write as _;

use super::Comparison;
use crate::cli::bench::report::Run;
use crate::cli::bench::units::show_size;

/// Medians of the rounds of one target and workload.
pub(super) struct Row<'a> {
    first: &'a Run,
    pub(super) rate: f64,
    mib: f64,
    p50: f64,
    p99: f64,
    pub(super) server_cpu: Option<f64>,
    peak_rss: Option<f64>,
    client_cpu: f64,
    others: Option<f64>,
    errors: u64,
    connects: u64,
}

impl<'a> Row<'a> {
    fn new(runs: &[&'a Run]) -> Option<Self> {
        let of = |field: fn(&Run) -> f64| median(runs.iter().map(|run| field(run)).collect());
        let maybe =
            |field: fn(&Run) -> Option<f64>| median(runs.iter().filter_map(|run| field(run)).collect());
        Some(Self {
            first: runs.first()?,
            rate: of(|run| run.ops_per_second)?,
            mib: of(|run| run.mib_per_second)?,
            p50: of(|run| run.latency_ms.p50)?,
            p99: of(|run| run.latency_ms.p99)?,
            server_cpu: maybe(|run| run.server_cpu_us),
            peak_rss: maybe(|run| run.peak_rss_mib),
            client_cpu: of(|run| run.client_cpu_us)?,
            others: maybe(|run| run.others_percent),
            errors: runs.iter().map(|run| run.errors.values().sum::<u64>()).sum(),
            connects: runs.iter().map(|run| run.connects.saturating_sub(run.concurrency as u64)).sum(),
        })
    }
}

/// The middle value, or the mean of the two middle ones.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length.is_multiple_of(2) => Some(f64::midpoint(values[middle - 1], values[middle])),
        _ => Some(values[middle]),
    }
}

/// Rows by workload, in order of the runs; within a workload in order of the targets.
pub(super) fn rows<'a>(targets: &[String], runs: &'a [Run]) -> Vec<Vec<Row<'a>>> {
    let mut workloads: Vec<&Run> = Vec::new();
    for run in runs {
        if !workloads.iter().any(|known| same_workload(known, run)) {
            workloads.push(run);
        }
    }
    let of = |workload: &Run, target: &String| {
        let runs = runs.iter().filter(|run| same_workload(run, workload) && run.target == *target);
        Row::new(&runs.collect::<Vec<_>>())
    };
    workloads
        .iter()
        .map(|workload| targets.iter().filter_map(|target| of(workload, target)).collect())
        .collect()
}

fn same_workload(one: &Run, other: &Run) -> bool {
    let key = |run: &Run| (run.operation, run.size, run.concurrency, run.objects);
    key(one) == key(other)
}

/// The whole report.
pub(super) fn markdown(comparison: &Comparison) -> String {
    let rows = rows(&comparison.targets, &comparison.runs);
    let mut out = String::new();
    let seconds = comparison.runs.first().map_or(0.0, |run| run.seconds);
    let _ = writeln!(
        out,
        "Medians of {} round(s) in which the servers took turns, windows of {seconds:.0} s, all on one machine with the client.\n",
        comparison.rounds
    );
    for target in &comparison.targets {
        let text =
            comparison.descriptions.get(target).map_or("durability and options not stated", String::as_str);
        let _ = writeln!(out, "- **{target}**: {text}");
    }
    if comparison.targets.len() > 1 {
        ratios(&comparison.targets, &rows, &mut out);
    }
    out.push_str(
        "\n| workload | connections | server | ops/s | MiB/s | p50 ms | p99 ms | server CPU us/op | peak RSS MiB | \
         client CPU us/op | others % | errors | reconnects |\n|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for row in rows.iter().flatten() {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {:.2} | {:.2} | {} | {} | {:.1} | {} | {} | {} |",
            label(row.first),
            row.first.concurrency,
            row.first.target,
            figure(row.rate),
            figure(row.mib),
            row.p50,
            row.p99,
            maybe(row.server_cpu),
            maybe(row.peak_rss),
            row.client_cpu,
            maybe(row.others),
            row.errors,
            row.connects
        );
    }
    out
}

/// The first target against the best of the others: the fastest for the rate, the thriftiest for CPU time. The last
/// column is the most that anything else on the machine took from a server of the row.
fn ratios(targets: &[String], rows: &[Vec<Row<'_>>], out: &mut String) {
    let _ = writeln!(
        out,
        "\n| workload | {} ops/s | best other | ratio | {} CPU us/op | least of the others | ratio | others % |\n|---|---:|---:|---:|---:|---:|---:|---:|",
        targets[0], targets[0]
    );
    for row in rows {
        let Some((ours, others)) = row.split_first() else {
            continue;
        };
        let fastest = others.iter().max_by(|a, b| a.rate.total_cmp(&b.rate));
        let (rate, rate_ratio) = fastest.map_or((String::from("-"), String::from("-")), |best| {
            (
                format!("{} ({})", figure(best.rate), best.first.target),
                format!("{:.2} x", ours.rate / best.rate),
            )
        });
        let cpu_of = |row: &Row<'_>| row.server_cpu.unwrap_or(f64::INFINITY);
        let least = others.iter().min_by(|a, b| cpu_of(a).total_cmp(&cpu_of(b)));
        let (cpu, cpu_ratio) = match (ours.server_cpu, least.and_then(|row| Some((row, row.server_cpu?)))) {
            (Some(our), Some((best, theirs))) => {
                (format!("{} ({})", figure(theirs), best.first.target), format!("{:.3}", our / theirs))
            }
            _ => (String::from("-"), String::from("-")),
        };
        let _ = writeln!(
            out,
            "| {} | {} | {rate} | {rate_ratio} | {} | {cpu} | {cpu_ratio} | {} |",
            label(ours.first),
            figure(ours.rate),
            maybe(ours.server_cpu),
            maybe(row.iter().filter_map(|row| row.others).max_by(f64::total_cmp))
        );
    }
}

fn label(run: &Run) -> String {
    match run.operation {
        "list" => format!("list 1000 of {}", run.objects),
        operation => format!("{operation} {}", show_size(run.size)),
    }
}

/// Three digits are as many as repeat.
fn figure(value: f64) -> String {
    match value {
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn maybe(value: Option<f64>) -> String {
    value.map_or_else(|| String::from("-"), figure)
}
