//! What the S3 listener allows a connection.

use std::time::Duration;

use crate::config;

/// What the S3 listener allows a connection. Bounds and defaults are those of the configuration.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Threads that serve requests.
    pub workers: usize,
    /// Connections at once; further ones wait in the backlog.
    pub connections_max: usize,
    /// Request line and headers together, in bytes; at most 128 KiB, which is what actix collects.
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

impl Limits {
    /// What was configured.
    pub const fn new(listen: &config::Listen, limits: &config::Limits) -> Self {
        Self {
            workers: listen.workers,
            connections_max: limits.connections_max,
            header_bytes_max: limits.header_bytes_max,
            headers_max: limits.headers_max,
            header_timeout: limits.header_timeout,
            body_idle_timeout: limits.body_idle_timeout,
            keep_alive: limits.keep_alive,
            shutdown_grace: listen.shutdown_grace,
        }
    }
}

/// The defaults of the configuration, with one worker.
impl Default for Limits {
    fn default() -> Self {
        let limits = config::Limits::default();
        Self {
            workers: 1,
            connections_max: limits.connections_max,
            header_bytes_max: limits.header_bytes_max,
            headers_max: limits.headers_max,
            header_timeout: limits.header_timeout,
            body_idle_timeout: limits.body_idle_timeout,
            keep_alive: limits.keep_alive,
            shutdown_grace: Duration::from_secs(30),
        }
    }
}
