//! A running server, asked over its admin API.
//!
//! `volume`, `job` and `status` use it. What is always true: an error says what was asked of whom, what came of it, and
//! what to do, in one paragraph.

mod credentials;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use anyhow::anyhow;
use anyhow::bail;
use clap::Args;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::admin::wire;
use crate::cli::bench::client::Body;
use crate::cli::bench::client::Call;
use crate::cli::bench::client::Connection;
use crate::cli::bench::client::Endpoint;
use crate::cli::bench::client::Failure;
use crate::cli::bench::client::Keep;
use crate::cli::bench::client::Options;
use crate::cli::bench::client::Signer;

/// How long an answer may take. A change of membership waits for every disk.
const ANSWER_TIME: Duration = Duration::from_secs(60);

/// How to reach a server, as whom, and the form of what is printed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options for every command")]
pub(super) struct RemoteArgs {
    /// Address and port of the server's admin listener
    #[arg(
        long,
        value_name = "HOST:PORT",
        env = "HOLDALL_ADMIN_ADDRESS",
        default_value = "127.0.0.1:9001",
        global = true
    )]
    admin_address: String,
    /// File with the root credentials [default: HOLDALL_ACCESS_KEY and HOLDALL_SECRET_KEY, or
    /// ./data/credentials.toml when there is one]
    #[arg(long, value_name = "FILE", global = true)]
    credentials: Option<PathBuf>,
    /// Region that requests are signed for
    #[arg(long, value_name = "NAME", env = "HOLDALL_REGION", default_value = "us-east-1", global = true)]
    region: String,
    /// Print JSON, as the admin API answers
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// A running server.
pub(super) struct Remote {
    runtime: tokio::runtime::Runtime,
    connection: Connection,
    address: String,
}

/// A request without a body.
pub(super) const NOTHING: Option<&()> = None;

impl Remote {
    /// The server that the arguments name; it is connected to by the first request.
    ///
    /// # Errors
    /// There are no credentials, or the address is none.
    pub(super) fn new(args: &RemoteArgs) -> anyhow::Result<Self> {
        let credentials = credentials::find(args.credentials.as_deref())?;
        let endpoint = Endpoint::parse(&format!("http://{}", args.admin_address))
            .map_err(|_| anyhow!("--admin-address: not an address with a port: {}", args.admin_address))?;
        let options = Options {
            endpoint: Rc::new(endpoint),
            sign_payload: true,
            quickack: false,
            content_type: Some("application/json"),
        };
        let signer = Signer::new(credentials, &args.region);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self {
            runtime: runtime.context("no runtime")?,
            connection: Connection::new(options, Some(signer), 0),
            address: args.admin_address.clone(),
        })
    }

    /// GET: the document at `path`.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub(super) fn get<T: DeserializeOwned>(&mut self, path: &str) -> anyhow::Result<T> {
        self.send("GET", (path, ""), NOTHING)?;
        self.answer()
    }

    /// Asks for a change, and reads the document that it answers.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub(super) fn change<T: DeserializeOwned>(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> anyhow::Result<T> {
        self.send(method, (path, ""), body)?;
        self.answer()
    }

    /// The same of an action with parameters and no body.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub(super) fn act<T: DeserializeOwned>(&mut self, path: &str, query: &str) -> anyhow::Result<T> {
        self.send("POST", (path, query), NOTHING)?;
        self.answer()
    }

    /// DELETE.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub(super) fn delete(&mut self, path: &str, query: &str) -> anyhow::Result<()> {
        self.send("DELETE", (path, query), NOTHING)
    }

    fn send(
        &mut self,
        method: &str,
        (path, query): (&str, &str),
        body: Option<&impl Serialize>,
    ) -> anyhow::Result<()> {
        let body =
            body.map(serde_json::to_vec).transpose().context("the request cannot be written as JSON")?;
        let body = body.as_deref().map_or(Body::Empty, Body::Bytes);
        let call = Call { method, path, query, body, keep: Keep::Body };
        let mut sent = self.once(&call);
        // The server ends connections that nobody used for a while; what only reads may be asked again.
        if method == "GET" && matches!(sent, Ok(Err(Failure::Connection(_)))) {
            sent = self.once(&call);
        }
        let address = &self.address;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Failure::Status(status, _))) => Err(self.refusal(status)),
            Ok(Err(Failure::Connection(kind))) => bail!(
                "the server's admin listener cannot be reached at {address}: {kind}. Is the server running? Say with \
                 --admin-address where its admin listener is"
            ),
            Ok(Err(failure)) => {
                bail!("{address} does not answer as a Holdall admin listener does: {failure}")
            }
            Err(_) => bail!("no answer from {address} within {} seconds", ANSWER_TIME.as_secs()),
        }
    }

    fn once(&mut self, call: &Call<'_>) -> Result<Result<(), Failure>, tokio::time::error::Elapsed> {
        let Self { runtime, connection, .. } = self;
        runtime.block_on(async {
            let sent = tokio::time::timeout(ANSWER_TIME, connection.send(call)).await?;
            Ok(sent.map(drop))
        })
    }

    fn answer<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        serde_json::from_slice(self.connection.body()).with_context(|| {
            format!("{} answered with something else than this release understands", self.address)
        })
    }

    /// The server's own words, and what to do where that is a matter of this command.
    fn refusal(&self, status: u16) -> anyhow::Error {
        let Ok(error) = serde_json::from_slice::<wire::Error>(self.connection.body()) else {
            return anyhow!(
                "{} answered with status {status} and without a reason; is it the admin listener? The S3 listener is \
                 another",
                self.address
            );
        };
        match error.code.as_str() {
            "InvalidAccessKeyId" | "SignatureDoesNotMatch" => anyhow!(
                "the server does not know these credentials ({}); give those of the root user with HOLDALL_ACCESS_KEY \
                 and HOLDALL_SECRET_KEY, or the file that keeps them with --credentials",
                error.code
            ),
            _ => anyhow!("{}", error.message),
        }
    }
}
