//! One run: workers, warm-up, window, and what was used meanwhile.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use std::time::Instant;

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::cli::bench::args::ClientArgs;
use crate::cli::bench::args::Operation;
use crate::cli::bench::client::Failure;
use crate::cli::bench::process::CpuTimes;
use crate::cli::bench::progress;
use crate::cli::bench::stats::Stats;
use crate::cli::bench::target::Target;
use crate::cli::bench::units::mebibytes;
use crate::cli::bench::workload::Field;
use crate::cli::bench::workload::Task;

/// How often the progress bar moves.
const TICK: Duration = Duration::from_millis(200);
/// How long operations that are under way at the end of the window may take before they are given up.
const GRACE: Duration = Duration::from_secs(60);
/// After a broken connection, so that a dead server is not asked a hundred thousand times a second.
const BACK_OFF: Duration = Duration::from_millis(20);

/// What a run found out.
pub struct Measured {
    /// Length of the window, in seconds.
    pub seconds: f64,
    /// What ended inside the window.
    pub stats: Stats,
    /// CPU time spent inside the window.
    pub cpu: CpuTimes,
    /// Peak and last resident memory of the server in KiB; `None` when its processes are not known.
    pub resident_kib: Option<(u64, u64)>,
    /// The peak began anew with this window.
    pub peak_is_of_window: bool,
}

/// What workers and clock tell each other.
struct Shared {
    counting: Cell<bool>,
    stop: Cell<bool>,
    running: Cell<usize>,
    idle: Notify,
    operations: Cell<u64>,
    bytes: Cell<u64>,
}

/// Runs a workload whose objects are prepared.
pub async fn measure(target: &Rc<Target>, field: &Rc<Field>, client: &ClientArgs) -> Measured {
    let workload = &field.workload;
    if !target.processes.is_empty() {
        // What was written before is not this window's to write back.
        rustix::fs::sync();
    }
    let shared = Rc::new(Shared {
        counting: Cell::new(false),
        stop: Cell::new(false),
        running: Cell::new(workload.concurrency),
        idle: Notify::new(),
        operations: Cell::new(0),
        bytes: Cell::new(0),
    });
    let warm_up = if workload.operation == Operation::Delete { Duration::ZERO } else { client.warm_up };
    let peak_is_of_window = target.processes.reset_peak();
    // Before the workers, who would otherwise begin before what they use is counted.
    shared.counting.set(warm_up.is_zero());
    let workers = spawn(target, field, &shared);
    if !warm_up.is_zero() {
        tokio::time::sleep(warm_up).await;
    }
    let before = target.processes.cpu();
    let begun = Instant::now();
    shared.counting.set(true);
    wait(&shared, begun, client.duration, &bar(target, field, client)).await;
    shared.counting.set(false);
    let seconds = begun.elapsed().as_secs_f64();
    let cpu = target.processes.cpu().since(before);
    let resident = target.processes.resident_kib();
    shared.stop.set(true);
    let stats = collect(workers).await;
    let resident_kib = (!target.processes.is_empty()).then_some(resident);
    Measured { seconds, stats, cpu, resident_kib, peak_is_of_window }
}

fn bar(target: &Target, field: &Field, client: &ClientArgs) -> indicatif::ProgressBar {
    let what = format!("{}: {}", target.name, field.workload.label());
    progress::bar(client.duration.as_millis() as u64, &what, client.quiet)
}

fn spawn(target: &Rc<Target>, field: &Rc<Field>, shared: &Rc<Shared>) -> Vec<JoinHandle<Stats>> {
    let worker = |number| {
        let (target, field, shared) = (Rc::clone(target), Rc::clone(field), Rc::clone(shared));
        tokio::task::spawn_local(async move { work(&target, &field, &shared, number).await })
    };
    (0..field.workload.concurrency).map(worker).collect()
}

async fn work(target: &Target, field: &Rc<Field>, shared: &Shared, number: usize) -> Stats {
    let length_max = match field.workload.operation {
        Operation::Multipart => field.part_size,
        _ => field.workload.size,
    };
    let mut connection = target.connection(length_max);
    let mut task = Task::new(field, number);
    let mut stats = Stats::default();
    while !shared.stop.get() {
        let begun = Instant::now();
        let Some(step) = task.step(&mut connection).await else {
            break;
        };
        if shared.counting.get() {
            match &step.result {
                Ok(bytes) => {
                    stats.succeeded(step.operation, *bytes, begun.elapsed());
                    shared.operations.set(shared.operations.get() + 1);
                    shared.bytes.set(shared.bytes.get() + bytes);
                }
                Err(failure) => stats.failed(failure),
            }
        }
        if let Err(Failure::Connection(_) | Failure::Malformed(_)) = step.result {
            tokio::time::sleep(BACK_OFF).await;
        }
    }
    stats.connects = connection.connects;
    shared.running.set(shared.running.get() - 1);
    if shared.running.get() == 0 {
        shared.idle.notify_one();
    }
    stats
}

/// Until the window is over or the workers have nothing left to do.
async fn wait(shared: &Shared, begun: Instant, duration: Duration, bar: &indicatif::ProgressBar) {
    let idle = shared.idle.notified();
    tokio::pin!(idle);
    loop {
        let elapsed = begun.elapsed();
        if elapsed >= duration {
            break;
        }
        let next = TICK.min(duration - elapsed);
        tokio::select! {
            () = &mut idle => break,
            () = tokio::time::sleep(next) => {}
        }
        let seconds = begun.elapsed().as_secs_f64();
        bar.set_position(begun.elapsed().as_millis() as u64);
        let rate = shared.operations.get() as f64 / seconds;
        bar.set_message(format!("{rate:.0}/s {:.1} MiB/s", mebibytes(shared.bytes.get()) / seconds));
    }
    bar.finish_and_clear();
}

async fn collect(workers: Vec<JoinHandle<Stats>>) -> Stats {
    let deadline = tokio::time::Instant::now() + GRACE;
    let mut all = Stats::default();
    for mut worker in workers {
        match tokio::time::timeout_at(deadline, &mut worker).await {
            Ok(Ok(stats)) => all.add(&stats),
            Ok(Err(_)) => all.failed(&Failure::Wrong("a worker broke down")),
            Err(_) => {
                worker.abort();
                all.failed(&Failure::Wrong("no answer within a minute of the end"));
            }
        }
    }
    all
}
