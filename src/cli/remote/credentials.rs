//! Whose requests these are.

use std::path::Path;

use anyhow::Context as _;
use anyhow::bail;
use zeroize::Zeroizing;

use crate::cli::bench::client::Credentials;
use crate::config;
use crate::sys::disk::read_private_file;

/// Where `holdall serve` without arguments keeps generated credentials.
const DEFAULT_FILE: &str = "./data/credentials.toml";

/// The root credentials: from the file that was named, from the environment, from the file of a server that was started
/// here without arguments.
pub(super) fn find(file: Option<&Path>) -> anyhow::Result<Credentials> {
    if let Some(file) = file {
        return read(file)?.with_context(|| format!("there is no file {}", file.display()));
    }
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (variable("HOLDALL_ACCESS_KEY"), variable("HOLDALL_SECRET_KEY")) {
        (Some(access_key), Some(secret_key)) => Ok(Credentials { access_key, secret_key }),
        (None, None) => read(Path::new(DEFAULT_FILE))?.context(
            "there are no credentials: set HOLDALL_ACCESS_KEY and HOLDALL_SECRET_KEY to those of the root user, or name \
             the credentials.toml on the server's first volume with --credentials",
        ),
        _ => bail!("HOLDALL_ACCESS_KEY and HOLDALL_SECRET_KEY belong together, and one of them is not set"),
    }
}

fn read(file: &Path) -> anyhow::Result<Option<Credentials>> {
    let text = read_private_file(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let Some(text) = text.map(Zeroizing::new) else { return Ok(None) };
    let (access_key, secret_key) = config::read_credentials_file(file, &text)?;
    Ok(Some(Credentials { access_key, secret_key: secret_key.to_string() }))
}
