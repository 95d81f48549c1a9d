#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod commits;
mod damage;
#[cfg(feature = "failpoints")]
mod faults;
mod listing;
mod memory;
mod offline;
mod replicas;
#[cfg(feature = "failpoints")]
mod votes;

use std::sync::Arc;

use tempfile::TempDir;

use super::db::Database;
use super::records::ContentHeaders;
use super::records::Layout;
use super::records::Object;
use super::records::ObjectBody;
use super::records::ObjectHead;
use super::*;
use crate::base::BucketId;
use crate::base::Timestamp;
use crate::s3::etag::ETag;
use crate::sys::clock::SystemClock;

const BUCKET: BucketId = BucketId(1);

fn options() -> Options {
    Options { durability: Durability::Relaxed, cache_bytes: 4 << 20, write_buffer_bytes: 4 << 20, voters: 1 }
}

fn open(directory: &TempDir) -> Meta {
    let metrics = Arc::new(Metrics::new().unwrap());
    Meta::open(&[ReplicaPlace::new("one", directory.path().join("meta"))], &options(), metrics, &SystemClock)
        .unwrap()
}

/// The database of the leader.
fn database(meta: &Meta) -> Arc<Database> {
    meta.reader().unwrap().database
}

fn object(size: u64) -> Object {
    Object {
        head: ObjectHead {
            size,
            etag: ETag::plain([size as u8; 16]),
            modified: Timestamp::from_secs(1),
            version: 0,
            is_delete_marker: false,
            storage_class: String::new(),
            checksum: None,
            owner: "owner".to_owned(),
        },
        body: ObjectBody {
            headers: ContentHeaders::default(),
            user_metadata: Vec::new(),
            checksum: None,
            layout: Layout::Empty,
        },
    }
}

fn put(key: &str, size: u64) -> Transaction {
    let mut transaction = Transaction::new();
    transaction.put(keys::current(BUCKET, key), &object(size));
    transaction
}
