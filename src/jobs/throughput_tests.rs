#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
//! Figures, not tests: how fast a lost volume is filled again and how fast a scrub reads, beside what the disk does without
//! us. `cargo test --profile quick --lib throughput -- --ignored --nocapture`, on a machine that does nothing else.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use super::Command;
use super::Control;
use super::Rebalance;
use super::Repair;
use super::Scrub;
use super::worker::Job;
use super::worker::Step;
use crate::store::tests::Fixture;
use crate::store::tests::body;
use crate::sys::clock::SystemClock;
use crate::sys::disk::Disk as _;
use crate::sys::disk::NewFile;
use crate::sys::disk::RealDisk;
use crate::volume::AlignedBuffer;

const OBJECTS: u64 = 60;
const LENGTHS: [usize; 3] = [1 << 20, 4 << 20, 16 << 20];

async fn run(job: &mut dyn Job, control: &Control) -> f64 {
    let begun = Instant::now();
    while job.step(control).await.unwrap() == Step::Busy {}
    begun.elapsed().as_secs_f64()
}

/// Reads files one after the other, past the page cache as far as it goes; writes them elsewhere and syncs when asked to.
fn plain(files: &[std::path::PathBuf], to: Option<&Path>) -> f64 {
    let begun = Instant::now();
    for (number, path) in files.iter().enumerate() {
        let file = RealDisk.open(path).unwrap();
        let length = file.length().unwrap();
        let copy = to.map(|to| {
            let new = NewFile { direct: true, reserve_bytes: length };
            RealDisk.create(&to.join(number.to_string()), new).unwrap()
        });
        let mut at = 0;
        while at < length {
            let mut bytes = vec![0; (length - at).min(1 << 20) as usize];
            file.read_at(&mut bytes, at).unwrap();
            file.forget(at, bytes.len() as u64);
            if let Some(copy) = &copy {
                let mut buffer = AlignedBuffer::with_capacity(bytes.len());
                buffer.fill_from(&bytes);
                copy.write_at(buffer.padded(), at).unwrap();
            }
            at += bytes.len() as u64;
        }
        if let Some(copy) = copy {
            copy.set_length(length).unwrap();
            copy.sync().unwrap();
        }
    }
    begun.elapsed().as_secs_f64()
}

#[tokio::test]
#[ignore = "it measures the machine"]
async fn a_lost_volume_and_a_scrub_beside_the_disk_alone() {
    let fixture = Fixture::new(3, 3);
    let bucket = fixture.bucket("bucket").await;
    for number in 0..OBJECTS {
        let length = LENGTHS[number as usize % LENGTHS.len()];
        fixture.put(&bucket, &format!("k{number}"), &body(number, length)).await;
    }
    let files = fixture.files();
    let of = |volume: usize| {
        let some = files.iter().filter(|(number, _)| *number == volume);
        some.map(|(_, path)| path.clone()).collect::<Vec<_>>()
    };
    let megabytes = |files: &[std::path::PathBuf]| {
        files.iter().map(|path| std::fs::metadata(path).unwrap().len()).sum::<u64>() as f64 / 1e6
    };
    let lost = of(1);
    let (size, elsewhere) = (megabytes(&lost), tempfile::tempdir().unwrap());
    let copied = plain(&of(0), Some(elsewhere.path()));
    #[expect(clippy::disallowed_methods, reason = "damage from outside")]
    lost.iter().for_each(|path| std::fs::remove_file(path).unwrap());
    let control = Control::new("job", 0, Arc::default(), Arc::new(SystemClock));
    run(&mut Rebalance::new(Arc::clone(&fixture.store), Arc::new(SystemClock)), &control).await;
    let repaired = run(&mut Repair::new(Arc::clone(&fixture.store)), &control).await;
    assert!(fixture.repairs().is_empty());
    println!("plain copy {:.0} MB/s, repair {:.0} MB/s", size / copied, size / repaired);
    let all: Vec<_> = files.iter().map(|(_, path)| path.clone()).collect();
    let (size, read) = (megabytes(&all), plain(&all, None));
    let mut scrub = Scrub::new(Arc::clone(&fixture.store), Arc::new(SystemClock), Duration::from_secs(1));
    control.command(Command::Start);
    let scrubbed = run(&mut scrub, &control).await;
    println!("plain read {:.0} MB/s, scrub {:.0} MB/s", size / read, size / scrubbed);
}
