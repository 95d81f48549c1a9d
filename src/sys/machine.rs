//! What the machine has, and what this process uses of it.

use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::Mode;
use rustix::process::Resource;
use rustix::process::Rlimit;
use rustix::process::getrlimit;
use rustix::process::setrlimit;

/// Processors and memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Processors that this process may use, at least 1.
    pub cores: usize,
    /// Memory that it may use, in bytes: the machine's, or the control group's when that is less.
    pub memory_bytes: u64,
}

/// When the kernel does not say how much memory there is.
const MEMORY_UNKNOWN_BYTES: u64 = 1 << 30;

/// Where control groups of version 2 and 1 say how much memory a container may use.
const GROUP_LIMITS: [&str; 2] = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

impl Machine {
    /// Looks at the machine.
    pub fn observe() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let total = memory_total().unwrap_or(MEMORY_UNKNOWN_BYTES);
        let limits =
            GROUP_LIMITS.iter().filter_map(|path| std::fs::read_to_string(path).ok()?.trim().parse().ok());
        Self { cores, memory_bytes: limits.fold(total, u64::min) }
    }
}

fn memory_total() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

/// What the process uses now. What the kernel does not tell is zero.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// Memory that is in RAM, in bytes.
    pub resident_bytes: u64,
    /// Processor time since the process began, in user and kernel mode.
    pub cpu: Duration,
    /// Open files and sockets.
    pub open_files: u64,
    /// Open files that are allowed.
    pub open_files_max: u64,
    /// Threads.
    pub threads: u64,
}

impl Usage {
    /// Looks at this process.
    pub fn observe() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let open_files = std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64);
        Self {
            resident_bytes: field(&status, "VmRSS:") << 10,
            cpu: cpu_time(&stat).unwrap_or_default(),
            // The directory that is being read is one of them.
            open_files: open_files.saturating_sub(1),
            open_files_max: getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX),
            threads: field(&status, "Threads:"),
        }
    }
}

/// The number behind a name in `/proc/self/status`.
fn field(status: &str, name: &str) -> u64 {
    let rest = status.lines().find_map(|line| line.strip_prefix(name));
    rest.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Fields 14 and 15 of `/proc/self/stat`, counted behind the name, which may hold anything but is in brackets.
fn cpu_time(stat: &str) -> Option<Duration> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Some(Duration::from_millis((user + kernel) * 1000 / per_second))
}

/// Raises the number of files that this process may open as far as it is allowed to; the number. A server with many
/// connections and volumes passes the usual 1,024 at once.
pub fn raise_open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum.unwrap_or(u64::MAX),
        Err(_) => limit.current.unwrap_or(u64::MAX),
    }
}

/// From here on, files and directories that this process makes can be used by its user alone.
pub fn keep_files_private() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// The file system that a path is on, for comparing two.
pub fn file_system_of(path: &Path) -> io::Result<u64> {
    Ok(rustix::fs::stat(path)?.st_dev)
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
