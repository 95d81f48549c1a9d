//! What the machine has, and what this process uses of it.

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
const GROUP_LIMITS: [&str; 2] = [
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
];

impl Machine {
    /// Looks at the machine.
    pub fn observe() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let total = memory_total().unwrap_or(MEMORY_UNKNOWN_BYTES);
        let limits = GROUP_LIMITS
            .iter()
            .filter_map(|path| std::fs::read_to_string(path).ok()?.trim().parse().ok());
        Self {
            cores,
            memory_bytes: limits.fold(total, u64::min),
        }
    }
}

fn memory_total() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}
