//! What is obeyed.

use std::path::PathBuf;
use std::time::Duration;

use super::Ask;
use super::NOW;
use super::Rig;
use super::fake::id;
use super::fake::job;
use crate::admin::Change;
use crate::admin::Kind;
use crate::admin::Refusal;
use crate::jobs::Command;
use crate::s3::date;

#[test]
fn a_volume_is_added_drained_and_removed() {
    let rig = Rig::new();
    let added = rig.send(&Ask::new("POST", "/admin/v1/volumes").json(r#"{"path":"/mnt/disk4"}"#));
    assert_eq!(added.status, 201);
    let place = format!("/admin/v1/volumes/{}", id(4));
    assert_eq!((added.header("location"), added.json()["id"].as_str()), (&*place, Some(&*id(4).to_string())));
    assert_eq!(rig.get(&place).json()["path"], "/mnt/disk4");

    let drained = rig.post(&format!("{place}/drain"));
    assert_eq!((drained.status, drained.header("location")), (202, &*place));
    assert_eq!(drained.json()["state"], "draining");
    assert_eq!(rig.post(&format!("{place}/drain?force=true")).status, 202);
    assert_eq!(rig.post(&format!("{place}/undrain")).json()["state"], "active");

    let removed = rig.send(&Ask::new("DELETE", &place));
    assert_eq!((removed.status, removed.body.as_str()), (204, ""));
    assert_eq!(rig.get(&place).status, 404);
    assert_eq!(rig.send(&Ask::new("DELETE", &format!("/admin/v1/volumes/{}?force=true", id(3)))).status, 204);
    let replace =
        Ask::new("POST", &format!("/admin/v1/volumes/{}/replace", id(1))).json(r#"{"path":"/mnt/n"}"#);
    assert_eq!(rig.send(&replace).status, 202);
    assert_eq!(
        *rig.fake.changes.lock(),
        [
            Change::Add(PathBuf::from("/mnt/disk4")),
            Change::Drain(id(4), false),
            Change::Drain(id(4), true),
            Change::Undrain(id(4)),
            Change::Remove(id(4), false),
            Change::Remove(id(3), true),
            Change::Replace(id(1), PathBuf::from("/mnt/n")),
        ]
    );
}

#[test]
fn a_change_that_the_server_refuses_says_why() {
    let rig = Rig::new();
    let kinds =
        [(Kind::Conflict, 409), (Kind::Invalid, 400), (Kind::Unavailable, 503), (Kind::NotImplemented, 501)];
    for (kind, status) in kinds {
        *rig.fake.refusal.lock() = Some(Refusal::new(kind, "it holds the last copy of 3 blobs"));
        let reply = rig.send(&Ask::new("DELETE", &format!("/admin/v1/volumes/{}", id(1))));
        assert_eq!(reply.status, status);
        assert!(reply.body.contains("it holds the last copy of 3 blobs"), "{reply:?}");
    }
}

#[test]
fn jobs_are_shown_and_commanded() {
    let rig = Rig::new();
    assert_eq!(rig.get("/admin/v1/jobs").json()["jobs"].as_array().unwrap().len(), 3);
    assert_eq!(rig.get("/admin/v1/jobs/scrub").json()["name"], "scrub");
    assert_eq!(rig.post("/admin/v1/jobs/scrub/start").status, 202);
    assert_eq!(rig.post("/admin/v1/jobs/scrub/pause").status, 200);
    assert_eq!(rig.post("/admin/v1/jobs/repair/resume").status, 200);
    let rate = Ask::new("PUT", "/admin/v1/jobs/scrub/rate").json(r#"{"bytes_per_second":1048576}"#);
    assert_eq!(rig.send(&rate).status, 200);
    let expected = [
        ("scrub", Command::Start),
        ("scrub", Command::Pause),
        ("repair", Command::Resume),
        ("scrub", Command::Rate(1 << 20)),
    ];
    assert_eq!(*rig.fake.commands.lock(), expected.map(|(name, command)| (name.to_owned(), command)));
}

#[test]
fn a_drain_shows_how_far_it_is() {
    let rig = Rig::new();
    let place = format!("/admin/v1/volumes/{}", id(2));
    let begun = rig.post(&format!("{place}/drain")).json();
    assert_eq!(begun["progress"]["done"], false, "{begun}");

    let mut running = job("rebalance");
    "running".clone_into(&mut running.state);
    running.started = Some(date::iso(NOW.plus(Duration::from_secs(1))));
    (running.done_bytes, running.total_bytes, running.eta_seconds) = (100, 350, Some(9));
    rig.fake.jobs.lock()[2] = running.clone();
    let progress = rig.get(&place).json()["progress"].clone();
    let expected = serde_json::json!({"job": "rebalance", "state": "running", "done": false, "done_bytes": 100, "left_bytes": 250, "eta_seconds": 9});
    assert_eq!(progress, expected);

    "idle".clone_into(&mut running.state);
    running.last_finished = Some(date::iso(NOW.plus(Duration::from_secs(20))));
    rig.fake.jobs.lock()[2] = running;
    assert_eq!(rig.get(&place).json()["progress"]["done"], true);
}

#[test]
fn the_status_is_the_whole_picture() {
    let rig = Rig::new();
    let status = rig.get("/admin/v1/status").json();
    assert_eq!((&status["healthy"], &status["reasons"]), (&true.into(), &serde_json::json!([])));
    assert_eq!(status["volumes"].as_array().unwrap().len(), 3);
    rig.fake.redundancy.lock().queued = 2;
    let status = rig.get("/admin/v1/status").json();
    assert_eq!(status["healthy"], false);
    assert_eq!(status["reasons"], serde_json::json!(["2 blobs wait for another copy"]));
    assert_eq!(rig.get("/admin/v1/redundancy").json()["queued"], 2);
    assert_eq!(rig.send(&Ask::new("HEAD", "/admin/v1/status")).status, 200);
}
