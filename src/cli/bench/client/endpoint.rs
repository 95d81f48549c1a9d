//! Where a server listens.

/// The parts of `http://HOST:PORT` that a client needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// What to connect to: `host:port`.
    pub address: String,
    /// The value of the Host header: as given, without a default port.
    pub host: String,
}

impl Endpoint {
    /// Reads the address of a server. Only plain HTTP: what TLS costs is a measurement of its own.
    pub fn parse(url: &str) -> Result<Self, String> {
        let rest = url.strip_prefix("http://").ok_or_else(|| format!("not an http:// address: {url}"))?;
        let host = rest.strip_suffix('/').unwrap_or(rest);
        if host.is_empty() || host.contains(['/', '?', '#', '@', ' ']) {
            return Err(format!("not the address of a server: {url}"));
        }
        let name_end = host.rfind(']').unwrap_or(0);
        let port = host[name_end..].rfind(':').map(|at| &host[name_end + at + 1..]);
        match port {
            None => Ok(Self { address: format!("{host}:80"), host: host.to_owned() }),
            Some(port) if port.parse::<u16>().is_err() => Err(format!("not a port: {port}")),
            Some("80") => {
                Ok(Self { address: host.to_owned(), host: host.trim_end_matches(":80").to_owned() })
            }
            Some(_) => Ok(Self { address: host.to_owned(), host: host.to_owned() }),
        }
    }
}
