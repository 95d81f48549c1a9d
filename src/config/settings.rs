//! The table of all settings.

use super::Config;
use super::given::Given;
use super::wire::Level;

/// One setting: how it is called in each source, what it does, what is allowed.
pub struct Setting {
    /// Section and name in the configuration file.
    pub key: &'static str,
    /// The environment variable.
    pub variable: &'static str,
    /// The option of `holdall serve`, where there is one.
    pub flag: Option<&'static str>,
    /// Its effect, in one sentence.
    pub meaning: &'static str,
    /// The default as an operator would write it, or how it is found.
    pub default: &'static str,
    /// What may be said: kind, unit, bounds.
    pub allowed: &'static str,
    /// Whether it is a list: an array in the file, separated by commas in the variable.
    pub many: bool,
    /// Takes the value over; `None` when it is not allowed.
    pub(super) apply: fn(&mut Config, &Given) -> Option<()>,
}

/// A setting without a flag that takes one value.
const PLAIN: Setting = Setting {
    key: "",
    variable: "",
    flag: None,
    meaning: "",
    default: "",
    allowed: "",
    many: false,
    apply: |_, _| None,
};

/// All settings, in the order of [`Config`].
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "listen.address",
        variable: "HOLDALL_ADDRESS",
        flag: Some("--address"),
        meaning: "Address and port of the S3 listener; port 0 lets the kernel choose",
        default: "127.0.0.1:9000",
        allowed: "an IP address with a port, such as 0.0.0.0:9000 or [::]:9000",
        apply: |config, given| given.parsed().map(|address| config.listen.address = address),
        ..PLAIN
    },
    Setting {
        key: "listen.admin_address",
        variable: "HOLDALL_ADMIN_ADDRESS",
        flag: Some("--admin-address"),
        meaning: "Address and port of the admin listener: health, metrics and the admin API",
        default: "127.0.0.1:9001",
        allowed: "an IP address with a port, such as 127.0.0.1:9001",
        apply: |config, given| given.parsed().map(|address| config.listen.admin_address = address),
        ..PLAIN
    },
    Setting {
        key: "listen.workers",
        variable: "HOLDALL_WORKERS",
        meaning: "Threads that serve requests",
        default: "one per core",
        allowed: "a number from 1 to 256",
        apply: |config, given| given.number(1..=256).map(|workers| config.listen.workers = workers),
        ..PLAIN
    },
    Setting {
        key: "listen.shutdown_grace",
        variable: "HOLDALL_SHUTDOWN_GRACE",
        meaning: "How long running requests may take to end after SIGTERM",
        default: "30s",
        allowed: "a duration from 0s to 10m",
        apply: |config, given| given.duration(0..=600).map(|span| config.listen.shutdown_grace = span),
        ..PLAIN
    },
    Setting {
        key: "storage.volumes",
        variable: "HOLDALL_VOLUMES",
        flag: Some("VOLUME"),
        meaning: "Directories that hold the data, each on a disk of its own; /mnt/disk{1...4} stands for four",
        default: "./data",
        allowed: "one or more paths",
        many: true,
        apply: super::storage::apply_volumes,
    },
    Setting {
        key: "storage.replicas",
        variable: "HOLDALL_REPLICAS",
        flag: Some("--replicas"),
        meaning: "Copies of each part, on different volumes",
        default: "3, or the number of volumes when that is less",
        allowed: "a number from 1 to the number of volumes",
        apply: |config, given| given.number(1..=256).map(|replicas| config.storage.replicas = Some(replicas)),
        ..PLAIN
    },
    Setting {
        key: "storage.durability",
        variable: "HOLDALL_DURABILITY",
        flag: Some("--durability"),
        meaning: "strict: acknowledged writes survive a power cut; relaxed: the last seconds before one may be lost",
        default: "strict",
        allowed: "strict or relaxed",
        apply: |config, given| {
            given.choice(&[("strict", true), ("relaxed", false)]).map(|strict| config.storage.strict = strict)
        },
        ..PLAIN
    },
    Setting {
        key: "storage.inline_limit",
        variable: "HOLDALL_INLINE_LIMIT",
        meaning: "Objects up to this size live with their metadata instead of in a file",
        default: "32KiB",
        allowed: "a size from 0 to 256KiB",
        apply: |config, given| {
            given.size(0..=256 << 10).map(|bytes| config.storage.inline_limit = bytes as usize)
        },
        ..PLAIN
    },
    Setting {
        key: "storage.volume_out_after",
        variable: "HOLDALL_VOLUME_OUT_AFTER",
        meaning: "How long a volume may be away before its copies are made on others",
        default: "10m",
        allowed: "a duration from 10s to 30d",
        apply: |config, given| {
            given.duration(10..=30 * 86_400).map(|span| config.storage.volume_out_after = span)
        },
        ..PLAIN
    },
    Setting {
        key: "memory.budget",
        variable: "HOLDALL_MEMORY_BUDGET",
        meaning: "Memory for caches, write buffers, uploads and downloads together",
        default: "1/8 of the memory, at least 128MiB and at most 4GiB",
        allowed: "a size from 64MiB to 1TiB",
        apply: |config, given| given.size(64 << 20..=1 << 40).map(|bytes| config.memory.budget_bytes = bytes),
        ..PLAIN
    },
    Setting {
        key: "limits.connections_max",
        variable: "HOLDALL_CONNECTIONS_MAX",
        meaning: "Connections to the S3 listener at once",
        default: "10000",
        allowed: "a number from 16 to 1000000",
        apply: |config, given| {
            given.number(16..=1_000_000).map(|number| config.limits.connections_max = number)
        },
        ..PLAIN
    },
    Setting {
        key: "limits.header_bytes_max",
        variable: "HOLDALL_HEADER_BYTES_MAX",
        meaning: "Request line and headers together",
        default: "64KiB",
        allowed: "a size from 16KiB to 128KiB",
        apply: |config, given| {
            given.size(16 << 10..=128 << 10).map(|bytes| config.limits.header_bytes_max = bytes as usize)
        },
        ..PLAIN
    },
    Setting {
        key: "limits.headers_max",
        variable: "HOLDALL_HEADERS_MAX",
        meaning: "Headers of a request",
        default: "200",
        allowed: "a number from 32 to 256",
        apply: |config, given| given.number(32..=256).map(|number| config.limits.headers_max = number),
        ..PLAIN
    },
    Setting {
        key: "limits.header_timeout",
        variable: "HOLDALL_HEADER_TIMEOUT",
        meaning: "Time from the first byte of a request to the end of its headers",
        default: "30s",
        allowed: "a duration from 1s to 10m",
        apply: |config, given| given.duration(1..=600).map(|span| config.limits.header_timeout = span),
        ..PLAIN
    },
    Setting {
        key: "limits.body_idle_timeout",
        variable: "HOLDALL_BODY_IDLE_TIMEOUT",
        meaning: "Time without a byte of a body, in either direction",
        default: "30s",
        allowed: "a duration from 1s to 1h",
        apply: |config, given| given.duration(1..=3600).map(|span| config.limits.body_idle_timeout = span),
        ..PLAIN
    },
    Setting {
        key: "limits.keep_alive",
        variable: "HOLDALL_KEEP_ALIVE",
        meaning: "Time that a connection may stay open between two requests",
        default: "75s",
        allowed: "a duration from 1s to 1h",
        apply: |config, given| given.duration(1..=3600).map(|span| config.limits.keep_alive = span),
        ..PLAIN
    },
    Setting {
        key: "s3.region",
        variable: "HOLDALL_REGION",
        flag: Some("--region"),
        meaning: "Region that buckets are in",
        default: "us-east-1",
        allowed: "1 to 32 lower-case letters, digits and hyphens",
        apply: super::wire::apply_region,
        ..PLAIN
    },
    Setting {
        key: "s3.domains",
        variable: "HOLDALL_DOMAIN",
        flag: Some("--domain"),
        meaning: "Domains under which a bucket may be part of the host name: bucket.s3.example.com for s3.example.com",
        default: "",
        allowed: "domain names without scheme, port or leading dot, such as s3.example.com",
        many: true,
        apply: super::wire::apply_domains,
    },
    Setting {
        key: "s3.any_region",
        variable: "HOLDALL_ANY_REGION",
        meaning: "Accept signatures made for another region",
        default: "true",
        allowed: "true or false",
        apply: |config, given| given.truth().map(|any| config.s3.any_region = any),
        ..PLAIN
    },
    Setting {
        key: "credentials.access_key",
        variable: "HOLDALL_ACCESS_KEY",
        meaning: "Access key of the root user",
        default: "generated at the first start",
        allowed: "3 to 128 letters, digits, hyphens, dots and underscores",
        apply: super::credentials::apply_access_key,
        ..PLAIN
    },
    Setting {
        key: "credentials.secret_key",
        variable: "HOLDALL_SECRET_KEY",
        meaning: "Secret key of the root user",
        default: "generated at the first start",
        allowed: "8 to 128 visible ASCII characters",
        apply: super::credentials::apply_secret_key,
        ..PLAIN
    },
    Setting {
        key: "jobs.sweep_interval",
        variable: "HOLDALL_SWEEP_INTERVAL",
        meaning: "Rest between two searches for files that a crash left behind",
        default: "6h",
        allowed: "a duration from 1m to 30d",
        apply: |config, given| given.duration(60..=30 * 86_400).map(|span| config.jobs.sweep_interval = span),
        ..PLAIN
    },
    Setting {
        key: "jobs.scrub_interval",
        variable: "HOLDALL_SCRUB_INTERVAL",
        meaning: "In which time every copy of every part is read and verified",
        default: "7d",
        allowed: "a duration from 1h to 365d",
        apply: |config, given| {
            given.duration(3600..=365 * 86_400).map(|span| config.jobs.scrub_interval = span)
        },
        ..PLAIN
    },
    Setting {
        key: "log.level",
        variable: "HOLDALL_LOG_LEVEL",
        flag: Some("--log-level"),
        meaning: "From which importance on messages are logged",
        default: "info",
        allowed: "error, warn, info, debug or trace",
        apply: |config, given| given.choice(LEVELS).map(|level| config.log.level = level),
        ..PLAIN
    },
    Setting {
        key: "log.format",
        variable: "HOLDALL_LOG_FORMAT",
        flag: Some("--log-format"),
        meaning: "Form of the log on standard error",
        default: "text",
        allowed: "text or json",
        apply: |config, given| {
            given.choice(&[("text", false), ("json", true)]).map(|json| config.log.json = json)
        },
        ..PLAIN
    },
    Setting {
        key: "log.access",
        variable: "HOLDALL_LOG_ACCESS",
        meaning: "Log a line for every request, whatever the level",
        default: "false",
        allowed: "true or false",
        apply: |config, given| given.truth().map(|access| config.log.access = access),
        ..PLAIN
    },
];

const LEVELS: &[(&str, Level)] = &[
    ("error", Level::Error),
    ("warn", Level::Warn),
    ("info", Level::Info),
    ("debug", Level::Debug),
    ("trace", Level::Trace),
];

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
