//! Metadata is lost, and comes back from part files.
#![allow(clippy::disallowed_methods, reason = "they play the disk, which loses things")]

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use holdall::base::Timestamp;
use holdall::config::Config;
use holdall::s3::date;
use holdall::server::check;
use holdall::server::check::Kind;
use holdall::server::check::Options;
use holdall::server::check::Watch;
use holdall::server::check::rebuild;
use holdall::server::check::rebuild::RebuildOptions;
use holdall::server::check::rebuild::Rebuilt;

use super::scene::Blind;
use super::scene::Scene;
use super::scene::VOLUMES;
use crate::harness::client::Client;
use crate::harness::server::Server;
use crate::rig::body;

/// Objects in part files of their own.
const OBJECTS: u64 = 300;

fn server() -> Server {
    Server::with(2, |config| config.storage.replicas = Some(2))
}

/// Everything a client can see of an object.
#[derive(Debug, PartialEq)]
struct Shown {
    headers: Vec<(String, String)>,
    modified: Timestamp,
    body: Vec<u8>,
}

fn shown(client: &Client, target: &str) -> Shown {
    let reply = client.ask("GET", target).header("x-amz-checksum-mode", "ENABLED").send();
    assert_eq!(reply.status, 200, "{target}: {reply:?}");
    let ours = |name: &str| !["date", "x-amz-request-id", "x-amz-id-2", "last-modified"].contains(&name);
    let modified = reply.header("last-modified").unwrap().to_owned();
    let modified = date::parse_http(&modified).unwrap();
    let mut headers: Vec<_> = reply.headers.iter().filter(|(name, _)| ours(name)).cloned().collect();
    headers.sort();
    Shown { headers, modified, body: reply.body }
}

fn fill(client: &Client) -> Vec<String> {
    let mut targets = Vec::new();
    for bucket in ["first", "second"] {
        assert_eq!(client.put(&format!("/{bucket}"), "").status, 200);
    }
    for number in 0..OBJECTS {
        let target = format!("/{}/a%20key/{number}", if number % 3 == 0 { "second" } else { "first" });
        let put = client
            .ask("PUT", &target)
            .header("content-type", "text/plain; charset=utf-8")
            .header("cache-control", "max-age=5")
            .header("x-amz-meta-number", &number.to_string())
            .header("x-amz-meta-Colour", "green")
            .header("x-amz-storage-class", if number % 2 == 0 { "STANDARD" } else { "STANDARD_IA" });
        let length = 33_000 + number as usize * 17;
        assert_eq!(put.body(body(number + 1, length)).send().status, 200);
        targets.push(target);
    }
    // Newer generations win, whatever the order of their ids.
    for target in targets.iter().take(50) {
        assert_eq!(client.put(target, body(9_000, 40_000)).status, 200);
    }
    targets
}

fn listing(client: &Client) -> Vec<String> {
    let strip = |text: String| {
        let mut text = text;
        while let Some((before, after)) = text.split_once("<LastModified>") {
            let (_, after) = after.split_once("</LastModified>").unwrap();
            text = format!("{before}{after}");
        }
        text
    };
    let list = |bucket: &str| strip(client.get(&format!("/{bucket}?list-type=2")).text());
    ["first", "second"].map(list).into()
}

fn lose_metadata(server: &Server) {
    for volume in &server.config().storage.volumes {
        std::fs::remove_dir_all(volume.join("meta")).unwrap();
        std::fs::create_dir(volume.join("meta")).unwrap();
    }
}

fn rebuild(config: &Config, include_uploads: bool) -> Rebuilt {
    rebuild::run(config, RebuildOptions { include_uploads }, &Blind).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_object_in_a_file_of_its_own_comes_back_as_it_was() {
    let mut server = server();
    let client = server.client();
    let targets = fill(&client);
    let before: BTreeMap<&String, Shown> =
        targets.iter().map(|target| (target, shown(&client, target))).collect();
    let listed = listing(&client);
    assert_eq!(client.put("/first/small", "lost with the metadata").status, 200);
    server.stop();
    lose_metadata(&server);

    let plan = rebuild::plan(server.config()).unwrap();
    assert_eq!((plan.moved.len(), plan.into.len()), (2, 2));
    assert!(!plan.moved[0].1.exists(), "a plan changes nothing");
    let rebuilt = rebuild(server.config(), false);
    assert_eq!((rebuilt.buckets, rebuilt.objects, rebuilt.bad_files), (2, OBJECTS, 0), "{rebuilt:?}");
    assert_eq!(rebuilt.short_of_copies, 0);
    assert!(plan.moved[0].1.exists());

    let report = check::run(server.config(), Options { deep: true, examples_max: 5 }, &Blind).unwrap();
    let orphans = report.count(Kind::Orphan);
    assert_eq!(orphans, rebuilt.superseded * 2, "{report:#?}");
    assert_eq!(report.findings.len(), usize::from(orphans > 0), "{report:#?}");

    server.resume();
    let client = server.client();
    assert_eq!(listing(&client), listed);
    for (target, before) in &before {
        let after = shown(&client, target);
        assert_eq!((&after.headers, after.body == before.body), (&before.headers, true), "{target}");
        // The part file was finished a moment before the commit that dated the object.
        assert!(after.modified <= before.modified, "{target}");
        assert!(before.modified.since(after.modified) <= Duration::from_secs(1), "{target}");
    }
    assert_eq!(client.get("/first/small").code(), "NoSuchKey");
    assert_eq!(client.put("/first/small", "and life goes on").status, 200);
    assert_eq!(client.delete(&targets[0]).status, 204);
}

fn multipart(client: &Client, target: &str, complete: bool, parts: &[&[u8]]) {
    let begun =
        client.ask("POST", &format!("{target}?uploads")).header("x-amz-meta-kind", "parts").send().text();
    let id = begun.split_once("<UploadId>").unwrap().1.split_once("</UploadId>").unwrap().0.to_owned();
    let mut list = String::new();
    for (number, part) in (1..).zip(parts) {
        let reply = client.put(&format!("{target}?partNumber={number}&uploadId={id}"), part.to_vec());
        let etag = reply.header("etag").unwrap();
        list += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    }
    if complete {
        let document = format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>");
        let done = client.ask("POST", &format!("{target}?uploadId={id}")).body(document).send();
        assert_eq!(done.status, 200, "{done:?}");
    }
}

/// Whether an upload was completed is written in no part file: it is open again, unless somebody says otherwise.
#[test]
fn uploads_are_open_again_or_objects_where_that_is_wanted() {
    let mut server = server();
    let client = server.client_with_bucket("bucket");
    let large = body(1, 5 << 20);
    multipart(&client, "/bucket/whole", true, &[&large, &body(2, 40_000)]);
    multipart(&client, "/bucket/begun", false, &[&large]);
    let before = shown(&client, "/bucket/whole");
    server.stop();

    lose_metadata(&server);
    let rebuilt = rebuild(server.config(), false);
    assert_eq!((rebuilt.objects, rebuilt.open_uploads, rebuilt.uploads_as_objects), (0, 2, 0), "{rebuilt:?}");
    server.resume();
    let uploads = server.client().get("/bucket?uploads").text();
    assert_eq!(uploads.matches("<UploadId>").count(), 2, "{uploads}");
    server.stop();

    let rebuilt = rebuild(server.config(), true);
    assert_eq!((rebuilt.objects, rebuilt.open_uploads, rebuilt.uploads_as_objects), (2, 0, 2), "{rebuilt:?}");
    let report = check::run(server.config(), Options { deep: true, examples_max: 5 }, &Blind).unwrap();
    assert!(report.is_clean(), "{report:#?}");
    assert!(server.volume(0).join("meta.lost-2").exists());
    server.resume();
    let after = shown(&server.client(), "/bucket/whole");
    assert_eq!(after.headers, before.headers);
    assert!(after.body == before.body);
}

#[test]
fn a_bucket_that_was_deleted_stays_so_and_missing_copies_are_queued() {
    let mut server = server();
    let client = server.client_with_bucket("again");
    assert_eq!(client.put("/again/old", body(1, 40_000)).status, 200);
    server.stop();
    // A file whose delete was not carried out yet.
    let kept = server.volume(1).join("../kept");
    super::scene::copy_tree(&server.volume(1).join("blobs"), &kept);
    server.resume();
    let client = server.client();
    assert_eq!(client.delete("/again/old").status, 204);
    assert_eq!(client.delete("/again").status, 204);
    assert_eq!(client.put("/again", "").status, 200);
    assert_eq!(client.put("/again/new", body(2, 50_000)).status, 200);
    server.stop();
    super::scene::copy_tree(&kept, &server.volume(1).join("blobs"));
    lose_metadata(&server);
    let rebuilt = rebuild(server.config(), false);
    assert_eq!((rebuilt.buckets, rebuilt.objects, rebuilt.in_deleted_buckets), (1, 1, 1), "{rebuilt:?}");
    server.resume();
    let client = server.client();
    assert_eq!(client.get("/again/old").code(), "NoSuchKey");
    assert!(client.get("/again/new").body == body(2, 50_000));
    server.stop();

    let is_new = |path: &std::path::PathBuf| std::fs::metadata(path).unwrap().len() > 50_000;
    let file = walk(&server.volume(0).join("blobs")).into_iter().find(is_new).unwrap();
    std::fs::remove_file(file).unwrap();
    let rebuilt = rebuild(server.config(), false);
    assert_eq!(rebuilt.short_of_copies, 1, "{rebuilt:?}");
    let report = check::run(server.config(), Options { deep: false, examples_max: 5 }, &Blind).unwrap();
    assert_eq!(report.count(Kind::BlobShort), 1, "{report:#?}");
}

fn walk(path: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

/// Stops the work after so many steps.
struct Cut(AtomicU64);

impl Watch for Cut {
    fn stage(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {
        assert!(self.0.fetch_sub(1, Ordering::Relaxed) > 0, "cut off");
    }
    fn read(&self, _: u64) {}
}

#[test]
fn a_rebuild_that_was_cut_off_changed_nothing_and_is_done_again() {
    let scene = Scene::new();
    let config = scene.config();
    for steps in [0, 100, 255, 257] {
        let cut = Cut(AtomicU64::new(steps));
        let run = || rebuild::run(&config, RebuildOptions::default(), &cut).map(drop);
        assert!(std::panic::catch_unwind(AssertUnwindSafe(run)).is_err());
        scene.expect(&[]);
    }
    let rebuilt = rebuild(&config, true);
    // large, other, rewritten, and deleted, whose file was still there; few and many and the open one were uploads.
    assert_eq!((rebuilt.objects, rebuilt.open_uploads, rebuilt.uploads_with_gaps), (6, 2, 2), "{rebuilt:?}");
    assert!((0..VOLUMES).all(|number| !scene.volume(number).join("meta.rebuilding").exists()));
    let found = scene.found(true);
    assert_eq!(found, []);
}
