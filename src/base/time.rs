//! Points in time.

/// Milliseconds since 1970-01-01T00:00:00Z, the resolution of S3's dates.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize,
)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The point this many milliseconds after 1970 began.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// The point this many seconds after 1970 began.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since 1970 began.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since 1970 began; what HTTP dates can tell.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// How much later than `earlier` this is; zero when it is not later.
    pub const fn since(self, earlier: Timestamp) -> std::time::Duration {
        std::time::Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The point `span` later.
    pub const fn plus(self, span: std::time::Duration) -> Self {
        Self(self.0.saturating_add(span.as_millis() as u64))
    }
}
