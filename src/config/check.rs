//! Settings judged together: contradictions are refused, and what was calibrated is said.

use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use super::Config;
use super::Error;
use super::units::show_size;
use crate::sys::machine::Machine;

/// What an operator should know about settings that can be used.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Values that were found for this machine.
    pub calibrated: Vec<String>,
    /// Choices that are allowed and may hurt.
    pub warnings: Vec<String>,
}

/// Credentials that other servers once shipped, and that are tried first by whoever looks for open ones.
const KNOWN_SECRETS: [&str; 5] = ["minioadmin", "rustfsadmin", "password", "changeme", "12345678"];

impl Config {
    /// Refuses contradictions, each with the way out of it.
    pub fn check(&self, machine: &Machine) -> Result<Report, Error> {
        let mut problems = Vec::new();
        self.check_volumes(&mut problems);
        self.check_credentials(&mut problems);
        let listen = &self.listen;
        if listen.address == listen.admin_address && listen.address.port() != 0 {
            problems.push(format!(
                "S3 and admin cannot both listen on {}; choose another port with --admin-address",
                listen.address
            ));
        }
        if self.memory.budget_bytes > machine.memory_bytes {
            problems.push(format!(
                "memory.budget is {}, but there are only {} of memory; lower it or leave it out",
                show_size(self.memory.budget_bytes),
                show_mebibytes(machine.memory_bytes)
            ));
        }
        match problems.is_empty() {
            true => Ok(self.report(machine)),
            false => Err(Error::new(problems)),
        }
    }

    fn check_volumes(&self, problems: &mut Vec<String>) {
        let volumes = &self.storage.volumes;
        let paths: Vec<PathBuf> = volumes.iter().map(|path| plain(path)).collect();
        for (number, path) in paths.iter().enumerate() {
            for (other, earlier) in paths.iter().enumerate().take(number) {
                let (volume, earlier_volume) = (volumes[number].display(), volumes[other].display());
                if path == earlier {
                    problems.push(format!(
                        "the volume {volume} is given twice; each volume is a directory of its own"
                    ));
                } else if path.starts_with(earlier) || earlier.starts_with(path) {
                    problems.push(format!(
                        "the volumes {earlier_volume} and {volume} lie one within the other; give them separate directories"
                    ));
                }
            }
        }
    }

    fn check_credentials(&self, problems: &mut Vec<String>) {
        let missing = match (&self.credentials.access_key, &self.credentials.secret_key) {
            (Some(_), None) => "HOLDALL_SECRET_KEY",
            (None, Some(_)) => "HOLDALL_ACCESS_KEY",
            _ => return,
        };
        problems.push(format!(
            "{missing} is not set, but the other half of the root credentials is; set both, or neither and the first \
             start generates them"
        ));
    }

    fn report(&self, machine: &Machine) -> Report {
        let mut report = Report::default();
        report.calibrated.push(format!(
            "{} worker {} on {} {}",
            self.listen.workers,
            plural(self.listen.workers, "thread", "threads"),
            machine.cores,
            plural(machine.cores, "core", "cores")
        ));
        report.calibrated.push(format!(
            "{} of {} of memory: {} cache, {} write buffers, {} uploads, {} downloads",
            show_mebibytes(self.memory.budget_bytes),
            show_mebibytes(machine.memory_bytes),
            show_mebibytes(self.memory.cache_bytes() as u64),
            show_mebibytes(self.memory.write_buffer_bytes() as u64),
            show_mebibytes(self.memory.upload_bytes() as u64),
            show_mebibytes(self.memory.download_bytes() as u64)
        ));
        self.warn(machine, &mut report.warnings);
        report
    }

    fn warn(&self, machine: &Machine, warnings: &mut Vec<String>) {
        if !self.storage.strict {
            warnings.push(
                "durability is relaxed: writes are acknowledged before they are on disk, and a power cut loses the \
                 last seconds of them; use this for scratch data only"
                    .to_owned(),
            );
        }
        if !self.listen.admin_address.ip().is_loopback() {
            warnings.push(format!(
                "health and metrics on {} can be read by everyone who reaches that address",
                self.listen.admin_address
            ));
        }
        if self.memory.budget_bytes > machine.memory_bytes / 2 {
            warnings.push(format!(
                "memory.budget takes {} of {}; the page cache serves large objects and needs room too",
                show_mebibytes(self.memory.budget_bytes),
                show_mebibytes(machine.memory_bytes)
            ));
        }
        if let Some(secret) = &self.credentials.secret_key
            && (KNOWN_SECRETS.contains(&secret.as_str())
                || self.credentials.access_key.as_ref() == Some(&**secret))
        {
            warnings.push("the root secret key is one that everybody tries first; choose another".to_owned());
        }
    }
}

const fn plural(count: usize, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

fn show_mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// The path from the root, without `.`, so that two ways of writing one directory compare equal. Links are not
/// followed: the lock in each volume finds those.
fn plain(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.components().filter(|component| *component != Component::CurDir).collect()
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
