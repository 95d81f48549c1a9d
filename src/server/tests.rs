#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "they play the operator, who moves files about")]

use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;

use super::*;
use crate::sys::machine::Machine as Hardware;

/// Settings for volumes in `directory`, on ports that the kernel chooses.
fn config(directory: &Path, volumes: &[&str]) -> Config {
    let mut config = Config::defaults(&Hardware { cores: 1, memory_bytes: 512 << 20 });
    config.listen.address = "127.0.0.1:0".parse().unwrap();
    config.listen.admin_address = "127.0.0.1:0".parse().unwrap();
    config.storage.volumes = volumes.iter().map(|name| directory.join(name)).collect();
    config
}

fn stop(running: Running) {
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

fn ask(address: SocketAddr, path: &str) -> String {
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
    assert!(directory.path().join("1/meta").exists() && !directory.path().join("3/meta").exists());
}

#[test]
fn a_volume_that_lost_its_data_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), &["1", "2"]);
    start_and_stop(&config);
    for lost in ["1", "2"] {
        std::fs::rename(directory.path().join(lost), directory.path().join("kept")).unwrap();
        assert!(refusal(&config).contains("does not exist"));
        assert!(!directory.path().join(lost).exists());
        std::fs::create_dir(directory.path().join(lost)).unwrap();
        assert!(refusal(&config).contains("is empty"));
        assert_eq!(tree(&directory.path().join(lost)), Vec::<PathBuf>::new());
        std::fs::remove_dir(directory.path().join(lost)).unwrap();
        std::fs::rename(directory.path().join("kept"), directory.path().join(lost)).unwrap();
    }
    start_and_stop(&config);
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
    start_and_stop(&config);
    // As if it had been cut off before the last identity was written.
    std::fs::remove_file(directory.path().join("1/holdall-volume.json")).unwrap();
    start_and_stop(&config);
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
