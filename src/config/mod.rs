//! Settings: one typed struct per concern, read from defaults, file, environment and flags, then judged once.
//!
//! What is always true:
//! - Every setting stands once in [`SETTINGS`] with its key, variable, flag, meaning and bounds; what reads it from
//!   a file, from the environment or from the command line is the same code, and so is the message of a refusal.
//! - No text survives to be parsed later: a [`Config`] holds values within their bounds.
//! - [`Config::check`] refuses settings that contradict each other and says what was calibrated for this machine.
//! - A secret key is in no `Debug` output and in no message.
//!
//! `cli` loads it; every room reads the struct of its concern. It knows no room above it and changes nothing: what
//! can be changed while the server runs is not here.

mod braces;
mod check;
mod credentials;
mod error;
mod given;
mod limits;
mod listen;
mod load;
mod memory;
mod settings;
mod storage;
mod units;
mod wire;

pub use check::Report;
pub use credentials::ACCESS_KEY_LENGTH;
pub use credentials::Credentials;
pub use credentials::SECRET_KEY_LENGTH;
pub use credentials::read_credentials_file;
pub use credentials::write_credentials_file;
pub use error::Error;
pub use limits::Limits;
pub use listen::Listen;
pub use load::Loaded;
pub use load::Sources;
pub use load::load;
pub use memory::Memory;
pub use settings::SETTINGS;
pub use settings::Setting;
pub use storage::Jobs;
pub use storage::Storage;
pub use units::parse_duration;
pub use units::parse_size;
pub use units::show_duration;
pub use units::show_size;
pub use wire::Level;
pub use wire::Log;
pub use wire::S3;

use crate::sys::machine::Machine;

/// Everything an operator may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where it listens, and with how many threads.
    pub listen: Listen,
    /// Where data lives, and in how many copies.
    pub storage: Storage,
    /// How much memory is used for what.
    pub memory: Memory,
    /// What a client may ask of the server.
    pub limits: Limits,
    /// How the server appears to clients.
    pub s3: S3,
    /// The root user.
    pub credentials: Credentials,
    /// Background work.
    pub jobs: Jobs,
    /// What is logged.
    pub log: Log,
}

impl Config {
    /// The defaults on `machine`.
    pub fn defaults(machine: &Machine) -> Self {
        Self {
            listen: Listen::defaults(machine),
            storage: Storage::default(),
            memory: Memory::defaults(machine),
            limits: Limits::default(),
            s3: S3::default(),
            credentials: Credentials::default(),
            jobs: Jobs::default(),
            log: Log::default(),
        }
    }
}
