use super::*;

#[tokio::test]
async fn parts_become_one_object_and_nothing_else_stays() {
    for (volumes, replicas) in [(1, 1), (3, 3)] {
        let fixture = Fixture::new(volumes, replicas);
        let bucket = fixture.bucket("bucket").await;
        let id = fixture.begin(&bucket, "key").await;
        let sizes = [LARGE, 0, 700, LARGE / 2];
        let mut whole = Vec::new();
        for (number, size) in sizes.into_iter().enumerate() {
            let bytes = body(number as u64, size);
            fixture.part(&bucket, "key", &id, 3 * number as u16 + 1, &bytes).await;
            whole.extend(bytes);
        }
        // Replaced before the end; the first try must leave nothing.
        fixture.part(&bucket, "key", &id, 10, &body(9, LARGE)).await;
        fixture.part(&bucket, "key", &id, 10, &body(3, LARGE / 2)).await;
        assert_eq!(fixture.usage(&bucket).await, (0, 0), "parts are no objects");
        let Complete::Done(done) = fixture.complete(&bucket, "key", &id).await else { panic!("it was open") };
        assert_eq!(done.size, whole.len() as u64);
        assert_eq!(fixture.usage(&bucket).await, (1, whole.len() as i64));
        assert!(fixture.get(&bucket, "key").await.unwrap() == whole);
        let object = fixture.object(&bucket, "key").await.unwrap();
        assert_eq!(fixture.store.parts_of(&object.record).await.ok().unwrap().len(), sizes.len());
        for (start, end) in [(0, 1), (LARGE - 1, LARGE + 1), (LARGE, LARGE + 700), (LARGE + 699, whole.len())]
        {
            let read = fixture.read(&bucket, "key", &object, start as u64..end as u64).await.unwrap();
            assert!(read == whole[start..end], "{start}..{end}");
        }
        fixture.reclaim_all().await;
        assert_eq!(fixture.files().len(), 2 * replicas);
        assert!(fixture.store.parts(&id, 0, 100).await.unwrap().0.is_empty());
        assert_eq!(fixture.sweep_all().await, 0);
        fixture.delete(&bucket, "key").await;
        fixture.reclaim_all().await;
        assert!(fixture.files().is_empty());
    }
}

#[tokio::test]
async fn a_repeated_completion_gets_the_same_answer_and_changes_nothing() {
    let fixture = Fixture::new(1, 1);
    let bucket = fixture.bucket("bucket").await;
    let id = fixture.begin(&bucket, "key").await;
    fixture.part(&bucket, "key", &id, 1, b"one").await;
    let Complete::Done(first) = fixture.complete(&bucket, "key", &id).await else { panic!("it was open") };
    fixture.put(&bucket, "key", b"newer").await;
    let fixture = fixture.reopen();
    let Complete::Already(second) = fixture.complete(&bucket, "key", &id).await else {
        panic!("it was done")
    };
    assert_eq!((first.etag, first.modified, first.size), (second.etag, second.modified, second.size));
    assert_eq!(fixture.get(&bucket, "key").await.unwrap(), b"newer");
    assert_eq!(fixture.part(&bucket, "key", &id, 2, b"late").await, PutPart::NoSuchUpload);
    assert!(!fixture.store.abort_upload(bucket.record.id, &name("key"), &id).await.unwrap());
}

#[tokio::test]
async fn an_aborted_upload_is_gone_with_its_parts() {
    let fixture = Fixture::new(2, 2);
    let bucket = fixture.bucket("bucket").await;
    let id = fixture.begin(&bucket, "key").await;
    fixture.part(&bucket, "key", &id, 1, &body(1, LARGE)).await;
    fixture.part(&bucket, "key", &id, 2, b"inline").await;
    assert!(fixture.store.upload(bucket.record.id, &name("key"), &id).await.unwrap().is_some());
    assert!(fixture.store.abort_upload(bucket.record.id, &name("key"), &id).await.unwrap());
    assert!(!fixture.store.abort_upload(bucket.record.id, &name("key"), &id).await.unwrap());
    assert!(fixture.store.upload(bucket.record.id, &name("key"), &id).await.unwrap().is_none());
    assert!(matches!(fixture.complete(&bucket, "key", &id).await, Complete::NoSuchUpload));
    assert_eq!(fixture.part(&bucket, "key", &id, 1, b"late").await, PutPart::NoSuchUpload);
    fixture.reclaim_all().await;
    assert!(fixture.files().is_empty());
    let never = fixture.store.new_upload_id();
    assert_eq!(fixture.part(&bucket, "key", &never, 1, b"x").await, PutPart::NoSuchUpload);
    assert_eq!(fixture.part(&bucket, "other", &id, 1, b"x").await, PutPart::NoSuchUpload);
}

/// More parts than a row keeps: they go into a manifest, and with a copy it is another manifest.
#[tokio::test]
async fn an_object_of_many_parts_survives_copy_overwrite_and_delete() {
    let fixture = Fixture::new(1, 1);
    let bucket = fixture.bucket("bucket").await;
    let id = fixture.begin(&bucket, "key").await;
    let count = records::PARTS_IN_ROW_MAX + 5;
    let mut whole = Vec::new();
    for number in 1..=count {
        let bytes = body(number as u64, if number % 7 == 0 { 40_000 } else { 100 });
        fixture.part(&bucket, "key", &id, number as u16, &bytes).await;
        whole.extend(bytes);
    }
    assert!(matches!(fixture.complete(&bucket, "key", &id).await, Complete::Done(_)));
    let source = fixture.object(&bucket, "key").await.unwrap();
    assert_eq!(source.record.body.layout.parts_count(), Some(count));
    let from = (&*bucket, &name("key"), &source);
    let copied = fixture.store.copy_object(from, &bucket, &name("copy"), NewObject::default(), always).await;
    assert!(matches!(copied.unwrap(), CopyOutcome::Done(_)));
    fixture.put(&bucket, "key", b"short").await;
    fixture.reclaim_all().await;
    assert!(fixture.get(&bucket, "copy").await.unwrap() == whole);
    fixture.delete(&bucket, "copy").await;
    fixture.reclaim_all().await;
    assert!(fixture.files().is_empty());
    assert_eq!(fixture.usage(&bucket).await, (1, 5));
}

/// The last part lives with its metadata and is deleted at once; the files of the read wait, and of the read alone.
#[tokio::test]
async fn a_read_under_way_survives_the_delete_of_its_object_and_holds_no_other() {
    let fixture = Fixture::new(1, 1);
    let bucket = fixture.bucket("bucket").await;
    let id = fixture.begin(&bucket, "key").await;
    let whole = [body(1, LARGE), body(2, 700)].concat();
    fixture.part(&bucket, "key", &id, 1, &whole[..LARGE]).await;
    fixture.part(&bucket, "key", &id, 2, &whole[LARGE..]).await;
    fixture.complete(&bucket, "key", &id).await;
    fixture.put(&bucket, "other", &body(3, LARGE)).await;
    let object = fixture.object(&bucket, "key").await.unwrap();
    let range = 0..whole.len() as u64;
    let opened = fixture.store.open(bucket.record.id, &name("key"), &object, range).await;
    let mut reader = opened.ok().unwrap();
    fixture.delete(&bucket, "key").await;
    fixture.delete(&bucket, "other").await;
    fixture.reclaim_all().await;
    assert_eq!(fixture.files().len(), 1, "the other object's file is given back, this one's is held");
    assert!(drain(&mut reader).await.unwrap() == whole);
    drop(reader);
    fixture.reclaim_all().await;
    assert!(fixture.files().is_empty());
}
