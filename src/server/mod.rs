//! The composition root: the one place that knows every room, opens everything in order and shuts down in reverse.
//!
//! ```text
//!   listeners bound ─▶ volumes locked ─▶ planned ─▶ metadata ─▶ volumes ─▶ credentials ─▶ store ─▶ jobs, S3, admin
//! ```
//! Volumes of the deployment that are not there do not keep it from starting, as long as the metadata is known to be whole.
//!
//! What is always true:
//! - What can fail without a trace comes first: nothing is formatted and no credentials are made while an address is
//!   taken or another process holds a volume.
//! - Whether volumes are formatted is decided by [`plan`] alone, a pure function: a directory that lost its data is
//!   refused, never formatted anew.
//! - A secret leaves this room once: printed by the start that generated it.
//!
//! `cli` calls it.

pub mod check;
mod control;
mod credentials;
mod error;
mod form;
mod greeting;
mod observe;
mod plan;
mod roster;
pub mod telemetry;
mod volumes;

use std::net::SocketAddr;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use crate::admin;
use crate::admin::Admin;
use crate::admin::Door;
use crate::auth;
use crate::auth::Verifier;
use crate::config::Config;
use crate::http;
use crate::http::pipeline::Pipeline;
use crate::jobs::Metadata;
use crate::jobs::Rebalance;
use crate::jobs::Reclaimer;
use crate::jobs::Repair;
use crate::jobs::Scrub;
use crate::jobs::Sweep;
use crate::jobs::SweepSettings;
use crate::jobs::worker::Job;
use crate::jobs::worker::Jobs;
use crate::ops;
use crate::ops::RootCredentials;
use crate::ops::Service;
use crate::store;
use crate::store::Machine;
use crate::store::Store;
use crate::sys::clock::SystemClock;
use crate::sys::disk::RealDisk;
use crate::sys::entropy::SystemEntropy;
use crate::sys::machine;
use crate::sys::metrics::Metrics;

use control::Control;
use control::RootKey;
use credentials::Root;
use volumes::Held;
use volumes::Opened;

pub use error::Error;
pub use greeting::Greeting;

/// Files that are open besides connections: parts, RocksDB's tables and logs.
const OTHER_FILES: u64 = 512;

/// A server that serves. Dropping it without [`Running::stop`] leaves its listeners running until the process ends.
pub struct Running {
    /// Where S3 is served.
    pub address: SocketAddr,
    /// Where health and metrics are served.
    pub admin_address: SocketAddr,
    http: http::server::Server,
    admin: Admin,
    jobs: Jobs,
    is_stopping: Arc<AtomicBool>,
    store: Arc<Store>,
    held: Held,
}

/// Starts everything. The settings have been checked.
///
/// Must not be called from within an asynchronous task: it waits.
///
/// # Errors
/// What is in the way, in words for an operator. Nothing runs then.
pub fn start(config: &Config) -> Result<(Running, Greeting), Error> {
    let config = &within_files(config.clone(), machine::raise_open_files());
    let s3_listener = bind("S3", config.listen.address, http::server::bind)?;
    let admin_listener = bind("admin", config.listen.admin_address, TcpListener::bind)?;
    let machine = Machine {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        metrics: Arc::new(Metrics::new().map_err(|error| Error::Other(error.to_string()))?),
    };
    let opened = volumes::open(config, Arc::new(RealDisk), &machine)?;
    let places = credentials::Places { roots: opened.roots(), may_make: opened.absent.is_empty() };
    let root = credentials::find_or_make(&config.credentials, &places, machine.entropy.as_ref())?;
    let store = open_store(config, &opened, &root, machine.clone())?;
    let (address, admin_address) = (local(&s3_listener)?, local(&admin_listener)?);
    let greeting = Greeting::new(config, &opened, &root, (address, admin_address));
    let is_stopping = Arc::new(AtomicBool::new(false));
    let jobs = start_jobs(config, &store, &machine)?;
    let door = door(config, &root, &machine);
    let http = start_http(config, root, &store, &machine, s3_listener)?;
    let ready = ready(&store, &is_stopping);
    let control = Arc::new(Control::new(&store, jobs.board()));
    let shown = admin::Shown::new(machine.metrics, ready, door, control);
    let admin = admin::start(admin_listener, shown);
    let admin = admin.map_err(|error| Error::Listener { which: "admin", address: admin_address, error })?;
    let running =
        Running { address, admin_address, http, admin, jobs, is_stopping, store, held: opened.hand_over() };
    Ok((running, greeting))
}

impl Running {
    /// Stops in reverse order: no new requests, running ones within the grace, jobs after their step, and when nobody
    /// can commit any more, metadata and the locks.
    pub async fn stop(self) {
        self.is_stopping.store(true, Ordering::Release);
        if let Err(error) = self.http.stop().await {
            tracing::warn!(%error, "the S3 listener had failed");
        }
        self.jobs.stop();
        if let Err(error) = self.admin.stop().await {
            tracing::warn!(%error, "the admin listener had failed");
        }
        drop(self.store);
        self.held.close();
    }
}

fn open_store(config: &Config, opened: &Opened, root: &Root, machine: Machine) -> Result<Arc<Store>, Error> {
    let settings = store::Settings {
        replicas: config.storage.copies(),
        inline_limit: config.storage.inline_limit,
        upload_memory_bytes: config.memory.upload_bytes(),
        // They wait for disks more than they compute.
        threads: (config.listen.workers * 4).clamp(8, 32),
    };
    Ok(Arc::new(Store::new(Arc::clone(&opened.meta), opened.found(config, root), machine, settings)?))
}

fn start_jobs(config: &Config, store: &Arc<Store>, machine: &Machine) -> Result<Jobs, Error> {
    let settings = SweepSettings { pause: config.jobs.sweep_interval, ..SweepSettings::default() };
    let scrub_interval = config.jobs.scrub_interval;
    let (used, clock) = (Arc::clone(store), Arc::clone(&machine.clock));
    let make = move || -> Vec<Box<dyn Job>> {
        vec![
            Box::new(Metadata::new(Arc::clone(&used))),
            Box::new(Reclaimer::new(Arc::clone(&used))),
            Box::new(Repair::new(Arc::clone(&used))),
            Box::new(Rebalance::new(Arc::clone(&used), Arc::clone(&clock))),
            Box::new(Scrub::new(Arc::clone(&used), Arc::clone(&clock), scrub_interval)),
            Box::new(Sweep::new(used, clock, settings)),
        ]
    };
    let jobs = Jobs::start(Arc::clone(store), Arc::clone(&machine.clock), make);
    jobs.map_err(|error| Error::Other(format!("the jobs cannot be started: {error}")))
}

fn start_http(
    config: &Config,
    root: Root,
    store: &Arc<Store>,
    machine: &Machine,
    listener: TcpListener,
) -> Result<http::server::Server, Error> {
    let (region, any_region) = (config.s3.region.clone(), config.s3.any_region);
    let verifier = Verifier::new(auth::Settings { region: region.clone(), any_region });
    let root = RootCredentials { access_key: root.access_key, secret_key: root.secret_key };
    let settings = ops::Settings { region, any_region };
    let service = Arc::new(Service::new(Arc::clone(store), Arc::clone(&machine.clock), root, settings));
    let (metrics, entropy) = (Arc::clone(&machine.metrics), Arc::clone(&machine.entropy));
    let pipeline = Arc::new(Pipeline::new(service, verifier, &config.s3.domains, metrics, entropy));
    let app = move || http::app(Arc::clone(&pipeline));
    let limits = http::limits::Limits::new(&config.listen, &config.limits);
    let started = http::server::serve(listener, limits, Arc::clone(&machine.metrics), app);
    started.map_err(|error| Error::Listener { which: "S3", address: config.listen.address, error })
}

/// Who may use the admin API.
fn door(config: &Config, root: &Root, machine: &Machine) -> Door {
    let (region, any_region) = (config.s3.region.clone(), config.s3.any_region);
    let key = RootKey { access_key: root.access_key.clone(), secret_key: root.secret_key.clone() };
    Door::new(Verifier::new(auth::Settings { region, any_region }), Box::new(key), Arc::clone(&machine.clock))
}

/// What the readiness probe asks.
fn ready(store: &Arc<Store>, is_stopping: &Arc<AtomicBool>) -> admin::Ready {
    // A probe must not keep the store open: its listener's threads end after the store is closed.
    let (store, is_stopping) = (Arc::downgrade(store), Arc::clone(is_stopping));
    Box::new(move || match store.upgrade() {
        Some(store) if !is_stopping.load(Ordering::Acquire) => {
            store.check_ready().map_err(|error| error.to_string())
        }
        _ => Err("the server is stopping".to_owned()),
    })
}

fn bind(
    which: &'static str,
    address: SocketAddr,
    bind: impl FnOnce(SocketAddr) -> std::io::Result<TcpListener>,
) -> Result<TcpListener, Error> {
    bind(address).map_err(|error| Error::Listener { which, address, error })
}

fn local(listener: &TcpListener) -> Result<SocketAddr, Error> {
    listener.local_addr().map_err(|error| Error::Other(error.to_string()))
}

/// Lets in no more connections than there are files for beside parts and metadata, and says so.
fn within_files(mut config: Config, open_files_max: u64) -> Config {
    let spare = open_files_max - OTHER_FILES.min(open_files_max / 2);
    let allowed = config.limits.connections_max.min(usize::try_from(spare).unwrap_or(usize::MAX));
    if allowed < config.limits.connections_max {
        tracing::warn!(
            open_files_max,
            connections_max = allowed,
            "fewer connections are let in than are configured: raise the limit of open files (ulimit -n, LimitNOFILE)"
        );
        config.limits.connections_max = allowed;
    }
    config
}

#[cfg(test)]
mod growth_tests;
#[cfg(test)]
mod tests;
