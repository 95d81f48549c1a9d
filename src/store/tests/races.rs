use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn of_many_if_none_match_exactly_one_wins() {
    let fixture = Fixture::new(1, 1);
    let bucket = fixture.bucket("bucket").await;
    for length in [10, 40_000] {
        let key = format!("k{length}");
        let bodies: Vec<_> = (0..32).map(|seed| body(seed, length)).collect();
        let puts = bodies.iter().map(|body| fixture.put_if_none(&bucket, &key, body));
        let results = join_all(puts).await;
        let winners: Vec<_> = (0..32).filter(|writer| results[*writer].is_ok()).collect();
        assert_eq!(winners.len(), 1);
        assert!(fixture.get(&bucket, &key).await.unwrap() == bodies[winners[0]]);
    }
    assert_eq!(fixture.usage(&bucket).await, (2, 40_010));
    // The losers' blobs go in the background, and what is left the sweep would find.
    fixture.sweep_all().await;
    assert_eq!(fixture.files().len(), 1);
}

#[tokio::test]
async fn a_crowd_on_one_key_gets_through() {
    let fixture = Fixture::new(1, 1);
    let bucket = fixture.bucket("bucket").await;
    join_all((0..300).map(|seed| async move { body(seed, 50) }).map(|bytes| async {
        let bytes = bytes.await;
        fixture.put(&bucket, "hot", &bytes).await
    }))
    .await;
    assert_eq!(fixture.usage(&bucket).await, (1, 50));
}

#[tokio::test]
async fn sixteen_completions_at_once_make_one_object() {
    let fixture = Fixture::new(1, 1);
    let bucket = fixture.bucket("bucket").await;
    let id = fixture.begin(&bucket, "key").await;
    for number in 1..=3 {
        fixture.part(&bucket, "key", &id, number, &body(u64::from(number), 50_000)).await;
    }
    let results = join_all((0..16).map(|_| fixture.complete(&bucket, "key", &id))).await;
    let (mut done, mut etags) = (0, Vec::new());
    for result in results {
        match result {
            Complete::Done(committed) => {
                done += 1;
                etags.push((committed.etag, committed.modified));
            }
            Complete::Already(committed) => etags.push((committed.etag, committed.modified)),
            Complete::NoSuchUpload => panic!("it was there"),
        }
    }
    assert_eq!(done, 1);
    etags.dedup();
    assert_eq!(etags.len(), 1);
    assert_eq!(fixture.usage(&bucket).await, (1, 150_000));
}

#[tokio::test]
async fn parts_that_race_the_end_of_their_upload_are_refused_or_swept() {
    for end in 0..2 {
        let fixture = Fixture::new(1, 1);
        let bucket = fixture.bucket("bucket").await;
        let id = fixture.begin(&bucket, "key").await;
        fixture.part(&bucket, "key", &id, 1, b"first").await;
        let parts = join_all((2..20).map(|number| {
            let bytes = body(number, 40_000);
            let (fixture, bucket) = (&fixture, &bucket);
            async move { fixture.part(bucket, "key", &id, number as u16, &bytes).await }
        }));
        let ending = async {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            match end {
                0 => drop(fixture.complete(&bucket, "key", &id).await),
                _ => drop(fixture.store.abort_upload(bucket.record.id, &name("key"), &id).await.unwrap()),
            }
        };
        tokio::join!(parts, ending);
        for (key, row) in fixture.store.ended_uploads(None, 10).await.unwrap() {
            fixture.store.forget_upload(&key, row.record.id, row.revision).await.unwrap();
        }
        assert!(fixture.store.parts(&id, 0, 100).await.unwrap().0.is_empty());
        let listed = match fixture.object(&bucket, "key").await {
            Some(object) => fixture.store.parts_of(&object.record).await.ok().unwrap().len() - 1,
            None => 0,
        };
        fixture.reclaim_all().await;
        fixture.sweep_all().await;
        assert_eq!(fixture.files().len(), listed);
    }
}

#[tokio::test]
async fn a_bucket_is_deleted_or_written_to_never_both() {
    let fixture = Fixture::new(1, 1);
    for round in 0..20 {
        let bucket = fixture.bucket(&format!("bucket{round}")).await;
        let bucket_name = BucketName::new(&bucket.record.name).unwrap();
        let put = async {
            let staged = fixture.stage(b"x").await;
            if round % 2 == 0 {
                tokio::task::yield_now().await;
            }
            fixture.store.put_object(&bucket, &name("key"), NewObject::default(), staged, always).await
        };
        let (put, deleted) = tokio::join!(put, fixture.store.delete_bucket(&bucket_name));
        let exists = fixture.store.bucket(&bucket_name).await.unwrap().is_some();
        match (put, deleted.unwrap()) {
            (Ok(_), DeleteBucket::NotEmpty) => assert!(exists),
            (Err(UpdateError::NoSuchBucket), DeleteBucket::Deleted) => assert!(!exists),
            other => panic!("{other:?}"),
        }
        assert_eq!(fixture.object(&bucket, "key").await.is_some(), exists);
    }
}

#[tokio::test]
async fn readers_see_one_version_whole_while_it_is_overwritten() {
    let fixture = Fixture::new(1, 1);
    let bucket = fixture.bucket("bucket").await;
    fixture.put(&bucket, "key", &body(0, LARGE)).await;
    let writer = async {
        for seed in 1..15 {
            fixture.put(&bucket, "key", &body(seed, LARGE)).await;
            fixture.reclaim_all().await;
        }
    };
    let reader = async {
        let mut read = 0;
        while read < 15 {
            let object = fixture.object(&bucket, "key").await.unwrap();
            match fixture.read(&bucket, "key", &object, 0..LARGE as u64).await {
                Ok(bytes) => assert!((0..15).any(|seed| bytes == body(seed, LARGE)), "a mixture"),
                Err(OpenError::Changed) => {}
                Err(OpenError::Store(error)) => panic!("{error}"),
            }
            read += 1;
        }
    };
    tokio::join!(writer, reader);
}
