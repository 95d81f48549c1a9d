//! What a client may ask of the server.

use std::time::Duration;

/// What a client may ask of the server. None of these can be switched off: each bounds memory or a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections to the S3 listener at once, 16 to 1,000,000; 10,000.
    pub connections_max: usize,
    /// Request line and headers together, in bytes, 16 KiB to 128 KiB; 64 KiB. A presigned URL with a session token
    /// takes 3 KiB, user metadata 2 KiB.
    pub header_bytes_max: usize,
    /// Headers of a request, 32 to 256; 200. 2 KiB of user metadata can be a hundred of them.
    pub headers_max: usize,
    /// From the first byte of a request to the end of its headers, 1 s to 10 minutes; 30 s.
    pub header_timeout: Duration,
    /// Without a byte of a body, in either direction, 1 s to 1 hour; 30 s.
    pub body_idle_timeout: Duration,
    /// How long a connection may stay open between two requests, 1 s to 1 hour; 75 s, longer than common proxies
    /// keep theirs.
    pub keep_alive: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            header_bytes_max: 64 << 10,
            headers_max: 200,
            header_timeout: Duration::from_secs(30),
            body_idle_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
        }
    }
}
