//! The root credentials: as configured, or kept from the first start, or made at this one.

use std::path::Path;
use std::path::PathBuf;

use super::Error;
use crate::auth::Secret;
use crate::config;
use crate::config::Credentials;
use crate::store;
use crate::sys::disk::create_private_file;
use crate::sys::disk::read_private_file;
use crate::sys::entropy::Entropy;

/// The file, on the first volumes.
const NAME: &str = "credentials.toml";

/// On so many volumes they are kept.
const KEPT_ON: usize = 3;

/// Capital letters and digits, as access keys look everywhere.
const ACCESS_KEY_LETTERS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// Letters and digits: nothing that a shell, a URL or a configuration file would take for something else.
const SECRET_KEY_LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Where the credentials come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// The operator set them.
    Configured,
    /// An earlier start made them.
    Kept(PathBuf),
    /// This start made them.
    Made(PathBuf),
}

/// The root user's credentials.
pub(super) struct Root {
    pub(super) access_key: String,
    pub(super) secret_key: Secret,
    pub(super) origin: Origin,
}

impl Root {
    /// The file that volumes keep, unless the operator set the credentials.
    pub(super) fn kept(&self) -> Option<store::Kept> {
        let text = config::write_credentials_file(&self.access_key, self.secret_key.expose());
        let is_kept = self.origin != Origin::Configured;
        is_kept.then(|| store::Kept { name: NAME, text })
    }
}

/// Where credentials may be kept.
pub(super) struct Places {
    /// The volumes that are there; those that hold metadata first.
    pub(super) roots: Vec<PathBuf>,
    /// Whether credentials found on none of them may be made anew: an absent volume may have them.
    pub(super) may_make: bool,
}

/// The credentials: configured ones first, then those in a file on one of the volumes, and new ones when there are none.
/// They are kept on the first volumes, so that the loss of one does not take them.
pub(super) fn find_or_make(
    configured: &Credentials,
    places: &Places,
    entropy: &dyn Entropy,
) -> Result<Root, Error> {
    if let (Some(access_key), Some(secret_key)) = (&configured.access_key, &configured.secret_key) {
        let secret_key = Secret::new(secret_key.to_string());
        return Ok(Root { access_key: access_key.clone(), secret_key, origin: Origin::Configured });
    }
    let mut found = None;
    for path in places.roots.iter().map(|volume| volume.join(NAME)) {
        found = read(&path)?;
        if found.is_some() {
            break;
        }
    }
    let first = places.roots.first().cloned().unwrap_or_default().join(NAME);
    let root = match found {
        Some(root) => root,
        None if places.may_make => make(&first, entropy)?,
        None => {
            let reason = "no volume that is there has them, and one that is absent may; mount it, or set \
                          HOLDALL_ACCESS_KEY and HOLDALL_SECRET_KEY"
                .to_owned();
            return Err(Error::Credentials { path: first, reason });
        }
    };
    spread(&root, &places.roots);
    Ok(root)
}

/// Keeps the credentials on the first volumes that do not have them.
fn spread(root: &Root, volumes: &[PathBuf]) {
    let text = config::write_credentials_file(&root.access_key, root.secret_key.expose());
    for path in volumes.iter().take(KEPT_ON).map(|volume| volume.join(NAME)) {
        if matches!(read_private_file(&path), Ok(None))
            && let Err(error) = create_private_file(&path, text.as_bytes())
        {
            tracing::warn!(path = %path.display(), %error, "the root credentials could not be kept here too");
        }
    }
}

fn read(path: &Path) -> Result<Option<Root>, Error> {
    let refused = |reason: String| Error::Credentials { path: path.to_owned(), reason };
    let text = match read_private_file(path) {
        Ok(Some(text)) => zeroize::Zeroizing::new(text),
        Ok(None) => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return Err(refused(format!("{error}; it must belong to the server's user, with mode 0600")));
        }
        Err(error) => return Err(refused(error.to_string())),
    };
    let read = config::read_credentials_file(path, &text);
    let (access_key, secret_key) = read.map_err(|error| refused(error.to_string()))?;
    let secret_key = Secret::new(secret_key.to_string());
    Ok(Some(Root { access_key, secret_key, origin: Origin::Kept(path.to_owned()) }))
}

fn make(path: &Path, entropy: &dyn Entropy) -> Result<Root, Error> {
    let access_key = random_text(entropy, ACCESS_KEY_LETTERS, config::ACCESS_KEY_LENGTH);
    let secret_key = random_text(entropy, SECRET_KEY_LETTERS, config::SECRET_KEY_LENGTH);
    let text = config::write_credentials_file(&access_key, &secret_key);
    create_private_file(path, text.as_bytes())
        .map_err(|error| Error::Credentials { path: path.to_owned(), reason: error.to_string() })?;
    let secret_key = Secret::new(secret_key);
    Ok(Root { access_key, secret_key, origin: Origin::Made(path.to_owned()) })
}

/// Letters, each as likely as any other: bytes beyond the last whole multiple of their number are drawn again.
fn random_text(entropy: &dyn Entropy, letters: &[u8], length: usize) -> String {
    let fair = 256 - 256 % letters.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = zeroize::Zeroizing::new([0; 64]);
        entropy.fill(bytes.as_mut());
        let usable = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        text.extend(usable.take(length - text.len()).map(|byte| char::from(letters[byte % letters.len()])));
    }
    text
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
