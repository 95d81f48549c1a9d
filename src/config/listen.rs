//! Where the server listens.

use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::time::Duration;

use crate::sys::machine::Machine;

/// Where it listens, and with how many threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Address of the S3 listener; 127.0.0.1:9000. Port 0 lets the kernel choose.
    pub address: SocketAddr,
    /// Address of the admin listener: health, metrics and the admin API; 127.0.0.1:9001.
    pub admin_address: SocketAddr,
    /// Threads that serve requests, 1 to 256; one per core.
    pub workers: usize,
    /// How long running requests may take to end after SIGTERM, up to 10 minutes; 30 s.
    pub shutdown_grace: Duration,
}

impl Listen {
    pub(super) fn defaults(machine: &Machine) -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 9000)),
            admin_address: SocketAddr::from((Ipv4Addr::LOCALHOST, 9001)),
            workers: machine.cores.clamp(1, 256),
            shutdown_grace: Duration::from_secs(30),
        }
    }
}
