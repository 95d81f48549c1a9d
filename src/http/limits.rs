//! What the S3 listener allows a connection.

use std::time::Duration;

/// What the S3 listener allows a connection. Bounds and defaults are those of the configuration.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Threads that serve requests.
    pub workers: usize,
    /// Connections at once; further ones wait in the backlog.
    pub connections_max: usize,
    /// Request line and headers together, in bytes; below 128 KiB.
    pub header_bytes_max: usize,
    /// Headers of a request; no more than [`super::guard::HEADERS_CAP`].
    pub headers_max: usize,
    /// From the first byte of a request to the end of its headers.
    pub header_timeout: Duration,
    /// For a body, in either direction, to move at all, or faster than a trickle.
    pub body_idle_timeout: Duration,
    /// Between two requests of a connection.
    pub keep_alive: Duration,
    /// How long running requests may take to end once the server stops; whole seconds.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            workers: 1,
            connections_max: 10_000,
            header_bytes_max: 64 << 10,
            headers_max: 200,
            header_timeout: Duration::from_secs(30),
            body_idle_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            shutdown_grace: Duration::from_secs(30),
        }
    }
}
