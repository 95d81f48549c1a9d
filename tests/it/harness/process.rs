//! The program itself: a server in a process of its own, and commands that ask it.

use std::io::BufRead as _;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use tempfile::TempDir;

use super::client::Client;
use super::server::ACCESS_KEY;
use super::server::SECRET_KEY;

/// A server in a process of its own; killed, and its data removed, when dropped.
pub struct Process {
    child: Child,
    address: SocketAddr,
    admin_address: SocketAddr,
    directory: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Process {
    /// So many volumes, and options of `holdall serve`.
    pub fn start(volumes: usize, options: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdall"));
        command.args(["serve", "--address", "127.0.0.1:0", "--admin-address", "127.0.0.1:0"]).args(options);
        command.args((0..volumes).map(|number| directory.path().join(number.to_string())));
        command.env_clear().env("HOLDALL_ACCESS_KEY", ACCESS_KEY).env("HOLDALL_SECRET_KEY", SECRET_KEY);
        command.env("HOLDALL_MEMORY_BUDGET", "64MiB").env("HOLDALL_WORKERS", "2");
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut listens = |title: &str| {
            let line = lines.find_map(|line| line.ok().filter(|line| line.trim_start().starts_with(title)));
            let line = line.unwrap_or_else(|| panic!("it did not say where {title} is"));
            line.split("http://").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
        };
        let (address, admin_address) = (listens("S3"), listens("admin"));
        Self { child, address, admin_address, directory }
    }

    /// Where a volume is, or would be.
    pub fn volume(&self, number: usize) -> PathBuf {
        self.directory.path().join(number.to_string())
    }

    /// An S3 client of the root user.
    pub fn s3(&self) -> Client {
        Client::new(self.address, ACCESS_KEY, SECRET_KEY)
    }

    /// A client of the admin listener.
    pub fn admin(&self) -> Client {
        Client::new(self.admin_address, ACCESS_KEY, SECRET_KEY)
    }

    /// A command that knows where the server is and who the root user is.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.stranger(arguments);
        command.env("HOLDALL_ACCESS_KEY", ACCESS_KEY).env("HOLDALL_SECRET_KEY", SECRET_KEY);
        command
    }

    /// A command that knows where the server is, and has no credentials.
    pub fn stranger(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdall"));
        command.args(arguments).env_clear().current_dir(self.directory.path()).stdin(Stdio::null());
        command.env("HOLDALL_ADMIN_ADDRESS", self.admin_address.to_string());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        ended(&mut self.command(arguments))
    }

    /// Runs a command that must succeed; what it printed.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
        ended.out
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end.
pub fn ended(command: &mut Command) -> Ended {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
}

/// A path as an argument.
pub fn argument(path: &Path) -> &str {
    path.to_str().unwrap()
}
