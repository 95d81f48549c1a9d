//! What `/proc` tells of the server's processes, this one, and the machine (proc(5)).

use std::fs::OpenOptions;
use std::fs::read_to_string;
use std::io::Write as _;

/// CPU time spent so far, in seconds of one core.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CpuTimes {
    /// By the server's processes, user and system, threads included.
    pub server: f64,
    /// By this process.
    pub client: f64,
    /// By all cores for anything, time stolen by a hypervisor included.
    pub busy: f64,
    /// Everything, idleness included.
    pub total: f64,
}

impl CpuTimes {
    /// What was spent between `earlier` and this.
    pub fn since(self, earlier: CpuTimes) -> CpuTimes {
        CpuTimes {
            server: self.server - earlier.server,
            client: self.client - earlier.client,
            busy: self.busy - earlier.busy,
            total: self.total - earlier.total,
        }
    }
}

/// The server's processes.
pub struct Processes {
    given: Vec<u32>,
    children: bool,
    ticks_per_second: f64,
}

impl Processes {
    /// The given processes, with those they started when `children`.
    pub fn new(given: &[u32], children: bool) -> Self {
        let ticks_per_second = rustix::param::clock_ticks_per_second() as f64;
        Self { given: given.to_vec(), children, ticks_per_second }
    }

    /// Whether there is nothing to watch.
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// Those of the given processes that do not exist.
    pub fn missing(&self) -> Vec<u32> {
        let alive = |pid: &u32| read_to_string(format!("/proc/{pid}/stat")).is_ok();
        self.given.iter().copied().filter(|pid| !alive(pid)).collect()
    }

    /// CPU time so far. What cannot be read counts as nothing.
    pub fn cpu(&self) -> CpuTimes {
        let ticks = |pid: &str| {
            let stat = read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            process_ticks(&stat).unwrap_or(0)
        };
        let server: u64 = self.all().iter().map(|pid| ticks(&pid.to_string())).sum();
        let (busy, total) = machine_ticks(&read_to_string("/proc/stat").unwrap_or_default());
        CpuTimes {
            server: server as f64 / self.ticks_per_second,
            client: ticks("self") as f64 / self.ticks_per_second,
            busy: busy as f64 / self.ticks_per_second,
            total: total as f64 / self.ticks_per_second,
        }
    }

    /// Makes the peak of resident memory begin anew; says whether it could for all.
    pub fn reset_peak(&self) -> bool {
        let mut all = true;
        for pid in self.all() {
            let path = format!("/proc/{pid}/clear_refs");
            let file = OpenOptions::new().write(true).open(path);
            all &= file.and_then(|mut file| file.write_all(b"5")).is_ok();
        }
        all
    }

    /// Peak and present resident memory in KiB, summed over the processes.
    pub fn resident_kib(&self) -> (u64, u64) {
        let statuses =
            self.all().into_iter().filter_map(|pid| read_to_string(format!("/proc/{pid}/status")).ok());
        statuses.fold((0, 0), |(peak, now), status| {
            let of = |name| field_kib(&status, name).unwrap_or(0);
            (peak + of("VmHWM:"), now + of("VmRSS:"))
        })
    }

    fn all(&self) -> Vec<u32> {
        let mut all = self.given.clone();
        let mut at = 0;
        while self.children && at < all.len() {
            let children = children_of(all[at]).into_iter().filter(|child| !all.contains(child));
            let children: Vec<u32> = children.collect();
            all.extend(children);
            at += 1;
        }
        all
    }
}

fn children_of(pid: u32) -> Vec<u32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let lists = tasks.flatten().filter_map(|task| read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// User and system time of `/proc/<pid>/stat`: fields 14 and 15, counted from behind the name, which may hold
/// anything.
fn process_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Busy and total time of the first line of `/proc/stat`. Guests' time is part of the user's.
fn machine_ticks(stat: &str) -> (u64, u64) {
    let line = stat.lines().next().unwrap_or_default();
    let fields: Vec<u64> =
        line.split_whitespace().skip(1).take(8).filter_map(|field| field.parse().ok()).collect();
    let total: u64 = fields.iter().sum();
    let idle: u64 = fields.iter().skip(3).take(2).sum();
    (total - idle, total)
}

fn field_kib(status: &str, name: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;
