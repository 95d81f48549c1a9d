//! What a person sees when the server is ready: where data lives, where it listens, how to connect.

use std::fmt;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;

use super::credentials::Origin;
use super::credentials::Root;
use super::plan::Absent;
use super::volumes::Opened;
use crate::config::Config;
use crate::sys::disk::Space;
use crate::sys::machine;
use crate::volume::VolumeState;

/// The lines. Once in the life of a deployment they hold the secret key: print them, never log them.
pub struct Greeting {
    volumes: Vec<(PathBuf, Option<Space>)>,
    warnings: Vec<String>,
    copies: usize,
    active: usize,
    is_strict: bool,
    is_new: bool,
    region: String,
    address: SocketAddr,
    admin_address: SocketAddr,
    access_key: String,
    secret_key: Option<String>,
    origin: Origin,
}

impl Greeting {
    pub(super) fn new(
        config: &Config,
        opened: &Opened,
        root: &Root,
        (address, admin_address): (SocketAddr, SocketAddr),
    ) -> Self {
        let spaces = opened.volumes.iter().map(|volume| volume.space().ok());
        let volumes = opened.roots().into_iter().zip(spaces);
        let active = opened.roster.belonging().filter(|member| member.state == VolumeState::Active).count();
        let absent = opened.absent.iter().map(|one| {
            let Absent { volume, path, reason } = one;
            format!("the volume {volume} is absent: {}: {reason}", path.display())
        });
        let is_made = matches!(root.origin, Origin::Made(_));
        Self {
            volumes: volumes.collect(),
            warnings: absent.chain(shared_file_systems(&opened.roots())).collect(),
            copies: config.storage.copies().min(active),
            active,
            is_strict: config.storage.strict,
            is_new: opened.is_new,
            region: config.s3.region.clone(),
            address,
            admin_address,
            access_key: root.access_key.clone(),
            secret_key: is_made.then(|| root.secret_key.expose().to_owned()),
            origin: root.origin.clone(),
        }
    }

    /// How many copies there are, on how many volumes: of all that belong, also those that were not given.
    pub fn copies(&self) -> String {
        copies_on(self.copies, self.active)
    }

    /// What an operator should change.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// One line that makes a bucket. The secret is in it only when this start made it; otherwise the shell finds it
    /// where it is kept.
    fn connect(&self) -> String {
        let secret = match (&self.origin, &self.secret_key) {
            (_, Some(secret)) => secret.clone(),
            (Origin::Kept(path) | Origin::Made(path), None) => {
                format!("\"$(sed -n 's/^secret_key = \"\\(.*\\)\"/\\1/p' {})\"", quoted(path))
            }
            (Origin::Configured, None) => "\"$HOLDALL_SECRET_KEY\"".to_owned(),
        };
        format!(
            "AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={secret} AWS_DEFAULT_REGION={} aws --endpoint-url http://{} s3 \
             mb s3://first-bucket",
            self.access_key,
            self.region,
            reachable(self.address)
        )
    }

    fn write_credentials(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.origin, &self.secret_key) {
            (Origin::Made(path), Some(secret_key)) => {
                writeln!(f, "\nRoot credentials, made now and kept in {}.", path.display())?;
                writeln!(f, "The secret key is not shown again:\n")?;
                writeln!(f, "  access key   {}", self.access_key)?;
                writeln!(f, "  secret key   {secret_key}")
            }
            (Origin::Kept(path) | Origin::Made(path), _) => {
                writeln!(f, "  root user    {} (secret key in {})", self.access_key, path.display())
            }
            (Origin::Configured, _) => writeln!(f, "  root user    {} (as configured)", self.access_key),
        }
    }
}

impl fmt::Display for Greeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let new = if self.is_new { ", a new deployment" } else { "" };
        writeln!(f, "Holdall {}{new}\n", env!("CARGO_PKG_VERSION"))?;
        for (number, (path, space)) in self.volumes.iter().enumerate() {
            let title = if number == 0 { "data" } else { "" };
            match space {
                Some(space) => writeln!(
                    f,
                    "  {title:<12} {}  ({} free of {})",
                    path.display(),
                    show(space.available_bytes),
                    show(space.total_bytes)
                )?,
                None => writeln!(f, "  {title:<12} {}", path.display())?,
            }
        }
        let copies = if self.copies == 1 { "1 copy" } else { &format!("{} copies", self.copies) };
        writeln!(f, "  {:<12} {copies} of each part", "copies")?;
        match self.is_strict {
            true => writeln!(f, "  {:<12} strict: what is acknowledged survives a power cut", "durability")?,
            false => {
                writeln!(f, "  {:<12} RELAXED: A POWER CUT LOSES THE LAST SECONDS OF WRITES", "durability")?
            }
        }
        writeln!(f, "  {:<12} http://{}  (region {})", "S3", self.address, self.region)?;
        writeln!(
            f,
            "  {:<12} http://{}  (/health/live, /health/ready, /metrics)",
            "admin", self.admin_address
        )?;
        self.write_credentials(f)?;
        writeln!(f, "\nMake a bucket:\n\n  {}\n", self.connect())
    }
}

fn copies_on(copies: usize, volumes: usize) -> String {
    let plural = |count: usize, one, many| if count == 1 { one } else { many };
    format!(
        "{copies} {} of each part on {volumes} {}",
        plural(copies, "copy", "copies"),
        plural(volumes, "volume", "volumes")
    )
}

/// Volumes whose copies would be lost together, a line for each file system with several.
fn shared_file_systems(volumes: &[PathBuf]) -> Vec<String> {
    let systems: Vec<Option<u64>> = volumes.iter().map(|path| machine::file_system_of(path).ok()).collect();
    let mut lines = Vec::new();
    for (number, system) in systems.iter().enumerate() {
        let on_it = systems.iter().zip(volumes).filter(|(other, _)| *other == system);
        let on_it: Vec<String> = on_it.map(|(_, path)| path.display().to_string()).collect();
        if system.is_some() && on_it.len() > 1 && !systems[..number].contains(system) {
            let on_it = on_it.join(", ");
            lines.push(format!("{on_it} are on the same file system: their copies are lost together"));
        }
    }
    lines
}

/// An address that a client on this machine can use.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    match text.bytes().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// A size with one digit behind the point.
fn show(bytes: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20)];
    match units.into_iter().find(|(_, shift)| bytes >> shift > 0) {
        Some((unit, shift)) => format!("{:.1} {unit}", bytes as f64 / (1_u64 << shift) as f64),
        None => format!("{} KiB", bytes >> 10),
    }
}

#[cfg(test)]
#[path = "greeting_tests.rs"]
mod tests;
