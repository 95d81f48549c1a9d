//! Secret access keys, kept out of logs and of freed memory.

use std::sync::Arc;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A secret access key. It has neither `Debug` nor `Display`, is overwritten when the last copy is dropped, and is
/// compared in constant time.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes a secret over.
    pub fn new(secret: String) -> Self {
        Self(Arc::new(Zeroizing::new(secret)))
    }

    /// Whether both are the same secret, in time that depends on the lengths alone.
    pub fn matches(&self, other: &Secret) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }

    /// The secret itself, for deriving keys and for writing the credentials file. Never log what this returns.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
