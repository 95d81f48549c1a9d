use super::*;

#[tokio::test]
async fn what_a_running_read_still_needs_is_not_reclaimed() {
    let fixture = Fixture::new(1, 1);
    let bucket = fixture.bucket("bucket").await;
    fixture.put(&bucket, "key", &body(1, LARGE)).await;
    let object = fixture.object(&bucket, "key").await.unwrap();
    let range = 0..LARGE as u64;
    let mut reader =
        fixture.store.open(bucket.record.id, &name("key"), &object, range.clone()).await.ok().unwrap();
    fixture.delete(&bucket, "key").await;
    assert_eq!(fixture.reclaim_all().await, 0);
    assert!(drain(&mut reader).await.unwrap() == body(1, LARGE));
    drop(reader);
    assert_eq!(fixture.reclaim_all().await, 1);
    assert!(fixture.files().is_empty());
    let late = fixture.store.open(bucket.record.id, &name("key"), &object, range).await;
    assert!(matches!(late.err(), Some(OpenError::Changed)));
}

/// A replica may show a commit that no majority has yet. Should it be lost, the object is there again.
#[tokio::test]
async fn what_is_not_acknowledged_yet_is_not_reclaimed() {
    let fixture = Fixture::new(1, 1);
    let bucket = fixture.bucket("bucket").await;
    fixture.put(&bucket, "key", &body(1, LARGE)).await;
    fixture.delete(&bucket, "key").await;
    let (key, mut row) = fixture.store.reclaimable(None, 10).await.unwrap().remove(0);
    let revision = std::mem::replace(&mut row.revision, fixture.meta.newest_commit() + 1);
    assert!(!fixture.store.reclaim(&key, &row).await.unwrap());
    assert_eq!(fixture.files().len(), 1);
    row.revision = revision;
    assert!(fixture.store.reclaim(&key, &row).await.unwrap());
    assert!(fixture.files().is_empty());
}

#[tokio::test]
async fn the_sweep_takes_orphans_of_age_and_nothing_else() {
    let fixture = Fixture::new(2, 2);
    let bucket = fixture.bucket("bucket").await;
    fixture.put(&bucket, "named", &body(1, LARGE)).await;
    fixture.put(&bucket, "deleted", &body(2, LARGE)).await;
    fixture.delete(&bucket, "deleted").await;
    let id = fixture.begin(&bucket, "upload").await;
    fixture.part(&bucket, "upload", &id, 1, &body(3, LARGE)).await;
    let staged = fixture.stage(&body(4, LARGE)).await;
    let (number, named) = fixture.files().first().unwrap().clone();
    let orphan = crate::base::BlobId::from_bytes([7; 16]);
    let path = fixture.volumes[number].root().join("blobs/07").join(orphan.to_string());
    std::fs::copy(named, &path).unwrap();
    let volume = fixture.store.volume_ids()[number];
    let young = fixture.store.sweep_volume(volume, None, 100, Timestamp::from_secs(1)).await.unwrap();
    assert_eq!(young.1, 0, "it has just been written");
    assert_eq!(fixture.sweep_all().await, 1);
    assert!(!path.exists());
    let done = fixture.store.put_object(&bucket, &name("late"), NewObject::default(), staged, always).await;
    done.unwrap();
    assert!(fixture.get(&bucket, "late").await.unwrap() == body(4, LARGE));
    assert!(fixture.get(&bucket, "named").await.unwrap() == body(1, LARGE));
    assert!(matches!(fixture.complete(&bucket, "upload", &id).await, Complete::Done(_)));
    assert!(fixture.get(&bucket, "upload").await.unwrap() == body(3, LARGE));
}

#[tokio::test]
async fn new_metadata_beside_old_parts_is_refused() {
    let fixture = Fixture::new(1, 1);
    let bucket = fixture.bucket("bucket").await;
    fixture.put(&bucket, "key", &body(1, LARGE)).await;
    let Fixture { store, volumes, meta, directory, .. } = fixture;
    drop((store, meta));
    std::fs::remove_dir_all(directory.path().join("disk0/meta")).unwrap();
    let options = meta::Options {
        durability: Durability::Relaxed,
        cache_bytes: 1 << 20,
        write_buffer_bytes: 1 << 20,
        voters: 1,
    };
    let metrics = Arc::new(Metrics::new().unwrap());
    let path = directory.path().join("disk0/meta");
    let meta = Arc::new(
        Meta::open(&[meta::ReplicaPlace::new("0", path)], &options, metrics.clone(), &SystemClock).unwrap(),
    );
    let machine = Machine { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy), metrics };
    let settings = Settings { replicas: 1, inline_limit: 1024, upload_memory_bytes: 1 << 20, threads: 1 };
    let refused = Store::new(meta, volumes, machine, settings).err().unwrap();
    assert!(refused.to_string().contains("was it lost?"), "{refused}");
}
