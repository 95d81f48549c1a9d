//! `holdall serve`: start the server and keep it until a signal ends it.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use super::settings;
use crate::config;
use crate::config::Config;
use crate::config::Sources;
use crate::server;
use crate::server::telemetry;
use crate::sys::machine;
use crate::sys::machine::Machine;

/// What the process ends with when a second signal cuts it short, as a shell would report SIGTERM.
const CUT_SHORT: i32 = 128 + 15;

/// A signal that follows the first within this time is the same wish: a terminal, `make` and `timeout` send theirs to
/// the process and to its group.
const SAME_SIGNAL: Duration = Duration::from_secs(1);

#[derive(Args)]
#[command(after_help = "\
Every option is also a variable and a key of the configuration file; docs/operations.md lists them all. The command line
wins over the environment, the environment over the file.

Root credentials come from HOLDALL_ACCESS_KEY and HOLDALL_SECRET_KEY. When neither is set, the first start generates
them, prints them once and keeps them in credentials.toml on the first volume, readable by the server's user alone.

SIGTERM and SIGINT let running requests finish (listen.shutdown_grace, 30s); a second one ends the server at once.
Exit codes: 0 stopped by a signal, 143 cut short by a second one, 1 could not start, 2 unusable settings.

Examples:
  holdall serve
  holdall serve --address 0.0.0.0:9000 /mnt/disk{1...4}
  HOLDALL_ACCESS_KEY=admin HOLDALL_SECRET_KEY=correct-horse holdall serve --config /etc/holdall.toml")]
pub(super) struct ServeArgs {
    /// Directories that hold the data, each on a disk of its own; /mnt/disk{1...4} stands for four
    /// [default: ./data] [env: HOLDALL_VOLUMES]
    #[arg(value_name = "VOLUME")]
    volumes: Vec<String>,
    /// Address and port of the S3 listener; port 0 lets the kernel choose
    /// [default: 127.0.0.1:9000] [env: HOLDALL_ADDRESS]
    #[arg(long, value_name = "IP:PORT")]
    address: Option<String>,
    /// Address and port of the admin listener: health, metrics and the admin API
    /// [default: 127.0.0.1:9001] [env: HOLDALL_ADMIN_ADDRESS]
    #[arg(long, value_name = "IP:PORT")]
    admin_address: Option<String>,
    /// Copies of each part, on different volumes
    /// [default: 3, or the number of volumes when that is less] [env: HOLDALL_REPLICAS]
    #[arg(long, value_name = "N")]
    replicas: Option<String>,
    /// strict: acknowledged writes survive a power cut; relaxed: the last seconds before one may be lost
    /// [default: strict] [env: HOLDALL_DURABILITY]
    #[arg(long, value_name = "strict|relaxed")]
    durability: Option<String>,
    /// Region that buckets are in [default: us-east-1] [env: HOLDALL_REGION]
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
    /// Domain under which a bucket may be part of the host name, bucket.s3.example.com for s3.example.com; may be
    /// repeated [default: none] [env: HOLDALL_DOMAIN]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    domain: Vec<String>,
    /// Configuration file in TOML [default: none] [env: HOLDALL_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// From which importance on messages are logged: error, warn, info, debug or trace; every request from debug on
    /// [default: info] [env: HOLDALL_LOG_LEVEL]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// Form of the log on standard error: text or json [default: text] [env: HOLDALL_LOG_FORMAT]
    #[arg(long, value_name = "FORM")]
    log_format: Option<String>,
}

impl ServeArgs {
    fn sources(&self) -> Sources {
        let one = |value: &Option<String>| value.iter().cloned().collect();
        let flags = vec![
            ("storage.volumes", self.volumes.clone()),
            ("listen.address", one(&self.address)),
            ("listen.admin_address", one(&self.admin_address)),
            ("storage.replicas", one(&self.replicas)),
            ("storage.durability", one(&self.durability)),
            ("s3.region", one(&self.region)),
            ("s3.domains", self.domain.clone()),
            ("log.level", one(&self.log_level)),
            ("log.format", one(&self.log_format)),
        ];
        settings::sources(self.config.as_ref(), flags)
    }
}

/// Runs `holdall serve` until a signal ends it.
///
/// # Errors
/// The settings cannot be used ([`config::Error`]), or something is in the way of a start.
pub(super) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let machine = Machine::observe();
    let loaded = config::load(&args.sources(), &machine)?;
    let report = loaded.config.check(&machine)?;
    telemetry::start(&loaded.config.log).map_err(anyhow::Error::msg).context("the log cannot be started")?;
    report.calibrated.iter().for_each(|line| tracing::info!("{line}"));
    loaded.warnings.iter().chain(&report.warnings).for_each(|line| tracing::warn!("{line}"));
    machine::keep_files_private();
    serve(&loaded.config)
}

fn serve(config: &Config) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.context("the runtime cannot be started")?;
    // Before anything runs: a signal that comes while the server starts stops it once it has started.
    let mut signals = {
        let _context = runtime.enter();
        Signals::new().context("signals cannot be received")?
    };
    let (running, greeting) = server::start(config).context("the server could not start")?;
    tracing::info!("{}", greeting.copies());
    greeting.warnings().iter().for_each(|line| tracing::warn!("{line}"));
    // Whoever started the server may have closed its standard output.
    let _ = write!(std::io::stdout().lock(), "{greeting}");
    drop(greeting);
    tracing::info!(address = %running.address, admin = %running.admin_address, "ready");
    let name = runtime.block_on(signals.next());
    tracing::info!(signal = name, "stopping; running requests finish");
    let stopping_since = Instant::now();
    runtime.spawn(async move {
        let mut name = signals.next().await;
        while stopping_since.elapsed() < SAME_SIGNAL {
            name = signals.next().await;
        }
        tracing::warn!(signal = name, "ending at once");
        std::process::exit(CUT_SHORT);
    });
    runtime.block_on(running.stop());
    tracing::info!("stopped");
    Ok(())
}

/// The signals that stop the server.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for one; its name.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
