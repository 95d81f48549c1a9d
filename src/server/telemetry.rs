//! The log: to standard error, so that standard output stays for what a person asked for.

use std::io::IsTerminal as _;
use std::panic::PanicHookInfo;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::Level;
use crate::config::Log;

/// Where the access log says its lines come from (`http::access_log`).
const ACCESS: &str = "holdall::access";

/// Starts logging for the whole process; once.
///
/// Libraries are heard from `warn` on, and when this server is debugged from `info` on, never below: what they print
/// there includes headers, and with them signatures.
///
/// # Errors
/// Somebody else has started logging.
pub fn start(log: &Log) -> Result<(), String> {
    let level = level(log.level);
    let access = if log.access || level >= LevelFilter::DEBUG { LevelFilter::INFO } else { LevelFilter::OFF };
    let libraries =
        if level >= LevelFilter::DEBUG { LevelFilter::INFO } else { level.min(LevelFilter::WARN) };
    let filter = Targets::new()
        .with_default(libraries)
        .with_target(env!("CARGO_PKG_NAME"), level)
        .with_target(ACCESS, access);
    let registry = tracing_subscriber::registry().with(filter);
    let started = match log.json {
        true => {
            registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init()
        }
        false => {
            let is_terminal = std::io::stderr().is_terminal();
            registry.with(fmt::layer().with_ansi(is_terminal).with_writer(std::io::stderr)).try_init()
        }
    };
    started.map_err(|error| error.to_string())?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// A panic is a line of the log like any other, so that it is found where errors are looked for.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let backtrace = std::backtrace::Backtrace::capture();
    let message = panic.payload_as_str().unwrap_or("(no message)");
    tracing::error!(place, %backtrace, "a thread panicked: {message}");
}

const fn level(level: Level) -> LevelFilter {
    match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    }
}
