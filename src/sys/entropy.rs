//! Randomness.

use parking_lot::Mutex;
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// Gives random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `out`.
    fn fill(&self, out: &mut [u8]);
}

/// Random bytes that nobody can foresee: a generator of cryptographic strength per thread, seeded by the system.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) {
        rand::rng().fill(out);
    }
}

/// The same bytes for the same seed, for tests.
pub struct SeededEntropy(Mutex<StdRng>);

impl SeededEntropy {
    /// A generator that begins with `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        self.0.lock().fill(out);
    }
}
