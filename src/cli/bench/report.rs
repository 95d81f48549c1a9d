//! One operation against one server, and what is printed of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use anyhow::Context as _;
use serde::Serialize;

use crate::cli::bench::args::ClientArgs;
use crate::cli::bench::args::Operation;
use crate::cli::bench::args::SingleArgs;
use crate::cli::bench::prepare;
use crate::cli::bench::runner;
use crate::cli::bench::runner::Measured;
use crate::cli::bench::stats::Stats;
use crate::cli::bench::stats::Tally;
use crate::cli::bench::target;
use crate::cli::bench::target::Target;
use crate::cli::bench::units::mebibytes;
use crate::cli::bench::workload::Field;
use crate::cli::bench::workload::Workload;
use crate::sys::disk;
use crate::sys::disk::RealDisk;

/// Latencies in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Latency {
    /// Half are shorter.
    pub p50: f64,
    /// Nine of ten are shorter.
    pub p90: f64,
    /// 99 of 100 are shorter.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// One run of one workload against one server.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// The server.
    pub target: String,
    /// What was measured.
    pub operation: &'static str,
    /// Bytes of an object.
    pub size: u64,
    /// Connections.
    pub concurrency: usize,
    /// Objects prepared.
    pub objects: u64,
    /// Length of the window in seconds.
    pub seconds: f64,
    /// Successful operations that ended in the window.
    pub operations: u64,
    /// Failed ones by reason.
    pub errors: BTreeMap<String, u64>,
    /// Successful operations per second.
    pub ops_per_second: f64,
    /// Bytes of bodies per second, in MiB.
    pub mib_per_second: f64,
    /// Over all operations.
    pub latency_ms: Latency,
    /// Operations and latency by kind, when there are several.
    pub kinds: BTreeMap<&'static str, (u64, Latency)>,
    /// CPU time of the server per operation, in microseconds.
    pub server_cpu_us: Option<f64>,
    /// Largest resident memory of the server in the window, in MiB.
    pub peak_rss_mib: Option<f64>,
    /// Resident memory of the server at the end, in MiB.
    pub rss_mib: Option<f64>,
    /// The peak is of this window; else of the server's whole life.
    pub peak_is_of_window: bool,
    /// CPU time of the client per operation, in microseconds.
    pub client_cpu_us: f64,
    /// CPU time that neither got, of all cores, in percent. More than a few make the run doubtful.
    pub others_percent: Option<f64>,
    /// How busy all cores were, in percent.
    pub busy_percent: f64,
    /// Connections made.
    pub connects: u64,
}

impl Run {
    /// From what was measured.
    pub fn new(target: &Target, workload: &Workload, measured: &Measured) -> Self {
        let total = together(&measured.stats);
        let operations = total.as_ref().map_or(0, |total| total.latency.len());
        let per_operation = |seconds: f64| seconds * 1e6 / operations.max(1) as f64;
        let cpu = measured.cpu;
        let share = |seconds: f64| {
            if cpu.total > 0.0 { seconds / cpu.total * 100.0 } else { 0.0 }
        };
        let known = measured.resident_kib.is_some();
        let kinds = measured.stats.done.iter().filter(|_| measured.stats.done.len() > 1);
        Self {
            target: target.name.clone(),
            operation: workload.operation.name(),
            size: workload.size,
            concurrency: workload.concurrency,
            objects: workload.objects,
            seconds: measured.seconds,
            operations,
            errors: measured.stats.errors.clone(),
            ops_per_second: operations as f64 / measured.seconds,
            mib_per_second: total.as_ref().map_or(0.0, |total| mebibytes(total.bytes)) / measured.seconds,
            latency_ms: total.as_ref().map(latency).unwrap_or_default(),
            kinds: kinds.map(|(kind, tally)| (kind.name(), (tally.latency.len(), latency(tally)))).collect(),
            server_cpu_us: known.then(|| per_operation(cpu.server)),
            peak_rss_mib: measured.resident_kib.map(|(peak, _)| peak as f64 / 1024.0),
            rss_mib: measured.resident_kib.map(|(_, now)| now as f64 / 1024.0),
            peak_is_of_window: measured.peak_is_of_window,
            client_cpu_us: per_operation(cpu.client),
            others_percent: known.then(|| share((cpu.busy - cpu.server - cpu.client).max(0.0))),
            busy_percent: share(cpu.busy),
            connects: measured.stats.connects,
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut lines = vec![
            format!("operations      {} in {:.2} s", self.operations, self.seconds),
            format!("rate            {:.1} ops/s, {:.1} MiB/s", self.ops_per_second, self.mib_per_second),
            format!("latency         {}", show_latency(&self.latency_ms)),
        ];
        for (kind, (operations, latency)) in &self.kinds {
            lines.push(format!("  {kind:<13} {operations}: {}", show_latency(latency)));
        }
        if let (Some(cpu), Some(peak), Some(now)) = (self.server_cpu_us, self.peak_rss_mib, self.rss_mib) {
            lines.push(format!("server CPU      {cpu:.0} us/op"));
            let of = if self.peak_is_of_window { "" } else { " (since it started)" };
            lines.push(format!("server memory   peak {peak:.0} MiB{of}, now {now:.0} MiB"));
        }
        let others = self.others_percent.map_or(String::new(), |others| format!(", {others:.0} % by others"));
        lines.push(format!("client CPU      {:.1} us/op", self.client_cpu_us));
        lines.push(format!("machine         {:.0} % busy{others}", self.busy_percent));
        lines.push(format!("connections     {}", self.connects));
        for (reason, count) in &self.errors {
            lines.push(format!("error           {count} x {reason}"));
        }
        lines.join("\n")
    }
}

fn show_latency(latency: &Latency) -> String {
    let Latency { p50, p90, p99, max } = latency;
    format!("p50 {p50:.2} ms, p90 {p90:.2}, p99 {p99:.2}, max {max:.2}")
}

fn latency(tally: &Tally) -> Latency {
    let at = |quantile| tally.latency.value_at_quantile(quantile) as f64 / 1000.0;
    Latency { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: tally.latency.max() as f64 / 1000.0 }
}

/// All kinds as one.
fn together(stats: &Stats) -> Option<Tally> {
    let mut all: Option<Tally> = None;
    for tally in stats.done.values() {
        match &mut all {
            None => all = Some(Tally { latency: tally.latency.clone(), bytes: tally.bytes }),
            Some(all) => {
                let _ = all.latency.add(&tally.latency);
                all.bytes += tally.bytes;
            }
        }
    }
    all
}

/// Runs `holdall bench OPERATION`.
///
/// # Errors
/// See [`super::run`].
pub async fn run(operation: Operation, args: SingleArgs) -> anyhow::Result<()> {
    let client = &args.client;
    let (access_key, secret_key) = (args.access_key.as_deref(), args.secret_key.as_deref());
    let credentials = target::credentials(access_key.unwrap_or_default(), secret_key.unwrap_or_default());
    let target = Rc::new(Target::new("server", &args.endpoint, credentials, &args.pid, client)?);
    let workload = Workload::new(operation, args.size, args.concurrency, args.objects);
    workload.check(client).map_err(anyhow::Error::msg)?;
    let made = prepare::bucket(&target, &client.bucket).await?;
    if workload.objects > 0 {
        prepare::objects(&target, &client.bucket, &workload, client.quiet).await?;
    }
    let run = once(&target, &workload, client).await?;
    println!("{}", run.text());
    if let Some(path) = &args.json {
        write_json(path, &run)?;
    }
    if !client.keep {
        clear_prepared(&target, &workload, client).await?;
        if made {
            prepare::remove_bucket(&target, &client.bucket).await?;
        }
    }
    Ok(())
}

/// Deletes what was prepared for `workload`.
///
/// # Errors
/// When something cannot be deleted.
pub async fn clear_prepared(
    target: &Rc<Target>,
    workload: &Workload,
    client: &ClientArgs,
) -> anyhow::Result<()> {
    if workload.keeps_objects() {
        let numbers = 0..workload.objects;
        prepare::clear(target, &client.bucket, &workload.prefix(), numbers, client.quiet).await?;
    }
    Ok(())
}

/// Measures once. What the run wrote, and what it left of prepared objects that it uses up, is removed.
///
/// # Errors
/// When it cannot be removed.
pub async fn once(target: &Rc<Target>, workload: &Workload, client: &ClientArgs) -> anyhow::Result<Run> {
    let field = Field::new(workload.clone(), &client.bucket, client.part_size, client.verify);
    let measured = runner::measure(target, &field, client).await;
    if !client.keep {
        let (prefix, numbers) = field.remains();
        prepare::clear(target, &client.bucket, &prefix, numbers, client.quiet).await?;
    }
    Ok(Run::new(target, workload, &measured))
}

/// Writes a report as JSON.
///
/// # Errors
/// When the file cannot be written.
pub fn write_json(path: &Path, report: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_vec_pretty(report)?;
    text.push(b'\n');
    write_file(path, &text)
}

/// Writes a file, whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    // A bare name has an empty parent, which is no directory that could be synced.
    let whole = std::path::absolute(path)?;
    disk::replace_file(&RealDisk, &whole, bytes).with_context(|| format!("cannot write {}", path.display()))
}
