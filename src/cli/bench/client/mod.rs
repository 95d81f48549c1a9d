//! A small HTTP/1.1 client for one connection: it sends a request, reads the reply, and costs little.
//!
//! Written by hand because a general client spends more on a small request than a fast server does. It knows what
//! S3 servers send (a length or chunks, keep-alive) and nothing else: no redirects, no TLS, no pipelining. The commands
//! that ask the admin API use it too (`cli::remote`).

mod connection;
mod endpoint;
mod reply;
mod signer;

pub use connection::Body;
pub use connection::Call;
pub use connection::Connection;
pub use connection::Keep;
pub use connection::Options;
pub use endpoint::Endpoint;
pub use signer::Credentials;
pub use signer::Signer;

/// Why an operation does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The server answered with an error.
    #[error("{0} {1}")]
    Status(u16, String),
    /// The connection could not be made or broke.
    #[error("connection: {0}")]
    Connection(std::io::ErrorKind),
    /// The reply is not HTTP as servers speak it.
    #[error("malformed reply: {0}")]
    Malformed(&'static str),
    /// The reply is not what was asked for.
    #[error("wrong answer: {0}")]
    Wrong(&'static str),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Connection(error.kind())
    }
}

#[cfg(test)]
mod tests;
