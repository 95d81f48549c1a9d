use std::sync::mpsc;

use super::*;
use crate::base::BlobId;
use crate::meta::records::Usage;

fn expecting(mut transaction: Transaction, expects: impl IntoIterator<Item = Expect>) -> Transaction {
    expects.into_iter().for_each(|expect| transaction.expect(expect));
    transaction
}

fn counted(objects: i64, bytes: i64) -> Transaction {
    let mut transaction = Transaction::new();
    transaction.count(BUCKET, UsageDelta::new(objects, bytes));
    transaction
}

fn revision(meta: &Meta, key: &str) -> Option<u64> {
    let row = meta.get::<Object>(&keys::current(BUCKET, key), Tier::Any).unwrap();
    row.into_option().map(|row| row.revision)
}

#[test]
fn a_refused_transaction_changes_nothing_and_says_which_expectation_failed() {
    let directory = tempfile::tempdir().unwrap();
    let meta = open(&directory);
    let first = meta.commit(put("a", 1)).unwrap();
    let key = || keys::current(BUCKET, "a");
    let mut refused = expecting(put("b", 2), [Expect::Revision(key(), first), Expect::Absent(key())]);
    refused.delete(key());
    refused.count(BUCKET, UsageDelta::new(1, 2));
    assert!(matches!(meta.commit(refused), Err(CommitError::Conflict { which: 1 })));
    assert_eq!((revision(&meta, "a"), revision(&meta, "b")), (Some(first), None));
    assert_eq!(meta.usage(BUCKET).unwrap(), Usage::default());
    assert_eq!(meta.newest_commit(), first, "refused transactions have no number");
    let stale = expecting(put("a", 3), [Expect::Revision(key(), first - 1)]);
    assert!(matches!(meta.commit(stale), Err(CommitError::Conflict { which: 0 })));
    let second = meta.commit(expecting(put("a", 3), [Expect::Revision(key(), first)])).unwrap();
    assert_eq!((second, revision(&meta, "a")), (first + 1, Some(second)));
}

/// Transactions that wait together see those before them in the group, as if each had been written alone.
#[test]
fn expectations_hold_within_one_group() {
    let directory = tempfile::tempdir().unwrap();
    let meta = open(&directory);
    let key = || keys::current(BUCKET, "a");
    let (answers, answer) = mpsc::channel();
    let (hold, held) = mpsc::channel::<()>();
    // The committer waits in the answer of the first, so the rest arrives as one group.
    meta.submit(put("first", 0), move |_| assert!(held.recv().is_err()));
    let submit = |number: usize, transaction: Transaction| {
        let answers = answers.clone();
        meta.submit(transaction, move |result| answers.send((number, result.ok())).unwrap());
    };
    submit(0, counted(0, 0));
    submit(1, expecting(put("a", 1), [Expect::Absent(key()), Expect::Counted(BUCKET)]));
    submit(2, expecting(put("a", 2), [Expect::Absent(key())]));
    submit(3, expecting(counted(1, 5), [Expect::Revision(key(), 4)]));
    submit(4, expecting(Transaction::new(), [Expect::NoObjects(BUCKET)]));
    submit(5, {
        let mut delete = expecting(counted(-1, -5), [Expect::Revision(key(), 4)]);
        delete.delete(key());
        delete
    });
    submit(6, expecting(put("a", 3), [Expect::Absent(key())]));
    submit(7, {
        let mut gone = expecting(Transaction::new(), [Expect::NoObjects(BUCKET)]);
        gone.uncount(BUCKET);
        gone
    });
    submit(8, expecting(put("a", 4), [Expect::Counted(BUCKET)]));
    drop(hold);
    drop(answers);
    let outcomes: Vec<_> = answer.iter().collect();
    let expected = [Some(3), Some(4), None, Some(5), None, Some(6), Some(7), Some(8), None];
    assert_eq!(outcomes, expected.into_iter().enumerate().collect::<Vec<_>>());
    assert_eq!(revision(&meta, "a"), Some(7));
    let stored = meta.get::<Object>(&key(), Tier::Any).unwrap().into_option().unwrap();
    assert_eq!(stored.record.head.size, 3);
    assert_eq!(meta.get::<Usage>(&keys::usage(BUCKET), Tier::Any).unwrap(), Lookup::Absent);
}

#[test]
fn numbers_and_counters_go_on_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let mut last = 0;
    let mut chain = None;
    for round in 1..=4_i64 {
        let meta = open(&directory);
        assert_eq!(meta.newest_commit(), last + 1, "a start is a commit");
        let before = database(&meta).last_commit().unwrap();
        assert!(chain.is_none_or(|chain| chain != before.chain));
        for number in 0..10 {
            last = meta.commit(counted(1, number)).unwrap();
        }
        let after = database(&meta).last_commit().unwrap();
        assert_eq!(after.number, last);
        assert_ne!(after.chain, before.chain);
        chain = Some(after.chain);
        assert_eq!(meta.usage(BUCKET).unwrap(), Usage { objects: 10 * round, bytes: 45 * round });
    }
    assert_eq!(last, 44);
}

#[test]
fn every_waiting_transaction_is_answered_when_the_database_closes() {
    let directory = tempfile::tempdir().unwrap();
    let meta = open(&directory);
    let (answers, answer) = mpsc::channel();
    for number in 0..500 {
        let answers = answers.clone();
        meta.submit(put(&format!("k{number}"), 1), move |result| answers.send(result.unwrap()).unwrap());
    }
    drop((meta, answers));
    assert_eq!(answer.iter().collect::<Vec<_>>(), (2..=501).collect::<Vec<_>>());
    assert_eq!(open(&directory).newest_commit(), 502);
}

#[test]
fn a_row_of_a_newer_format_is_refused_and_a_broken_one_too() {
    let directory = tempfile::tempdir().unwrap();
    let meta = open(&directory);
    meta.commit(put("a", 1)).unwrap();
    let key = keys::current(BUCKET, "a");
    let database = database(&meta);
    let family = database.family(key.family()).unwrap();
    let mut row = database.row(&key).unwrap().unwrap().to_vec();
    row[0] = 2;
    database.db.put_cf(family, key.bytes(), &row).unwrap();
    let newer = meta.get::<Object>(&key, Tier::Any).unwrap_err().to_string();
    assert!(newer.contains("newer than this release"), "{newer}");
    row[0] = 1;
    for length in 0..row.len() {
        database.db.put_cf(family, key.bytes(), &row[..length]).unwrap();
        assert!(meta.get::<Object>(&key, Tier::Any).is_err(), "{length} bytes of {}", row.len());
    }
}

#[test]
fn a_database_of_another_deployment_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let meta = open(&directory);
    assert_eq!(meta.deployment().unwrap(), None);
    meta.bind(DeploymentId::from_bytes([3; 16])).unwrap();
    drop(meta);
    assert_eq!(open(&directory).deployment().unwrap(), Some(DeploymentId::from_bytes([3; 16])));
}

#[test]
fn inline_bodies_come_back_and_a_flipped_bit_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let meta = open(&directory);
    let id = BlobId::from_bytes([4; 16]);
    for length in [0, 1, 1023, 1024, 32 << 10] {
        let body = bytes::Bytes::from(vec![7; length]);
        let mut transaction = Transaction::new();
        transaction.put_inline(id, &body);
        meta.commit(transaction).unwrap();
        assert_eq!(meta.get_inline(id, Tier::Any).unwrap(), Lookup::Found(body));
    }
    let key = keys::inline(id);
    let database = database(&meta);
    let family = database.family(key.family()).unwrap();
    let mut value = database.row(&key).unwrap().unwrap().to_vec();
    value[1000] ^= 1;
    database.db.put_cf(family, key.bytes(), &value).unwrap();
    assert!(meta.get_inline(id, Tier::Any).is_err());
}
