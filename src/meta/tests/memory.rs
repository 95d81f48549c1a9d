use bytes::Bytes;

use super::*;
use crate::base::BlobId;

fn body(number: u8) -> (BlobId, Bytes) {
    (BlobId::from_bytes([number; 16]), Bytes::from(vec![number; 20_000]))
}

fn write(meta: &Meta, numbers: std::ops::Range<u8>) {
    for number in numbers {
        let (id, bytes) = body(number);
        let mut transaction = put(&format!("k{number}"), 1);
        transaction.put_inline(id, &bytes);
        meta.commit(transaction).unwrap();
    }
}

fn flush(meta: &Meta) {
    let database = database(meta);
    for family in Family::ALL {
        database.db.flush_cf(database.family(*family).unwrap()).unwrap();
    }
}

/// What was just written is answered without a disk, from the memtable.
#[test]
fn fresh_rows_and_bodies_are_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    let meta = open(&directory);
    write(&meta, 0..10);
    for number in 0..10 {
        let (id, bytes) = body(number);
        assert_eq!(meta.get_inline(id, Tier::Cached).unwrap(), Lookup::Found(bytes));
        let row = meta.get::<Object>(&keys::current(BUCKET, &format!("k{number}")), Tier::Cached).unwrap();
        assert!(matches!(row, Lookup::Found(_)));
    }
}

/// From files, the first read says that it would have to wait; one from the disk brings it into the cache.
#[test]
fn rows_and_bodies_on_disk_come_into_memory_with_the_first_read() {
    let directory = tempfile::tempdir().unwrap();
    let meta = open(&directory);
    write(&meta, 0..20);
    flush(&meta);
    drop(meta);
    let meta = open(&directory);
    for number in 0..20 {
        let (id, bytes) = body(number);
        let key = keys::current(BUCKET, &format!("k{number}"));
        assert_eq!(meta.get_inline(id, Tier::Cached).unwrap(), Lookup::WouldBlock);
        for tier in [Tier::Any, Tier::Cached] {
            assert_eq!(meta.get_inline(id, tier).unwrap(), Lookup::Found(bytes.clone()), "{number} {tier:?}");
            assert!(matches!(meta.get::<Object>(&key, tier).unwrap(), Lookup::Found(_)), "{number} {tier:?}");
        }
        let absent = keys::current(BUCKET, &format!("k{number}x"));
        assert_eq!(meta.get::<Object>(&absent, Tier::Cached).unwrap(), Lookup::Absent, "the filter knows");
    }
}
