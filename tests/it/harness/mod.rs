//! Servers to test against, and clients to test with.

pub mod client;
pub mod process;
pub mod raw;
pub mod server;
