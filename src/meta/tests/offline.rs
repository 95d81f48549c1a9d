//! A database that is looked at while nobody has it open.

use std::path::PathBuf;

use super::*;

fn path(directory: &TempDir) -> PathBuf {
    directory.path().join("meta")
}

fn look(directory: &TempDir) -> Result<Offline, Error> {
    Offline::open(&path(directory), 1 << 20)
}

fn keys_of(meta: &Offline) -> Vec<String> {
    let mut rows = meta.rows(&keys::objects(BUCKET)).unwrap();
    let mut found = Vec::new();
    while let Some(row) = rows.next_row().unwrap() {
        assert!(row.decode::<Object>().is_ok());
        let Some(Named::Current(bucket, key)) = row.named() else { panic!("{row:?}") };
        assert_eq!(bucket, BUCKET);
        found.push(key);
    }
    found
}

fn files(directory: &TempDir) -> Vec<(PathBuf, u64)> {
    let entries = std::fs::read_dir(path(directory)).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> = entries.map(|entry| (entry.path(), entry.metadata().unwrap().len())).collect();
    files.sort();
    files
}

#[test]
fn rows_in_files_and_in_the_log_are_seen_and_nothing_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let meta = open(&directory);
    meta.commit(put("b", 1)).unwrap();
    meta.commit(put("a", 2)).unwrap();
    drop(meta);
    // Opening it moved the log into files; this one stays in the new log.
    let meta = open(&directory);
    let mut transaction = put("c", 3);
    transaction.put_inline(crate::base::BlobId::from_bytes([1; 16]), &b"body".to_vec().into());
    let number = meta.commit(transaction).unwrap();
    drop(meta);
    let before = files(&directory);
    let meta = look(&directory).unwrap();
    assert_eq!(keys_of(&meta), ["a", "b", "c"]);
    assert_eq!(meta.commit().unwrap().number, number);
    assert_eq!(meta.deployment().unwrap(), None);
    assert!(meta.contains(&keys::current(BUCKET, "a")).unwrap());
    assert!(!meta.contains(&keys::current(BUCKET, "d")).unwrap());
    assert_eq!(meta.get::<Object>(&keys::current(BUCKET, "a")).unwrap().unwrap().record, object(2));
    let mut inline = meta.rows(&keys::all(Family::Inline)).unwrap();
    assert_eq!(&inline.next_row().unwrap().unwrap().inline().unwrap()[..], b"body");
    assert_eq!(inline.next_row().unwrap(), None);
    assert_eq!(inline.next_row().unwrap(), None);
    drop(inline);
    drop(meta);
    assert_eq!(files(&directory), before);
}

#[test]
fn where_there_is_none_none_is_made() {
    let directory = tempfile::tempdir().unwrap();
    assert!(look(&directory).is_err());
    assert!(!path(&directory).exists());
}

/// A walk that cannot go on says so: it never looks like the end.
#[test]
fn a_damaged_block_is_an_error_and_not_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let meta = open(&directory);
    for number in 0..2_000 {
        meta.commit(put(&format!("key {number:05}"), number)).unwrap();
    }
    drop(meta);
    drop(open(&directory));
    let tables =
        files(&directory).into_iter().filter(|(path, _)| path.extension().is_some_and(|x| x == "sst"));
    let (table, length) = tables.max_by_key(|(_, length)| *length).unwrap();
    let mut bytes = std::fs::read(&table).unwrap();
    bytes[length as usize / 3] ^= 1;
    #[expect(clippy::disallowed_methods, reason = "damage is not synced")]
    std::fs::write(&table, bytes).unwrap();
    let meta = look(&directory).unwrap();
    let mut rows = meta.rows(&keys::objects(BUCKET)).unwrap();
    let ended = loop {
        match rows.next_row() {
            Ok(Some(_)) => {}
            ended => break ended.map(drop),
        }
    };
    assert!(ended.is_err());
}

#[test]
fn what_was_never_put_to_use_can_be_discarded() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(&directory));
    discard(&path(&directory)).unwrap();
    assert!(look(&directory).is_err());
    discard(&path(&directory)).unwrap();
}
