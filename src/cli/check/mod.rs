//! `holdall check`: verify a deployment while its server is stopped, or make lost metadata anew.

mod output;
mod progress;

use std::io::BufRead as _;
use std::io::IsTerminal as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::ArgGroup;
use clap::Args;

use super::settings;
use crate::config;
use crate::config::Config;
use crate::server::check;
use crate::server::check::rebuild;
use crate::server::check::rebuild::RebuildOptions;
use crate::server::check::vote;
use crate::sys::machine;
use crate::sys::machine::Machine;

use progress::Bar;

/// Something was found.
const FINDINGS: u8 = 1;
/// It cannot be checked.
const UNCHECKED: u8 = 2;

/// What must be typed to go on.
const CONFIRM_REBUILD: &str = "rebuild";
const CONFIRM_KEEP_ONE: &str = "keep one";

#[derive(Args)]
#[command(group = ArgGroup::new("change").args(["rebuild_metadata", "metadata_from"]))]
#[command(after_help = "\
The server must be stopped: its volumes are locked meanwhile. Nothing is changed, except with --rebuild-metadata and
--metadata-from, which ask first.

Volumes and copies are those of the configuration file, the environment or the command line, as for holdall serve; give
all volumes of the deployment.

Exit codes: 0 clean, 1 something was found, 2 it cannot be checked.

Examples:
  holdall check /mnt/disk{1...4}
  holdall check --deep --config /etc/holdall.toml
  holdall check --json ./data
  holdall check --rebuild-metadata /mnt/disk{1...4}    # the last resort: what it would do, and a question")]
pub(super) struct CheckArgs {
    /// Directories that hold the data; /mnt/disk{1...4} stands for four [default: ./data] [env: HOLDALL_VOLUMES]
    #[arg(value_name = "VOLUME")]
    volumes: Vec<String>,
    /// Configuration file in TOML [default: none] [env: HOLDALL_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Copies that each part should have
    /// [default: 3, or the number of volumes when that is less] [env: HOLDALL_REPLICAS]
    #[arg(long, value_name = "N")]
    replicas: Option<String>,
    /// Read every block of every part file, and compare metadata replicas row by row
    #[arg(long)]
    deep: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// Findings of each kind that are listed; all are counted
    #[arg(long, value_name = "N", default_value_t = 10)]
    examples: usize,
    /// Make metadata anew from part files alone, when no metadata replica is left; the old is moved aside
    #[arg(long, conflicts_with = "deep")]
    rebuild_metadata: bool,
    /// With --rebuild-metadata: make objects of multipart uploads whose parts have no gap, though whether they were
    /// completed is not known
    #[arg(long, requires = "rebuild_metadata")]
    include_uploads: bool,
    /// Go on with the metadata replica on this volume alone, given by path or id, when a majority of the replicas is lost
    /// for ever; the server makes others from it
    #[arg(long, value_name = "VOLUME", conflicts_with = "deep")]
    metadata_from: Option<String>,
    /// With --rebuild-metadata: do it though a metadata replica can be opened, which knows more
    #[arg(long, requires = "rebuild_metadata")]
    force: bool,
    /// With --rebuild-metadata and --metadata-from: do it without asking
    #[arg(long, requires = "change")]
    yes: bool,
}

/// Runs `holdall check`.
pub(super) fn run(args: &CheckArgs) -> ExitCode {
    let outcome = config_of(args).and_then(|config| match &args.metadata_from {
        Some(volume) => keep_one(args, &config, volume),
        None if args.rebuild_metadata => rebuild(args, &config),
        None => check(args, &config),
    });
    outcome.unwrap_or_else(|error| {
        eprintln!("holdall: {error:#}");
        ExitCode::from(UNCHECKED)
    })
}

fn config_of(args: &CheckArgs) -> anyhow::Result<Config> {
    let flags = vec![
        ("storage.volumes", args.volumes.clone()),
        ("storage.replicas", args.replicas.iter().cloned().collect()),
    ];
    let machine = Machine::observe();
    let loaded = config::load(&settings::sources(args.config.as_ref(), flags), &machine)?;
    loaded.config.check(&machine)?;
    machine::raise_open_files();
    machine::keep_files_private();
    Ok(loaded.config)
}

fn check(args: &CheckArgs, config: &Config) -> anyhow::Result<ExitCode> {
    let bar = Bar::new();
    let options = check::Options { deep: args.deep, examples_max: args.examples };
    let report = check::run(config, options, &bar);
    bar.finish();
    let report = report?;
    print(&match args.json {
        true => serde_json::to_string_pretty(&report).context("the report cannot be written as JSON")? + "\n",
        false => output::report(&report),
    });
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}

fn rebuild(args: &CheckArgs, config: &Config) -> anyhow::Result<ExitCode> {
    let plan = rebuild::plan(config)?;
    if !args.json {
        print(&output::plan(&plan));
    }
    if let Some((path, commit)) = plan.sound.first().filter(|_| !args.force) {
        anyhow::bail!(
            "nothing was done: the metadata in {} can be opened, at commit {commit}, and knows more than part files do. \
             Start the server, which makes other replicas from it, or see --metadata-from when too few are left; where it \
             is damaged within, --force makes metadata anew all the same",
            path.display()
        );
    }
    if !is_confirmed(args, CONFIRM_REBUILD) {
        return Ok(ExitCode::from(UNCHECKED));
    }
    let (bar, begun) = (Bar::new(), Instant::now());
    let rebuilt = rebuild::run(config, RebuildOptions { include_uploads: args.include_uploads }, &bar);
    bar.finish();
    let rebuilt = rebuilt?;
    print(&match args.json {
        true => {
            serde_json::to_string_pretty(&rebuilt).context("the result cannot be written as JSON")? + "\n"
        }
        false => output::rebuilt(&rebuilt, begun.elapsed().as_secs_f64()),
    });
    Ok(ExitCode::SUCCESS)
}

fn keep_one(args: &CheckArgs, config: &Config, volume: &str) -> anyhow::Result<ExitCode> {
    let plan = vote::plan(config, volume)?;
    if !args.json {
        print(&output::sole_voter(&plan));
    }
    if !is_confirmed(args, CONFIRM_KEEP_ONE) {
        return Ok(ExitCode::from(UNCHECKED));
    }
    let sole = vote::run(config, volume)?;
    print(&match args.json {
        true => serde_json::to_string_pretty(&sole).context("the result cannot be written as JSON")? + "\n",
        false => format!("The metadata on {} goes on alone.\n", sole.volume.display()),
    });
    Ok(ExitCode::SUCCESS)
}

/// Asks on a terminal; without one there is nobody to ask.
fn is_confirmed(args: &CheckArgs, confirmation: &str) -> bool {
    let mut answer = String::new();
    let is_confirmed = args.yes
        || std::io::stdin().is_terminal() && {
            print(&format!("Type \"{confirmation}\" to go on: "));
            std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == confirmation
        };
    if !is_confirmed {
        eprintln!("Nothing was done. Confirm with --yes.");
    }
    is_confirmed
}

/// Whoever started it may have closed its standard output.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
