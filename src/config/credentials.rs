//! The root user as the operator gave it.

use std::fmt;
use std::path::Path;

use zeroize::Zeroizing;

use super::Config;
use super::Error;
use super::given::Given;
use super::load;
use crate::sys::machine::Machine;

/// Access key and secret key of the root user; both or none. There are no default credentials: when none are given,
/// the first start generates them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// 3 to 128 letters, digits, `-`, `.` and `_`.
    pub access_key: Option<String>,
    /// 8 to 128 visible ASCII characters.
    pub secret_key: Option<Zeroizing<String>>,
}

/// Shows that there is a secret, never which.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret_key = self.secret_key.as_ref().map(|_| "…");
        f.debug_struct("Credentials")
            .field("access_key", &self.access_key)
            .field("secret_key", &secret_key)
            .finish()
    }
}

pub(super) fn apply_access_key(config: &mut Config, given: &Given) -> Option<()> {
    let key = given.text()?;
    // `/` and `,` end it in an Authorization header.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let usable = (3..=128).contains(&key.len()) && key.bytes().all(allowed);
    usable.then(|| config.credentials.access_key = Some(key.to_owned()))
}

pub(super) fn apply_secret_key(config: &mut Config, given: &Given) -> Option<()> {
    let key = given.text()?;
    let usable = (8..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    usable.then(|| config.credentials.secret_key = Some(Zeroizing::new(key.to_owned())))
}

/// Length of access keys that we generate.
pub const ACCESS_KEY_LENGTH: usize = 20;

/// Length of secret keys that we generate: 40 letters and digits hold 238 bits.
pub const SECRET_KEY_LENGTH: usize = 40;

/// The text of the file that keeps generated credentials.
pub fn write_credentials_file(access_key: &str, secret_key: &str) -> Zeroizing<String> {
    Zeroizing::new(format!(
        "# The root credentials of this deployment, made at its first start. Keep this file private.\n\
         # HOLDALL_ACCESS_KEY and HOLDALL_SECRET_KEY, or the configuration file, take precedence.\n\
         [credentials]\naccess_key = \"{access_key}\"\nsecret_key = \"{secret_key}\"\n"
    ))
}

/// Reads that file: a configuration file that holds both halves of the credentials.
///
/// # Errors
/// It is malformed, or a half is missing.
pub fn read_credentials_file(path: &Path, text: &str) -> Result<(String, Zeroizing<String>), Error> {
    let mut config = Config::defaults(&Machine { cores: 1, memory_bytes: 0 });
    let problems = load::read_text(&mut config, path, text);
    if !problems.is_empty() {
        return Err(Error::new(problems));
    }
    match (config.credentials.access_key, config.credentials.secret_key) {
        (Some(access_key), Some(secret_key)) => Ok((access_key, secret_key)),
        _ => {
            Err(Error::new(vec![format!("{} does not hold an access key and a secret key", path.display())]))
        }
    }
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
