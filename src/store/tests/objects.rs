use super::*;

/// Around every boundary: the inline limit, a block, a buffer.
const LENGTHS: [usize; 11] = [
    0,
    1,
    32 << 10,
    (32 << 10) + 1,
    64 << 10,
    (64 << 10) + 1,
    (512 << 10) - 1,
    512 << 10,
    (512 << 10) + 1,
    LARGE,
    2 << 20,
];

#[tokio::test]
async fn objects_of_every_odd_length_come_back_whole_and_in_ranges() {
    for (volumes, replicas) in [(1, 1), (3, 2), (3, 3)] {
        let fixture = Fixture::new(volumes, replicas);
        let bucket = fixture.bucket("bucket").await;
        for (seed, length) in LENGTHS.into_iter().enumerate() {
            let (key, bytes) = (format!("k{length}"), body(seed as u64, length));
            let done = fixture.put(&bucket, &key, &bytes).await;
            assert_eq!(done.size, length as u64);
            let object = fixture.object(&bucket, &key).await.unwrap();
            assert_eq!(object.record.head.etag, done.etag);
            for (start, end) in [(0, length), (length / 3, length / 2), (length, length)] {
                let read = fixture.read(&bucket, &key, &object, start as u64..end as u64).await.unwrap();
                assert!(read == bytes[start..end], "{start}..{end} of {length}");
            }
        }
        let total: usize = LENGTHS.iter().sum();
        assert_eq!(fixture.usage(&bucket).await, (LENGTHS.len() as i64, total as i64));
        let large = LENGTHS.iter().filter(|length| **length > 32 << 10).count();
        assert_eq!(fixture.files().len(), large * replicas);
        let fixture = fixture.reopen();
        for (seed, length) in LENGTHS.into_iter().enumerate() {
            let found = fixture.get(&bucket, &format!("k{length}")).await.unwrap();
            assert!(found == body(seed as u64, length), "{length} after a restart");
        }
        assert_eq!(fixture.sweep_all().await, 0, "nothing that a row names is an orphan");
    }
}

#[tokio::test]
async fn overwriting_and_deleting_keep_the_counters_exact_and_give_space_back() {
    let fixture = Fixture::new(1, 1);
    let bucket = fixture.bucket("bucket").await;
    for (old, new) in [(100, LARGE), (LARGE, 100), (LARGE, LARGE), (0, 5), (5, 0)] {
        fixture.put(&bucket, "key", &body(1, old)).await;
        let first = fixture.object(&bucket, "key").await.unwrap();
        fixture.put(&bucket, "key", &body(2, new)).await;
        let second = fixture.object(&bucket, "key").await.unwrap();
        assert!(second.record.head.modified >= first.record.head.modified);
        assert!(fixture.get(&bucket, "key").await.unwrap() == body(2, new));
        assert_eq!(fixture.usage(&bucket).await, (1, new as i64));
        fixture.reclaim_all().await;
        assert_eq!(fixture.files().len(), usize::from(new > 32 << 10));
    }
    assert!(fixture.delete(&bucket, "key").await);
    assert!(!fixture.delete(&bucket, "key").await);
    assert_eq!(fixture.usage(&bucket).await, (0, 0));
    fixture.reclaim_all().await;
    assert!(fixture.files().is_empty());
    assert!(fixture.get(&bucket, "key").await.is_none());
}

#[tokio::test]
async fn a_copy_shares_the_blob_until_the_last_name_is_gone() {
    let fixture = Fixture::new(2, 2);
    let bucket = fixture.bucket("bucket").await;
    for length in [0, 700, LARGE] {
        let bytes = body(3, length);
        fixture.put(&bucket, "a", &bytes).await;
        let files = fixture.files().len();
        for _ in 0..2 {
            let source = fixture.object(&bucket, "a").await.unwrap();
            let from = (&*bucket, &name("a"), &source);
            let copied =
                fixture.store.copy_object(from, &bucket, &name("b"), NewObject::default(), always).await;
            let CopyOutcome::Done(done) = copied.unwrap() else { panic!("the source has not changed") };
            assert_eq!((done.size, done.etag), (length as u64, source.record.head.etag));
        }
        assert_eq!(fixture.files().len(), files, "nothing was copied");
        assert_eq!(fixture.usage(&bucket).await, (2, 2 * length as i64));
        assert!(fixture.delete(&bucket, "a").await);
        fixture.reclaim_all().await;
        assert!(fixture.get(&bucket, "b").await.unwrap() == bytes);
        assert!(fixture.delete(&bucket, "b").await);
        fixture.reclaim_all().await;
        assert!(fixture.files().is_empty());
    }
}

#[tokio::test]
async fn a_copy_onto_itself_changes_the_metadata_and_keeps_the_bytes() {
    let fixture = Fixture::new(1, 1);
    let bucket = fixture.bucket("bucket").await;
    for length in [0, 700, LARGE] {
        fixture.put(&bucket, "a", &body(3, length)).await;
        let source = fixture.object(&bucket, "a").await.unwrap();
        let new = NewObject { user_metadata: vec![("x".into(), "y".into())], ..NewObject::default() };
        let from = (&*bucket, &name("a"), &source);
        let copied = fixture.store.copy_object(from, &bucket, &name("a"), new.clone(), always).await.unwrap();
        assert!(matches!(copied, CopyOutcome::Done(_)));
        fixture.reclaim_all().await;
        let fresh = fixture.object(&bucket, "a").await.unwrap();
        assert_eq!(fresh.record.body.user_metadata, new.user_metadata);
        assert!(fixture.get(&bucket, "a").await.unwrap() == body(3, length));
        assert_eq!(fixture.usage(&bucket).await, (1, length as i64));
        // Whoever copies from what it was before hears that it has changed.
        let stale = fixture.store.copy_object(from, &bucket, &name("b"), new, always).await.unwrap();
        assert!(matches!(stale, CopyOutcome::SourceChanged));
    }
}

#[tokio::test]
async fn a_body_that_breaks_its_promise_or_off_leaves_nothing() {
    let fixture = Fixture::new(2, 2);
    let bucket = fixture.bucket("bucket").await;
    for length in [100, LARGE] {
        let bytes = body(4, length);
        let wrong = Promises { md5: Some([0; 16]), ..Promises::default() };
        let mut source = Body { promises: wrong, ..Body::new(&bytes) };
        let refused = fixture.store.stage(&mut source, plan(Promises::default())).await;
        assert!(matches!(refused.err(), Some(StageError::Md5Mismatch)));
        let wrong = Promises { sha256: Some([0; 32]), ..Promises::default() };
        let mut source = Body { promises: wrong, ..Body::new(&bytes) };
        let refused = fixture.store.stage(&mut source, plan(Promises::default())).await;
        assert!(matches!(refused.err(), Some(StageError::Sha256Mismatch)));
        let mut source = Body { fails_at: Some(length / 3), ..Body::new(&bytes) };
        let refused = fixture.store.stage(&mut source, plan(Promises::default())).await;
        assert!(matches!(refused.err(), Some(StageError::Source(_))));
        let mut source = Body { announced: None, ..Body::new(&bytes) };
        let small = StagePlan { max_bytes: length as u64 - 1, ..plan(Promises::default()) };
        let refused = fixture.store.stage(&mut source, small).await;
        assert!(matches!(refused.err(), Some(StageError::TooLarge { .. })));
    }
    fixture.wait_for_no_files().await;
    assert_eq!(fixture.usage(&bucket).await, (0, 0));
}

/// The future of a request is dropped when its client goes away: at any point, nothing stays.
#[tokio::test]
async fn a_request_that_is_cut_off_leaves_nothing() {
    let fixture = Fixture::new(2, 2);
    for left in [LARGE, LARGE - 40_000, LARGE / 2, 1] {
        let mut source = Body { stalls_at: Some(left), ..Body::new(&body(5, LARGE)) };
        let staging = fixture.store.stage(&mut source, plan(Promises::default()));
        let cut = tokio::time::timeout(std::time::Duration::from_millis(60), staging).await;
        assert!(cut.is_err(), "it waits for bytes that never come");
    }
    fixture.wait_for_no_files().await;
    drop(fixture.stage(&body(6, LARGE)).await);
    fixture.wait_for_no_files().await;
}

impl Fixture {
    /// Files of abandoned uploads go in the background.
    async fn wait_for_no_files(&self) {
        for _ in 0..200 {
            if self.files().is_empty() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("left behind: {:?}", self.files());
    }
}
