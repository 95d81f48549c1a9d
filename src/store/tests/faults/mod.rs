//! What a volume can do to the store, one file per fault: the answer that clients get, and what is known afterwards.

mod bit_flip;
mod disk;
mod fsync_error;
mod full;
mod hang;
mod read_error;
mod read_only;
mod slow;
mod swapped;
mod truncated;
mod vanished;
mod votes;
mod write_error;
mod zero_length;

use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use super::*;
use crate::store::membership::VolumeHealth;
use crate::volume::BUFFER_BYTES;

use disk::Fault;
use disk::Faults;
use disk::FaultyDisk;
use disk::On;

const EIO: i32 = 5;
const EROFS: i32 = 30;
const ENOSPC: i32 = 28;

/// Longer than a healthy request takes in these tests, shorter than anybody's patience with a copy.
const AT_ONCE: Duration = Duration::from_millis(800);

/// The most that one sick volume may cost.
const ONE_LAG: Duration = Duration::from_millis(1900);

/// A store whose volumes obey.
struct Ward {
    fixture: Fixture,
    faults: Arc<Faults>,
    bucket: Arc<Bucket>,
}

impl Ward {
    async fn new(volumes: u8, replicas: usize) -> Self {
        let faults = Arc::new(Faults::default());
        let disk = Arc::new(FaultyDisk::new(Arc::clone(&faults)));
        let fixture = Fixture::open_on(tempfile::tempdir().unwrap(), disk, volumes, replicas);
        let bucket = fixture.bucket("bucket").await;
        Self { fixture, faults, bucket }
    }

    fn break_volume(&self, number: usize, on: On, fault: Fault) {
        self.faults.add(self.fixture.volumes[number].root(), on, fault);
    }

    async fn put(&self, key: &str, body: &[u8]) -> Duration {
        let begun = Instant::now();
        self.fixture.put(&self.bucket, key, body).await;
        begun.elapsed()
    }

    async fn stage(&self, body: &[u8]) -> Result<Staged, StageError> {
        self.fixture.store.stage(&mut Body::new(body), plan(Promises::default())).await
    }

    async fn get(&self, key: &str) -> Duration {
        let expected = body_of(key);
        let begun = Instant::now();
        let read = self.fixture.get(&self.bucket, key).await;
        let took = begun.elapsed();
        assert!(read.unwrap() == expected, "{key}");
        took
    }

    fn health(&self, number: usize) -> VolumeHealth {
        let id = self.fixture.volumes[number].id();
        let members = self.fixture.store.parts.members();
        members.slot(id).unwrap().health()
    }

    /// Waits until the volume is thought of so.
    async fn becomes(&self, number: usize, health: VolumeHealth) {
        let begun = Instant::now();
        while self.health(number) != health {
            assert!(begun.elapsed() < Duration::from_secs(20), "it is {:?}", self.health(number));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Blobs that copies are missing of, and how many.
    fn missing(&self) -> Vec<u8> {
        self.fixture.repairs().iter().map(|row| row.missing).collect()
    }

    fn hedged(&self) -> u64 {
        self.fixture.store.parts.metrics().reads_hedged.get()
    }
}

/// The body of a key, different for each.
fn body_of(key: &str) -> Vec<u8> {
    body(key.bytes().fold(7, |sum: u64, byte| sum * 31 + u64::from(byte)), LARGE)
}

#[expect(clippy::disallowed_methods, reason = "damage from outside")]
fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

/// With one damaged copy and then with all but one: the answer is right, and what is wrong is written down.
async fn damaged_copies_are_passed_over(damage: impl Fn(&Path)) {
    for first in 0..3 {
        let ward = Ward::new(3, 3).await;
        ward.put("key", &body_of("key")).await;
        let files = ward.fixture.files();
        assert_eq!(files.len(), 3);
        for step in 0..2 {
            damage(&files[(first + step) % 3].1);
            assert!(ward.get("key").await < AT_ONCE);
        }
        for number in 0..3 {
            assert_eq!(ward.health(number), VolumeHealth::Healthy, "the disk has answered");
        }
        damage(&files[(first + 2) % 3].1);
        let object = ward.fixture.object(&ward.bucket, "key").await.unwrap();
        let read = ward.fixture.read(&ward.bucket, "key", &object, 0..LARGE as u64).await;
        assert!(matches!(read, Err(OpenError::Store(Error::Damaged { .. }))), "no good copy, no bytes");
        assert_eq!(ward.missing().len(), 1);
    }
}
