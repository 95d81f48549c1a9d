//! `holdall volume`: which volumes belong, and changing that while the server runs.

mod list;
mod wait;

use std::path::Path;

use anyhow::Context as _;
use anyhow::bail;
use clap::Args;
use clap::Subcommand;

use super::remote::NOTHING;
use super::remote::Remote;
use super::remote::RemoteArgs;
use crate::admin::wire::Place;
use crate::admin::wire::Volume;
use crate::admin::wire::Volumes;

/// The volumes of a running server
#[derive(Debug, Args)]
pub(super) struct VolumeArgs {
    #[command(flatten)]
    remote: RemoteArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show every volume
    #[command(after_help = "Examples:\n  holdall volume list\n  holdall volume list --json")]
    List,
    /// Make a volume of an empty or new directory
    #[command(after_help = "\
It takes new parts at once, and about 1/N of the old ones move to it. Relative paths count from where this command runs,
so it must run on the server's machine.

Examples:
  holdall volume add /mnt/disk5
  holdall volume add /mnt/disk5 --no-wait")]
    Add {
        /// The directory, on the server's machine
        path: String,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Move everything off a volume, so that it can be removed
    #[command(after_help = "\
Nothing is less redundant meanwhile. The server goes on when this command is ended; undrain takes it back. Refused when so
few volumes would be left that each part had fewer copies than now: add a volume first, or replace this one.

Examples:
  holdall volume drain /mnt/disk2 && holdall volume remove /mnt/disk2
  holdall volume drain 3f2a --no-wait
  holdall volume drain 3f2a --force      # fewer copies of each part from now on")]
    Drain {
        #[command(flatten)]
        which: Which,
        /// Accept that each part has fewer copies than now when the volumes that stay are too few
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Keep a volume that was being drained
    #[command(after_help = "Examples:\n  holdall volume undrain /mnt/disk2")]
    Undrain {
        #[command(flatten)]
        which: Which,
    },
    /// Let a volume go that holds nothing which others lack
    #[command(after_help = "\
Refused while the volume holds a copy that others lack: drain it first. Its files are left where they are.

Examples:
  holdall volume remove /mnt/disk2
  holdall volume remove 3f2a --force     # its disk is gone for good")]
    Remove {
        #[command(flatten)]
        which: Which,
        /// Give up a volume that does not answer or is being drained; what it alone held is lost
        #[arg(long)]
        force: bool,
    },
    /// Put a new disk in the place of a volume that failed
    #[command(after_help = "\
The directory must be empty or new; it may be the path of the old one, with a new disk mounted there. Its copies are made
anew from those on other volumes.

Examples:
  holdall volume replace /mnt/disk2 /mnt/disk2
  holdall volume replace 3f2a /mnt/disk6")]
    Replace {
        #[command(flatten)]
        which: Which,
        /// The directory, on the server's machine
        path: String,
        #[command(flatten)]
        waiting: Waiting,
    },
}

#[derive(Debug, Args)]
struct Which {
    /// The volume: the beginning of its id, or its path
    #[arg(value_name = "ID")]
    volume: String,
}

#[derive(Debug, Clone, Copy, Args)]
struct Waiting {
    /// Return at once instead of showing progress until it is done
    #[arg(long)]
    no_wait: bool,
}

/// Runs `holdall volume`.
///
/// # Errors
/// The server cannot be reached or refuses.
pub(super) fn run(args: &VolumeArgs) -> anyhow::Result<()> {
    let mut remote = Remote::new(&args.remote)?;
    let is_json = args.remote.json;
    let done = |volume: &Volume, what: &str| match is_json {
        true => print_json(volume),
        false => {
            println!("The volume {} ({}) {what}.", short(&volume.id), volume.path);
            Ok(())
        }
    };
    match &args.verb {
        Verb::List => {
            let volumes: Volumes = remote.get("/admin/v1/volumes")?;
            if is_json {
                return print_json(&volumes);
            }
            print!("{}", list::table(&volumes.volumes));
            Ok(())
        }
        Verb::Add { path, waiting } => {
            let place = Place { path: absolute(path)? };
            let volume = remote.change("POST", "/admin/v1/volumes", Some(&place))?;
            let volume = finish(&mut remote, volume, *waiting, is_json)?;
            done(&volume, "belongs to the deployment")
        }
        Verb::Drain { which, force, waiting } => {
            let id = find(&mut remote, &which.volume)?.id;
            let volume = remote.act(&format!("/admin/v1/volumes/{id}/drain"), query(*force))?;
            let volume = finish(&mut remote, volume, *waiting, is_json)?;
            let is_done = volume.progress.as_ref().is_some_and(|progress| progress.done);
            done(&volume, drained(&volume.health, is_done))
        }
        Verb::Undrain { which } => done(&post(&mut remote, which, "undrain", NOTHING)?, "stays"),
        Verb::Remove { which, force } => {
            let volume = find(&mut remote, &which.volume)?;
            remote.delete(&format!("/admin/v1/volumes/{}", volume.id), query(*force))?;
            done(&volume, "belongs to the deployment no more")
        }
        Verb::Replace { which, path, waiting } => {
            let place = Place { path: absolute(path)? };
            let old = find(&mut remote, &which.volume)?.id;
            let new: Volume =
                remote.change("POST", &format!("/admin/v1/volumes/{old}/replace"), Some(&place))?;
            let new = finish(&mut remote, new, *waiting, is_json)?;
            done(&new, "has taken the place of the old one")?;
            let Volumes { volumes } = remote.get("/admin/v1/volumes")?;
            if let Some(old) = volumes.iter().find(|volume| volume.id == old).filter(|_| !is_json) {
                let (id, path) = (short(&old.id), &old.path);
                println!(
                    "The old one ({path}) is being drained, and its disk must stay until it is empty: `holdall status` \
                     shows how far it is; then `holdall volume remove {id}` lets it go."
                );
            }
            Ok(())
        }
    }
}

/// How far a drain has got. What cannot be asked cannot be seen to be empty, and is not removed without force.
fn drained(health: &str, is_done: bool) -> &'static str {
    match (matches!(health, "healthy" | "suspect"), is_done) {
        (true, true) => "is drained and can be removed",
        (true, false) => "is being drained",
        (false, _) => {
            "takes no copies any more, but does not answer: what only it holds is not known. Mount it, or give it up with \
             `holdall volume remove --force`"
        }
    }
}

const fn query(force: bool) -> &'static str {
    if force { "force=true" } else { "" }
}

fn post(
    remote: &mut Remote,
    which: &Which,
    verb: &str,
    body: Option<&impl serde::Serialize>,
) -> anyhow::Result<Volume> {
    let id = find(remote, &which.volume)?.id;
    remote.change("POST", &format!("/admin/v1/volumes/{id}/{verb}"), body)
}

fn finish(remote: &mut Remote, volume: Volume, waiting: Waiting, is_json: bool) -> anyhow::Result<Volume> {
    if waiting.no_wait { Ok(volume) } else { wait::until_done(remote, volume, is_json) }
}

fn find(remote: &mut Remote, text: &str) -> anyhow::Result<Volume> {
    let Volumes { volumes } = remote.get("/admin/v1/volumes")?;
    choose(volumes, text)
}

/// The volume that `text` names: by its path, or by the beginning of its id.
fn choose(volumes: Vec<Volume>, text: &str) -> anyhow::Result<Volume> {
    let path = absolute(text)?;
    let is_path = |volume: &Volume| volume.path == text || volume.path == path;
    let prefix = text.to_ascii_lowercase();
    let by_path = volumes.iter().any(is_path);
    let is_named = |volume: &Volume| match by_path {
        true => is_path(volume),
        false => !prefix.is_empty() && volume.id.starts_with(&prefix),
    };
    let mut named = volumes.into_iter().filter(is_named);
    match (named.next(), named.next()) {
        (Some(volume), None) => Ok(volume),
        (Some(one), Some(other)) => bail!(
            "{text} could be the volume {} ({}) or {} ({}); give more of the id",
            one.id,
            one.path,
            other.id,
            other.path
        ),
        (None, _) => {
            bail!("no volume has the path {text} or an id that begins so; `holdall volume list` shows all")
        }
    }
}

/// The path as the server needs it.
fn absolute(path: &str) -> anyhow::Result<String> {
    let given = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    let path = std::path::absolute(Path::new(given)).with_context(|| format!("{path:?} is no path"))?;
    path.into_os_string().into_string().map_err(|path| anyhow::anyhow!("{} is not UTF-8", path.display()))
}

/// Enough of an id for people.
pub(super) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

pub(super) use list::table as table_of;

/// Prints a document of the admin API.
pub(super) fn print_json(document: &impl serde::Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(document).context("it cannot be written as JSON")?);
    Ok(())
}

#[cfg(test)]
#[path = "volume_tests.rs"]
mod tests;
