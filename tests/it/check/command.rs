//! The command: exit codes, JSON, and a rebuild that is killed.
#![allow(clippy::disallowed_methods, reason = "they play the disk, which loses things")]

use std::path::Path;
use std::process::Command;
use std::process::Output;
use std::time::Duration;

use super::scene::Scene;
use super::scene::VOLUMES;

fn command(scene: &Scene, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdall"));
    command.arg("check").args(["--replicas", "2"]).args(options).env_clear();
    command.args((0..VOLUMES).map(|number| scene.volume(number))).stdin(std::process::Stdio::null());
    command
}

fn run(scene: &Scene, options: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command(scene, options).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn lose(path: &Path) {
    std::fs::rename(path, path.with_file_name("away")).unwrap();
}

#[test]
fn the_exit_code_says_how_it_went() {
    let scene = Scene::new();
    let (code, out, err) = run(&scene, &["--deep"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("Clean:") && out.contains("every block was read") && err.is_empty(), "{out}{err}");

    let copy = scene.copies(scene.blob("large")).pop().unwrap();
    std::fs::remove_file(copy).unwrap();
    let (code, out, _) = run(&scene, &[]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("of bucket/large: 1 of 2") && out.contains("1 findings."), "{out}");
    let (code, out, _) = run(&scene, &["--json"]);
    assert_eq!(code, 1);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["findings"][0]["kind"], "blob-short-unknown");
    assert_eq!(json["findings"][0]["severity"], "degraded");
    assert_eq!(json["counts"]["objects"], 9);

    (0..VOLUMES)
        .map(|number| scene.volume(number).join("meta"))
        .filter(|meta| meta.exists())
        .for_each(|meta| lose(&meta));
    let (code, _, err) = run(&scene, &[]);
    assert_eq!(code, 2);
    assert!(err.contains("none of the volumes holds metadata"), "{err}");
    let (code, _, err) = run(&scene, &["--replicas", "9"]);
    assert_eq!(code, 2, "{err}");
}

#[test]
fn a_rebuild_asks_first_and_may_be_killed() {
    let scene = Scene::new();
    let (code, _, err) = run(&scene, &["--rebuild-metadata", "--yes"]);
    assert!(code == 2 && err.contains("can be opened") && err.contains("--force"), "{code} {err}");
    assert_eq!(scene.found(false), []);
    let (code, out, err) = run(&scene, &["--rebuild-metadata", "--force"]);
    assert_eq!(code, 2);
    assert!(err.contains("Nothing was done") && out.contains("meta.lost-1"), "{out}{err}");
    assert_eq!(scene.found(false), []);
    for millis in [0, 20, 40] {
        let mut child = command(&scene, &["--rebuild-metadata", "--force", "--yes"]);
        let mut child = child.stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(millis));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (code, out, err) = run(&scene, &["--rebuild-metadata", "--include-uploads", "--force", "--yes"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("objects of") && out.contains("What cannot be brought back"), "{out}");
    assert_eq!(scene.found(true), []);
}
