#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
//! Data written by format 1, kept for ever, is read by every release.
//!
//! `tests/fixtures/format-v1` was made by [`make`] and is never made again: a change that makes this test fail needs a
//! new format number and the old reader beside it, not a new fixture.

#[path = "../rig/mod.rs"]
mod rig;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use holdall::base::BlobId;
use holdall::base::Timestamp;
use holdall::meta::Durability;
use holdall::meta::Expect;
use holdall::meta::Stored;
use holdall::meta::Tier;
use holdall::meta::Transaction;
use holdall::meta::keys;
use holdall::meta::records;
use holdall::meta::records::BlobOwner;
use holdall::meta::records::ContentHeaders;
use holdall::meta::records::Layout;
use holdall::meta::records::Object;
use holdall::meta::records::PartBody;
use holdall::meta::records::UploadOutcome;
use holdall::s3::checksum::ChecksumAlgorithm;
use holdall::s3::checksum::ChecksumType;
use holdall::store::Complete;
use holdall::store::Machine;
use holdall::store::NewObject;
use holdall::sys::clock::ManualClock;
use holdall::sys::entropy::SeededEntropy;
use holdall::sys::metrics::Metrics;
use rig::Rig;
use rig::body;
use rig::name;

const MADE: Timestamp = Timestamp::from_millis(1_795_617_000_123);

/// Keys and the lengths of their bodies; each body's seed is its number in this list plus one.
const PLAIN: [(&str, usize); 8] = [
    ("empty", 0),
    ("one", 1),
    ("inline", 2_000),
    ("blob", 70_000),
    ("a\0b", 10),
    ("\u{10FFFF}", 11),
    ("ü/日本/ key", 12),
    ("overwritten", 5_000),
];

/// Parts of the objects made of parts: lengths of few, and the number of many.
const FEW: [usize; 3] = [5_000, 100, 0];
const MANY: usize = records::PARTS_IN_ROW_MAX + 1;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format-v1")
}

async fn open(directory: &Path, seed: u64) -> Rig {
    let machine = Machine {
        clock: Arc::new(ManualClock::new(MADE)),
        entropy: Arc::new(SeededEntropy::new(seed)),
        metrics: Arc::new(Metrics::new().unwrap()),
    };
    Rig::open_on(directory, (1, 1), Durability::Strict, machine).await.unwrap()
}

/// Everything a client can say about an object.
fn everything() -> NewObject {
    let some = |text: &str| Some(text.to_owned());
    NewObject {
        headers: ContentHeaders {
            content_type: some("text/plain; charset=utf-8"),
            cache_control: some("max-age=60"),
            content_disposition: some("attachment"),
            content_encoding: some("gzip"),
            content_language: some("de"),
            expires: some("Wed, 25 Nov 2026 15:00:00 GMT"),
            website_redirect: some("/elsewhere"),
        },
        user_metadata: vec![("first".into(), "1".into()), ("second".into(), "zwei".into())],
        storage_class: "STANDARD_IA".to_owned(),
        owner: "0123456789abcdef".to_owned(),
    }
}

async fn multipart(rig: &Rig, key: &str, bodies: impl IntoIterator<Item = Vec<u8>>) {
    let id = rig.begin(key).await.unwrap();
    for (number, bytes) in bodies.into_iter().enumerate() {
        assert!(rig.part(key, &id, number as u16 + 1, &bytes).await.unwrap());
    }
    assert!(rig.complete(key, &id).await.unwrap());
}

fn few() -> impl Iterator<Item = Vec<u8>> {
    FEW.into_iter().zip(100..).map(|(length, seed)| body(seed, length))
}

fn many() -> impl Iterator<Item = Vec<u8>> {
    (0..MANY).map(|seed| body(seed as u64, 3))
}

/// Makes the fixture: part of it in RocksDB's files, the rest in its log.
#[tokio::test]
#[ignore = "makes the fixture, which is done once for each format"]
async fn make() {
    let directory = fixture();
    std::fs::create_dir_all(&directory).unwrap();
    let rig = open(&directory, 1).await;
    for (seed, (key, length)) in (1..).zip(PLAIN) {
        rig.put(key, &body(seed + 1000, 4_500)).await.unwrap();
        rig.put(key, &body(seed, length)).await.unwrap();
    }
    multipart(&rig, "few", few()).await;
    drop(rig);
    // Opening it again moves the log's rows into files.
    let rig = open(&directory, 2).await;
    multipart(&rig, "many", many()).await;
    let staged = rig.stage(&body(50, 300)).await.unwrap();
    let key = name("everything");
    let put = rig.store.put_object(&rig.bucket, &key, everything(), staged, |_| Ok::<_, ()>(()));
    put.await.unwrap();
    rig.copy("blob", "copy").await.unwrap();
    rig.delete("one").await.unwrap();
    let open_upload = rig.begin("open").await.unwrap();
    rig.part("open", &open_upload, 7, &body(60, 5_000)).await.unwrap();
    rig.part("open", &open_upload, 9_999, &body(61, 10)).await.unwrap();
    let aborted = rig.begin("aborted").await.unwrap();
    rig.abort("aborted", &aborted).await.unwrap();
    let mut transaction = Transaction::new();
    let blob = BlobId::from_bytes([0xee; 16]);
    transaction.put(keys::repair(blob), &records::Repair { blob, missing: 2, at: MADE });
    transaction.expect(Expect::Absent(keys::repair(blob)));
    rig.meta.commit(transaction).unwrap();
    drop(rig);
    for entry in std::fs::read_dir(directory.join("disk0/meta")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Nothing that reading needs.
        if name.starts_with("LOG") || name.starts_with("OPTIONS") || name == "LOCK" {
            #[expect(clippy::disallowed_methods, reason = "not data of the store")]
            std::fs::remove_file(path).unwrap();
        }
    }
}

/// A copy to open: opening writes. Git keeps no empty directories.
fn copied() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    copy_tree(&fixture(), directory.path());
    for shard in 0..=u8::MAX {
        std::fs::create_dir_all(directory.path().join(format!("disk0/blobs/{shard:02x}"))).unwrap();
    }
    directory
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (entry, to) = (entry.as_ref().unwrap(), to.join(entry.as_ref().unwrap().file_name()));
        match entry.file_type().unwrap().is_dir() {
            true => copy_tree(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}

async fn object(rig: &Rig, key: &str) -> Stored<Object> {
    rig.object(key).await.unwrap().unwrap_or_else(|| panic!("{key:?} is not there"))
}

#[tokio::test]
async fn every_object_of_format_1_is_read() {
    let directory = copied();
    let rig = open(directory.path(), 3).await;
    for (seed, (key, length)) in (1..).zip(PLAIN) {
        let expected = (key != "one").then(|| body(seed, length));
        assert!(rig.get(key, 0..u64::MAX).await.unwrap() == expected, "{key:?}");
    }
    assert!(rig.get("copy", 0..u64::MAX).await.unwrap().unwrap() == body(4, 70_000));
    assert!(rig.get("few", 0..u64::MAX).await.unwrap().unwrap() == few().flatten().collect::<Vec<_>>());
    assert!(rig.get("many", 0..u64::MAX).await.unwrap().unwrap() == many().flatten().collect::<Vec<_>>());
    let listed = rig.all().await.unwrap();
    assert_eq!(listed.len(), PLAIN.len() - 1 + 4);
    assert_eq!(rig.uploads().await.unwrap().len(), 1);
    rig.check_books_before_sweep().await.unwrap();
    rig.tidy_up().await.unwrap();
    rig.check_books(1).await.unwrap();
    rig.put("written now", b"x").await.unwrap();
}

#[tokio::test]
async fn every_field_of_format_1_is_read() {
    let directory = copied();
    let rig = open(directory.path(), 3).await;
    let bucket = &rig.bucket.record;
    assert_eq!(
        (bucket.name.as_str(), bucket.owner.as_str(), bucket.region.as_str()),
        ("bucket", "owner", "us-east-1")
    );
    assert_eq!(bucket.created, Timestamp::from_secs(5));
    assert!(bucket.documents.is_empty());

    let Object { head, body: found } = object(&rig, "everything").await.record;
    let new = everything();
    assert_eq!((head.size, head.modified, head.version, head.is_delete_marker), (300, MADE, 0, false));
    assert_eq!((head.storage_class, head.owner), (new.storage_class, new.owner));
    assert_eq!(head.etag.to_string(), EVERYTHING_MD5);
    assert_eq!(head.checksum, Some((ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject)));
    assert_eq!((found.headers, found.user_metadata), (new.headers, new.user_metadata));
    let checksum = found.checksum.unwrap();
    assert_eq!((checksum.to_text().as_str(), checksum.kind), (EVERYTHING_CRC64, ChecksumType::FullObject));
    assert!(matches!(found.layout, Layout::Inline(_)));

    let few = object(&rig, "few").await;
    let parts = rig.store.parts_of(&few.record).await.ok().unwrap();
    assert_eq!(
        parts.iter().map(|part| (part.number, part.size)).collect::<Vec<_>>(),
        [(1, 5000), (2, 100), (3, 0)]
    );
    assert!(matches!(few.record.body.layout, Layout::Parts(_)));
    let many = object(&rig, "many").await;
    assert!(matches!(many.record.body.layout, Layout::Manifest { count, .. } if usize::from(count) == MANY));
}

/// Part files explain themselves without the metadata.
#[tokio::test]
async fn every_owner_of_format_1_is_read() {
    let directory = copied();
    let rig = open(directory.path(), 3).await;
    let owner = |body: PartBody| {
        let PartBody::Blob(id) = body else { panic!("{body:?}") };
        let part = rig.volumes[0].open_part(id).unwrap();
        assert_eq!(part.footer().created, MADE);
        BlobOwner::decode(&part.owner().unwrap()).unwrap()
    };
    let Layout::Blob(id) = object(&rig, "blob").await.record.body.layout else { panic!("it is large") };
    let (upload_key, upload) = rig.uploads().await.unwrap().remove(0);
    let part = rig.store.parts(&upload, 0, 1).await.unwrap().0.remove(0);
    for (body, key, part) in
        [(PartBody::Blob(id), "blob".to_owned(), None), (part.body, upload_key, Some((upload, part.number)))]
    {
        let expected = BlobOwner {
            bucket: rig.bucket.record.id,
            bucket_name: "bucket".to_owned(),
            key,
            part,
            begun: Timestamp::from_secs(7),
            owner: "owner".to_owned(),
            headers: ContentHeaders::default(),
            user_metadata: Vec::new(),
            storage_class: String::new(),
            checksum: None,
        };
        assert_eq!(owner(body), expected);
    }
}

#[tokio::test]
async fn every_row_of_work_of_format_1_is_read() {
    let directory = copied();
    let rig = open(directory.path(), 3).await;
    let (key, id) = rig.uploads().await.unwrap().remove(0);
    assert_eq!(key, "open");
    let (parts, more) = rig.store.parts(&id, 0, 10).await.unwrap();
    assert_eq!(
        parts.iter().map(|part| (part.number, part.size)).collect::<Vec<_>>(),
        [(7, 5000), (9999, 10)]
    );
    assert!(!more);
    assert!(rig.complete("open", &id).await.unwrap());
    let bytes = [body(60, 5_000), body(61, 10)].concat();
    assert!(rig.get("open", 0..u64::MAX).await.unwrap().unwrap() == bytes);

    let ended = rig.store.ended_uploads(None, 100).await.unwrap();
    let mut outcomes = ended.iter().map(|(_, row)| &row.record.outcome).collect::<Vec<_>>();
    outcomes.sort_by_key(|outcome| matches!(outcome, UploadOutcome::Aborted));
    assert_eq!(outcomes.len(), 4);
    assert_eq!(outcomes.last(), Some(&&UploadOutcome::Aborted));
    let few = object(&rig, "few").await.record.head;
    let again = ended.iter().find(
        |(_, row)| matches!(row.record.outcome, UploadOutcome::Completed { size, .. } if size == few.size),
    );
    let again = again.map(|(_, row)| row.record.id).unwrap();
    let plan = |_: &records::Upload, _: &[records::Part]| Err(());
    let key = name("few");
    let done = rig.store.complete_upload(&rig.bucket, &key, &again, plan, |_| Ok(())).await;
    let Ok(Complete::Already(done)) = done else { panic!("{done:?}") };
    assert_eq!((done.etag, done.modified), (few.etag, few.modified));

    let overwritten = rig.store.reclaimable(None, 100).await.unwrap();
    assert_eq!(overwritten.len(), PLAIN.len());
    let blob = BlobId::from_bytes([0xee; 16]);
    let repair =
        rig.meta.get::<records::Repair>(&keys::repair(blob), Tier::Any).unwrap().into_option().unwrap();
    assert_eq!(repair.record, records::Repair { blob, missing: 2, at: MADE });
}

const EVERYTHING_MD5: &str = "3707b337754b4470285852bb7fddf504";
const EVERYTHING_CRC64: &str = "OM6OcBTtM+A=";
