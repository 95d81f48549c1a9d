//! A server to measure.

use std::rc::Rc;

use anyhow::Context as _;
use anyhow::bail;

use crate::cli::bench::args::ClientArgs;
use crate::cli::bench::client::Connection;
use crate::cli::bench::client::Credentials;
use crate::cli::bench::client::Endpoint;
use crate::cli::bench::client::Options;
use crate::cli::bench::client::Signer;
use crate::cli::bench::process::Processes;

/// How to reach a server, as whom, and which processes it has.
pub struct Target {
    /// As tables name it.
    pub name: String,
    /// The server's processes, when known.
    pub processes: Processes,
    options: Options,
    credentials: Option<Credentials>,
    region: String,
}

impl Target {
    /// A server at `url`.
    ///
    /// # Errors
    /// When the address cannot be read or a process does not exist.
    pub fn new(
        name: &str,
        url: &str,
        credentials: Option<Credentials>,
        pids: &[u32],
        client: &ClientArgs,
    ) -> anyhow::Result<Self> {
        let endpoint = Endpoint::parse(url).map_err(anyhow::Error::msg)?;
        let processes = Processes::new(pids, client.children);
        if let [missing, ..] = processes.missing()[..] {
            bail!("{name}: there is no process {missing}");
        }
        let options = Options {
            endpoint: Rc::new(endpoint),
            sign_payload: client.sign_payload,
            quickack: client.quickack,
            content_type: None,
        };
        Ok(Self { name: name.to_owned(), processes, options, credentials, region: client.region.clone() })
    }

    /// Reads `NAME=URL[,ACCESS_KEY,SECRET_KEY[,PID…]]`.
    ///
    /// # Errors
    /// When the text has another form, and as [`Target::new`].
    pub fn parse(text: &str, client: &ClientArgs) -> anyhow::Result<Self> {
        let (name, rest) = text.split_once('=').context("a target is NAME=URL,ACCESS_KEY,SECRET_KEY,PID…")?;
        let mut fields = rest.split(',');
        let url = fields.next().unwrap_or_default();
        let access_key = fields.next().unwrap_or_default();
        let secret_key = fields.next().unwrap_or_default();
        let pids: Result<Vec<u32>, _> = fields.filter(|field| !field.is_empty()).map(str::parse).collect();
        let pids = pids.with_context(|| format!("{name}: a process id is a number"))?;
        Self::new(name, url, credentials(access_key, secret_key), &pids, client)
    }

    /// A connection that makes bodies of up to `length_max` bytes; it connects at its first request.
    pub fn connection(&self, length_max: u64) -> Connection {
        let signer = self.credentials.clone().map(|credentials| Signer::new(credentials, &self.region));
        Connection::new(self.options.clone(), signer, length_max)
    }

    /// Whether requests are not signed.
    pub fn is_anonymous(&self) -> bool {
        self.credentials.is_none()
    }

    /// Region of the server.
    pub fn region(&self) -> &str {
        &self.region
    }
}

/// `None`, hence anonymous requests, when there is no access key.
pub fn credentials(access_key: &str, secret_key: &str) -> Option<Credentials> {
    (!access_key.is_empty())
        .then(|| Credentials { access_key: access_key.to_owned(), secret_key: secret_key.to_owned() })
}
