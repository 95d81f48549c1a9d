//! `holdall volume`, `holdall job` and `holdall status`.
#![allow(clippy::disallowed_methods, reason = "they play the operator, and the disk, which loses things")]

use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::harness::process::Process;
use crate::harness::process::argument;
use crate::harness::process::ended;
use crate::harness::server::ACCESS_KEY;
use crate::harness::server::SECRET_KEY;

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(60);

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn until(what: &str, mut is_done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_done() {
        assert!(begun.elapsed() < PATIENCE, "{what} takes too long");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn body(number: usize) -> Vec<u8> {
    vec![number as u8; 100_000 + number]
}

fn fill(process: &Process, objects: usize) {
    let client = process.s3();
    assert_eq!(client.put("/bucket", "").status, 200);
    for number in 0..objects {
        assert_eq!(client.put(&format!("/bucket/{number}"), body(number)).status, 200);
    }
}

fn assert_filled(process: &Process, objects: usize) {
    let client = process.s3();
    for number in 0..objects {
        assert_eq!(client.get(&format!("/bucket/{number}")).body, body(number));
    }
}

/// Changes a byte of a part file.
fn damage(volume: &Path) {
    let shards = std::fs::read_dir(volume.join("blobs")).unwrap();
    let mut files = shards.flat_map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap());
    let file = files.next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[50_000] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

fn repaired(process: &Process) -> bool {
    let status = json(&process.run(&["status", "--json"]).out);
    status["redundancy"]["queued"] == 0 && status["redundancy"]["quarantined_files"] == 1
}

#[test]
fn a_volume_is_added_and_another_drained_and_removed() {
    let process = Process::start(3, &["--replicas", "2"]);
    fill(&process, 30);
    let list = process.succeed(&["volume", "list"]);
    assert_eq!(list.lines().count(), 4, "{list}");
    for number in 0..3 {
        assert!(list.contains(argument(&process.volume(number))), "{list}");
    }

    // A relative path counts from where the command runs.
    let added = process.succeed(&["volume", "add", "3"]);
    assert!(added.contains("belongs to the deployment"), "{added}");
    let volumes = json(&process.succeed(&["volume", "--json", "list"]));
    let added = &volumes["volumes"][3];
    assert_eq!(added["path"], argument(&process.volume(3)));

    let second = process.volume(1);
    let refused = process.run(&["volume", "remove", argument(&second)]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("drain it first"), "{refused:?}");
    let drained = process.run(&["volume", "drain", argument(&second)]);
    assert_eq!(drained.code, 0, "{drained:?}");
    assert!(drained.out.contains("is drained and can be removed"), "{drained:?}");
    let id = volumes["volumes"][1]["id"].as_str().unwrap();
    let removed = process.succeed(&["volume", "remove", &id[..10]]);
    assert!(removed.contains("no more"), "{removed}");
    let list = process.succeed(&["volume", "list"]);
    assert!(list.lines().count() == 4 && !list.contains(argument(&second)), "{list}");
    assert_filled(&process, 30);
}

#[test]
fn a_drain_is_taken_back() {
    let process = Process::start(3, &["--replicas", "2"]);
    let first = process.volume(0);
    let volume = json(&process.succeed(&["volume", "drain", argument(&first), "--no-wait", "--json"]));
    assert_eq!(volume["state"], "draining");
    process.succeed(&["volume", "undrain", argument(&first)]);
    let volumes = json(&process.succeed(&["volume", "list", "--json"]));
    assert_eq!(volumes["volumes"][0]["state"], "active");
}

#[test]
fn a_scrub_is_started_and_slowed_while_it_runs() {
    let process = Process::start(3, &[]);
    fill(&process, 20);
    let job = || {
        let jobs = json(&process.succeed(&["job", "list", "--json"]));
        let jobs = jobs["jobs"].as_array().unwrap().clone();
        jobs.into_iter().find(|job| job["name"] == "scrub").unwrap()
    };
    let has_ended = || job()["state"] == "idle" && !job()["last_finished"].is_null();
    until("the first scrub, which begins by itself", has_ended);
    let before = job()["last_finished"].clone();
    // 6 MB of copies at 256 KiB a second.
    let set = process.succeed(&["job", "rate", "scrub", "256KiB"]);
    assert!(set.contains("256.0 KiB/s"), "{set}");
    process.succeed(&["job", "start", "scrub"]);
    until("the start of the scrub", || job()["state"] == "running");
    let table = process.succeed(&["job", "list"]);
    assert!(table.contains("scrub") && table.contains("256.0 KiB/s"), "{table}");
    process.succeed(&["job", "pause", "scrub"]);
    assert_eq!(job()["state"], "paused");
    process.succeed(&["job", "resume", "scrub"]);
    assert_eq!(job()["last_finished"], before, "it was too fast: {}", job());
    process.succeed(&["job", "rate", "scrub", "unlimited"]);
    until("the scrub", || has_ended() && job()["last_finished"] != before);
    let status = json(&process.succeed(&["status", "--json"]));
    assert_eq!(status["redundancy"]["last_scrub"]["bad"], 0, "{status}");
}

#[test]
fn the_status_tells_healthy_from_degraded() {
    let process = Process::start(3, &[]);
    fill(&process, 3);
    until("being healthy", || process.run(&["status"]).code == 0);
    let screen = process.succeed(&["status"]);
    assert!(screen.starts_with("Healthy."), "{screen}");
    damage(&process.volume(2));
    process.succeed(&["job", "start", "scrub"]);
    // What a scrub finds is repaired; that it was found stays known until the next one.
    until("the finding", || process.run(&["status"]).code == 1 && repaired(&process));
    let degraded = process.run(&["status"]);
    assert!(
        degraded.out.starts_with("DEGRADED\n  - ") && degraded.out.contains("1 bad copy"),
        "{degraded:?}"
    );
    process.succeed(&["job", "start", "scrub"]);
    until("being healthy again", || process.run(&["status"]).code == 0);
    assert_filled(&process, 3);
}

#[test]
fn an_error_says_what_to_do() {
    let process = Process::start(1, &[]);
    let fails = |command: &mut std::process::Command, code: i32, words: &[&str]| {
        let ended = ended(command);
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(ended.err.starts_with("holdall: ") && ended.err.lines().count() == 1, "{ended:?}");
        for word in words {
            assert!(ended.err.contains(word), "{word}: {ended:?}");
        }
    };
    fails(&mut process.stranger(&["volume", "list"]), 1, &["HOLDALL_ACCESS_KEY", "--credentials"]);
    fails(&mut process.stranger(&["status"]), 2, &["there are no credentials"]);
    let mut wrong = process.stranger(&["status"]);
    wrong.env("HOLDALL_ACCESS_KEY", ACCESS_KEY).env("HOLDALL_SECRET_KEY", "another-secret-key");
    fails(&mut wrong, 2, &["does not know these credentials"]);
    let nowhere = ["job", "list", "--admin-address", "127.0.0.1:1"];
    fails(&mut process.command(&nowhere), 1, &["127.0.0.1:1", "Is the server running?"]);
    fails(&mut process.command(&["job", "start", "nothing"]), 1, &["there is no job \"nothing\""]);
    fails(&mut process.command(&["volume", "drain", "zzz"]), 1, &["`holdall volume list` shows all"]);
    fails(
        &mut process.command(&["status", "--credentials", "none.toml"]),
        2,
        &["there is no file none.toml"],
    );
}

#[test]
fn credentials_may_be_in_a_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let process = Process::start(1, &[]);
    let file = process.volume(9);
    let text = format!("[credentials]\naccess_key = \"{ACCESS_KEY}\"\nsecret_key = \"{SECRET_KEY}\"\n");
    let write = |path: &std::path::Path, mode: u32| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    write(&file, 0o600);
    let named = ["volume", "list", "--credentials", argument(&file)];
    assert_eq!(ended(&mut process.stranger(&named)).code, 0);
    // Where a server that was started without arguments keeps them.
    write(&process.volume(0).with_file_name("data").join("credentials.toml"), 0o600);
    assert_eq!(ended(&mut process.stranger(&["volume", "list"])).code, 0);
    write(&file, 0o644);
    let refused = ended(&mut process.stranger(&named));
    assert!(refused.code == 1 && refused.err.contains("others than its owner"), "{refused:?}");
}
