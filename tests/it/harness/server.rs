//! The whole server, in this process, on directories of its own.

use std::net::SocketAddr;
use std::path::PathBuf;

use holdall::config::Config;
use holdall::server;
use holdall::server::Running;
use holdall::sys::machine::Machine;
use tempfile::TempDir;

use super::client::Client;

/// Keys of the root user of every test server.
pub const ACCESS_KEY: &str = "tester";
/// Its secret.
pub const SECRET_KEY: &str = "tester-secret-key";

/// A running server; stopped, and its data removed, when dropped.
pub struct Server {
    running: Option<Running>,
    config: Config,
    directory: TempDir,
}

impl Server {
    /// One volume, defaults.
    pub fn start() -> Self {
        Self::with(1, |_| {})
    }

    /// So many volumes, and settings as `adjust` leaves them.
    pub fn with(volumes: usize, adjust: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::defaults(&Machine::observe());
        config.listen.address = SocketAddr::from(([127, 0, 0, 1], 0));
        config.listen.admin_address = config.listen.address;
        config.listen.workers = 2;
        config.memory.budget_bytes = 64 << 20;
        config.storage.volumes =
            (0..volumes).map(|number| directory.path().join(number.to_string())).collect();
        config.credentials.access_key = Some(ACCESS_KEY.to_owned());
        config.credentials.secret_key = Some(SECRET_KEY.to_owned().into());
        adjust(&mut config);
        for volume in &config.storage.volumes {
            std::fs::create_dir_all(volume).unwrap();
        }
        let mut server = Self { running: None, config, directory };
        server.resume();
        server
    }

    /// A client with the keys of the root user.
    pub fn client(&self) -> Client {
        Client::new(self.address(), ACCESS_KEY, SECRET_KEY)
    }

    /// A client for a new bucket, which is there already.
    pub fn client_with_bucket(&self, bucket: &str) -> Client {
        let client = self.client();
        let reply = client.put(&format!("/{bucket}"), "");
        assert_eq!(reply.status, 200, "{reply:?}");
        client
    }

    /// Where S3 is served; another port after every [`Self::resume`].
    pub fn address(&self) -> SocketAddr {
        self.running.as_ref().unwrap().address
    }

    /// Its settings.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Where health and metrics are served.
    pub fn admin_address(&self) -> SocketAddr {
        self.running.as_ref().unwrap().admin_address
    }

    /// The directory of a volume.
    pub fn volume(&self, number: usize) -> PathBuf {
        self.directory.path().join(number.to_string())
    }

    /// Stops it in order; the data stays.
    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(running.stop());
        }
    }

    /// Starts it on the data that is there.
    pub fn resume(&mut self) {
        assert!(self.running.is_none(), "it runs");
        let (running, _) = server::start(&self.config).unwrap_or_else(|error| panic!("no start: {error}"));
        self.running = Some(running);
    }

    /// Stops and starts it.
    pub fn restart(&mut self) {
        self.stop();
        self.resume();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
