#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "they play the operator, who moves files about")]

use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;

use super::*;
use crate::base::DeploymentId;
use crate::base::VolumeId;
use crate::meta::Durability;
use crate::meta::Meta;
use crate::meta::Options;
use crate::meta::ReplicaPlace;
use crate::sys::clock::Clock as _;
use crate::sys::disk::Disk;
use crate::sys::machine::Machine as Hardware;
use crate::volume::Identity;
use crate::volume::Volume;

/// Settings for volumes in `directory`, on ports that the kernel chooses.
pub(super) fn config(directory: &Path, volumes: &[&str]) -> Config {
    let mut config = Config::defaults(&Hardware { cores: 1, memory_bytes: 512 << 20 });
    config.listen.address = "127.0.0.1:0".parse().unwrap();
    config.listen.admin_address = "127.0.0.1:0".parse().unwrap();
    config.storage.volumes = volumes.iter().map(|name| directory.join(name)).collect();
    config
}

pub(super) fn stop(running: Running) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(running.stop());
}

fn start_and_stop(config: &Config) -> String {
    let (running, greeting) = start(config).unwrap_or_else(|error| panic!("{error}"));
    stop(running);
    greeting.to_string()
}

fn refusal(config: &Config) -> String {
    start(config).err().expect("the start should have been refused").to_string()
}

pub(super) fn ask(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Names of everything in a directory tree.
fn tree(directory: &Path) -> Vec<PathBuf> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(tree(&path));
        }
        names.push(path);
    }
    names.sort();
    names
}

#[test]
fn it_starts_serves_stops_and_starts_again() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), &["1", "2"]);
    let (running, greeting) = start(&config).unwrap_or_else(|error| panic!("{error}"));
    assert!(greeting.to_string().contains("a new deployment"));
    assert!(ask(running.admin_address, "/health/ready").starts_with("HTTP/1.1 200"));
    let refused = ask(running.address, "/");
    assert!(
        refused.starts_with("HTTP/1.1 403") && refused.contains("<Code>AccessDenied</Code>"),
        "{refused}"
    );
    let (address, admin_address) = (running.address, running.admin_address);
    stop(running);
    assert!(TcpStream::connect(address).is_err() && TcpStream::connect(admin_address).is_err());
    let again = start_and_stop(&config);
    assert!(!again.contains("a new deployment"), "{again}");
}

#[test]
fn the_order_of_volumes_does_not_matter() {
    let directory = tempfile::tempdir().unwrap();
    start_and_stop(&config(directory.path(), &["1", "2", "3"]));
    start_and_stop(&config(directory.path(), &["3", "1", "2"]));
    assert!(directory.path().join("1/meta").exists());
}

/// Where the operator's disks are moved out of sight.
fn hide(directory: &Path, name: &str) {
    std::fs::rename(directory.join(name), directory.join("hidden")).unwrap();
}

fn unhide(directory: &Path, name: &str) {
    std::fs::rename(directory.join("hidden"), directory.join(name)).unwrap();
}

/// A volume without a vote may be away: the start says so, and nothing is written to where it should be.
#[test]
fn a_missing_volume_is_absent_and_its_place_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let config = config(path, &["1", "2", "3", "4"]);
    start_and_stop(&config);
    hide(path, "4");
    for is_empty in [false, true] {
        if is_empty {
            std::fs::create_dir(path.join("4")).unwrap();
        }
        let (running, greeting) = start(&config).unwrap_or_else(|error| panic!("{error}"));
        let warning = greeting.warnings().join("\n");
        assert!(warning.contains("/4: ") && warning.contains("absent"), "{warning}");
        assert!(ask(running.admin_address, "/health/ready").starts_with("HTTP/1.1 200"));
        stop(running);
        assert_eq!(path.join("4").exists(), is_empty);
    }
    assert_eq!(tree(&path.join("4")), Vec::<PathBuf>::new());
    std::fs::remove_dir(path.join("4")).unwrap();
    unhide(path, "4");
    let (running, greeting) = start(&config).unwrap_or_else(|error| panic!("{error}"));
    assert!(!greeting.warnings().join("").contains("absent"));
    stop(running);
}

/// Volumes that are not given are found through the roster, wherever they were last.
#[test]
fn a_forgotten_volume_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    start_and_stop(&config(path, &["1", "2", "3"]));
    let (running, greeting) = start(&config(path, &["2"])).unwrap_or_else(|error| panic!("{error}"));
    assert!(greeting.to_string().contains("/3 "), "{greeting}");
    assert_eq!(running.store.volumes().len(), 3);
    stop(running);
    // Known by its identity, not by its path.
    std::fs::rename(path.join("2"), path.join("moved")).unwrap();
    start_and_stop(&config(path, &["moved", "1", "3"]));
    let (running, _) = start(&config(path, &["1"])).unwrap_or_else(|error| panic!("{error}"));
    let volumes = running.store.volumes();
    assert!(volumes.iter().any(|volume| volume.path.ends_with("moved") && volume.reason.is_none()));
    stop(running);
}

#[test]
fn swapped_paths_are_recognised() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let config = config(path, &["1", "2"]);
    let (running, _) = start(&config).unwrap_or_else(|error| panic!("{error}"));
    let before = running.store.volumes();
    stop(running);
    hide(path, "1");
    std::fs::rename(path.join("2"), path.join("1")).unwrap();
    unhide(path, "2");
    let (running, greeting) = start(&config).unwrap_or_else(|error| panic!("{error}"));
    assert!(!greeting.warnings().join("").contains("absent"));
    let after = running.store.volumes();
    assert_eq!((before[0].id, before[1].id), (after[0].id, after[1].id));
    assert_eq!((&before[0].path, &before[1].path), (&after[1].path, &after[0].path));
    stop(running);
}

#[test]
fn more_copies_than_volumes_are_refused_without_a_trace() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path(), &["1", "2"]);
    config.storage.replicas = Some(3);
    let refused = refusal(&config);
    assert!(refused.contains("3 copies need 3 volumes, and 2 belong"), "{refused}");
    assert_eq!(tree(directory.path()), Vec::<PathBuf>::new());
}

#[test]
fn a_directory_of_others_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join("1/thesis")).unwrap();
    let config = config(directory.path(), &["1", "2"]);
    assert!(refusal(&config).contains("thesis"));
    assert_eq!(tree(directory.path()).len(), 2);
}

#[test]
fn a_first_start_that_was_cut_off_is_finished() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), &["1", "2"]);
    // As if it had been cut off before the last identity was written.
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    disk.create_dirs(&directory.path().join("1")).unwrap();
    let options = Options {
        durability: Durability::Strict,
        cache_bytes: 1 << 20,
        write_buffer_bytes: 1 << 20,
        voters: 1,
    };
    let metrics = Arc::new(Metrics::new().unwrap());
    drop(
        Meta::open(
            &[ReplicaPlace::new("1", directory.path().join("1/meta"))],
            &options,
            metrics,
            &SystemClock,
        )
        .unwrap(),
    );
    let deployment_id = DeploymentId::from_bytes([7; 16]);
    let identity =
        Identity { volume_id: VolumeId::from_bytes([1; 16]), deployment_id, created: SystemClock.now() };
    Volume::format(Arc::clone(&disk), &directory.path().join("2"), identity).unwrap();
    start_and_stop(&config);
    start_and_stop(&config);
    assert_eq!(Volume::open(disk, &directory.path().join("1")).unwrap().deployment(), deployment_id);
}

#[test]
fn a_volume_that_lost_its_identity_gets_no_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), &["1", "2"]);
    start_and_stop(&config);
    let identity = directory.path().join("1/holdall-volume.json");
    let kept = directory.path().join("kept");
    std::fs::rename(&identity, &kept).unwrap();
    assert!(refusal(&config).contains("1 holds data, but its identity file"));
    assert!(!identity.exists());
    std::fs::rename(&kept, &identity).unwrap();
    start_and_stop(&config);
}

#[test]
fn two_servers_cannot_share_a_volume() {
    let directory = tempfile::tempdir().unwrap();
    let (running, _) = start(&config(directory.path(), &["1"])).unwrap_or_else(|error| panic!("{error}"));
    let refused = refusal(&config(directory.path(), &["1"]));
    assert!(refused.contains("in use by another process"), "{refused}");
    stop(running);
    start_and_stop(&config(directory.path(), &["1"]));
}

#[test]
fn a_taken_address_leaves_no_trace() {
    let directory = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = config(directory.path(), &["1"]);
    config.listen.admin_address = taken.local_addr().unwrap();
    let refused = refusal(&config);
    assert!(refused.contains("admin") && refused.contains("--admin-address"), "{refused}");
    assert_eq!(tree(directory.path()), Vec::<PathBuf>::new());
}

#[test]
fn connections_leave_files_for_the_volumes() {
    let config = Config::defaults(&Hardware { cores: 1, memory_bytes: 1 << 30 });
    let allowed = |open_files_max| within_files(config.clone(), open_files_max).limits.connections_max;
    assert_eq!(allowed(1 << 20), 10_000);
    assert_eq!(allowed(4096), 4096 - 512);
    assert_eq!(allowed(256), 128);
}
