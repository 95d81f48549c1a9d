//! How fast a rebuild and a check are: `HOLDALL_SCALE=1000000 cargo test --test it scale -- --ignored --nocapture`, with
//! `TMPDIR` in memory when the disk is not what is to be measured.

use std::sync::Arc;
use std::time::Instant;

use holdall::base::BlobId;
use holdall::base::BucketId;
use holdall::base::DeploymentId;
use holdall::base::Timestamp;
use holdall::base::VolumeId;
use holdall::config::Config;
use holdall::meta::records::BlobOwner;
use holdall::meta::records::ContentHeaders;
use holdall::server::check;
use holdall::server::check::Options;
use holdall::server::check::rebuild;
use holdall::server::check::rebuild::RebuildOptions;
use holdall::sys::disk::RealDisk;
use holdall::sys::machine::Machine;
use holdall::volume::BlockSums;
use holdall::volume::Identity;
use holdall::volume::Tail;
use holdall::volume::Volume;

use super::scene::Blind;
use crate::rig::Dice;

fn owner(number: u64, written: Timestamp) -> BlobOwner {
    BlobOwner {
        bucket: BucketId(7),
        bucket_name: "bucket".to_owned(),
        key: format!("some/folder/{:03}/object-{number:09}", number % 977),
        part: None,
        begun: written,
        owner: "0123456789abcdef0123456789abcdef".to_owned(),
        headers: ContentHeaders { content_type: Some("image/jpeg".to_owned()), ..ContentHeaders::default() },
        user_metadata: vec![("mtime".to_owned(), "1795617000.123".to_owned())],
        storage_class: String::new(),
        checksum: None,
    }
}

/// What this process has used of all cores; ticks are hundredths of a second on Linux.
fn busy_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, behind_the_name) = stat.rsplit_once(')').unwrap();
    let ticks = behind_the_name.split_whitespace().skip(11).take(2);
    ticks.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

#[test]
#[ignore = "measures; takes minutes and gigabytes"]
fn a_rebuild_and_a_check_of_many_objects() {
    let count: u64 = std::env::var("HOLDALL_SCALE").map_or(100_000, |count| count.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let identity = Identity {
        volume_id: VolumeId::from_bytes([1; 16]),
        deployment_id: DeploymentId::from_bytes([9; 16]),
        created: Timestamp::from_secs(1),
    };
    let volume = Volume::format(Arc::new(RealDisk), directory.path(), identity).unwrap();
    let mut dice = Dice(42);
    let mut busy_before = busy_seconds();
    let mut timed = |what: &str, begun: Instant| {
        let (seconds, busy) = (begun.elapsed().as_secs_f64(), busy_seconds());
        let (rate, cores) = (count as f64 / seconds, busy - busy_before);
        eprintln!("{what}: {seconds:.1} s, {rate:.0} a second; {cores:.1} s of a core");
        busy_before = busy;
    };
    let begun = Instant::now();
    for number in 0..count {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&dice.next().to_be_bytes());
        id[8..].copy_from_slice(&dice.next().to_be_bytes());
        let (blob, written) = (BlobId::from_bytes(id), Timestamp::from_millis(1_795_617_000_000 + number));
        let payload = number.to_be_bytes();
        let mut sums = BlockSums::new();
        sums.update(&payload);
        let owner = owner(number, written).encode();
        let tail = Tail::new((blob, written), 8, &payload, sums, [number as u8; 16], &owner);
        volume.create(blob, Some(8)).unwrap().finish(&tail).unwrap();
    }
    timed("written", begun);
    let mut config = Config::defaults(&Machine::observe());
    config.storage.volumes = vec![directory.path().to_owned()];
    let begun = Instant::now();
    let rebuilt = rebuild::run(&config, RebuildOptions::default(), &Blind).unwrap_or_else(|e| panic!("{e}"));
    timed("rebuilt", begun);
    assert_eq!(rebuilt.objects, count);
    for deep in [false, true] {
        let begun = Instant::now();
        let report = check::run(&config, Options { deep, examples_max: 3 }, &Blind).unwrap();
        timed(if deep { "checked, every block" } else { "checked" }, begun);
        assert!(report.is_clean(), "{report:#?}");
    }
}
