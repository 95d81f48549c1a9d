//! How the server appears: to clients, and in the log.

use std::net::Ipv4Addr;

use super::Config;
use super::given::Given;

/// How the server appears to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3 {
    /// The region that buckets are in; us-east-1.
    pub region: String,
    /// Domains under which a bucket may be named in the host: `bucket.s3.example.com` for `s3.example.com`. Lower
    /// case, without a port. None: the bucket is always in the path.
    pub domains: Vec<String>,
    /// Whether a signature for another region is accepted; true, since many clients cannot be told theirs.
    pub any_region: bool,
}

impl Default for S3 {
    fn default() -> Self {
        Self { region: "us-east-1".to_owned(), domains: Vec::new(), any_region: true }
    }
}

/// From which importance on messages are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What an operator must act on.
    Error,
    /// What an operator should look at.
    Warn,
    /// Starts, stops and changes.
    Info,
    /// Every request.
    Debug,
    /// Every step.
    Trace,
}

/// What is logged, to standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// From which importance on; info.
    pub level: Level,
    /// One JSON object a line instead of text; false.
    pub json: bool,
    /// One line for every request, whatever the level; false.
    pub access: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: Level::Info, json: false, access: false }
    }
}

pub(super) fn apply_region(config: &mut Config, given: &Given) -> Option<()> {
    let region = given.text()?;
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let usable = (1..=32).contains(&region.len()) && region.bytes().all(allowed);
    usable.then(|| config.s3.region = region.to_owned())
}

pub(super) fn apply_domains(config: &mut Config, given: &Given) -> Option<()> {
    let domains: Vec<String> = given.list().iter().map(|domain| domain.to_ascii_lowercase()).collect();
    let usable = domains.iter().all(|domain| is_domain(domain));
    usable.then(|| config.s3.domains = domains)
}

/// Labels of letters, digits and inner hyphens, of 63 bytes at most, 253 in all (RFC 1123 section 2.1), and not an
/// address: a bucket cannot stand before one.
fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.len() <= 253 && domain.split('.').all(is_label) && domain.parse::<Ipv4Addr>().is_err()
}
