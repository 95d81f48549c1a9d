//! The root user as the operator gave it.

use std::fmt;

use zeroize::Zeroizing;

use super::Config;
use super::given::Given;

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
