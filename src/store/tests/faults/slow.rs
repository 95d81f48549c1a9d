use super::*;

#[tokio::test]
async fn a_slow_read_is_overtaken_by_another_copy() {
    let ward = Ward::new(2, 2).await;
    for number in 0..8 {
        let key = format!("k{number}");
        ward.put(&key, &body_of(&key)).await;
    }
    ward.break_volume(1, On::Reads, Fault::Slow(Duration::from_millis(600)));
    for number in 0..8 {
        assert!(ward.get(&format!("k{number}")).await < Duration::from_millis(550));
    }
    assert!(ward.hedged() > 0);
    assert!(ward.missing().is_empty(), "slow is not bad");
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(ward.health(1), VolumeHealth::Healthy, "it has answered in time, if not first");
}

#[tokio::test]
async fn what_is_read_ahead_is_overtaken_as_well() {
    let ward = Ward::new(2, 2).await;
    ward.put("key", &body_of("key")).await;
    let blob: BlobId = ward.fixture.files()[0].1.file_name().unwrap().to_str().unwrap().parse().unwrap();
    let first = ward.fixture.store.parts.members().order(blob).next().unwrap().id();
    let first = ward.fixture.volumes.iter().position(|volume| volume.id() == first).unwrap();
    let object = ward.fixture.object(&ward.bucket, "key").await.unwrap();
    let id = ward.bucket.record.id;
    let mut reader = ward.fixture.store.open(id, &name("key"), &object, 0..LARGE as u64).await.ok().unwrap();
    let mut read = std::future::poll_fn(|cx| reader.poll_next(cx)).await.unwrap().unwrap().to_vec();
    // The second chunk is under way; the third will be when the second has been handed out.
    tokio::time::sleep(Duration::from_millis(100)).await;
    ward.break_volume(first, On::Reads, Fault::Slow(Duration::from_millis(700)));
    let begun = Instant::now();
    read.extend(drain(&mut reader).await.unwrap());
    assert!(begun.elapsed() < Duration::from_millis(600), "{:?}", begun.elapsed());
    assert!(read == body_of("key"));
    assert!(ward.hedged() > 0);
}

#[tokio::test]
async fn a_volume_that_reads_far_too_slowly_is_left_alone() {
    let ward = Ward::new(2, 2).await;
    for number in 0..12 {
        let key = format!("k{number}");
        ward.put(&key, &body_of(&key)).await;
    }
    ward.break_volume(1, On::Reads, Fault::Slow(Duration::from_millis(2500)));
    for number in 0..12 {
        assert!(ward.get(&format!("k{number}")).await < AT_ONCE);
    }
    ward.becomes(1, VolumeHealth::Failed).await;
    let hedged = ward.hedged();
    for number in 0..12 {
        assert!(ward.get(&format!("k{number}")).await < AT_ONCE);
    }
    assert_eq!(ward.hedged(), hedged, "it is not asked any more");
}

#[tokio::test]
async fn a_slow_sync_is_waited_for_and_a_far_too_slow_one_is_not() {
    let ward = Ward::new(3, 3).await;
    ward.break_volume(1, On::Syncs, Fault::Slow(Duration::from_millis(250)));
    ward.put("a", &body_of("a")).await;
    assert!(ward.missing().is_empty());
    ward.faults.mend();
    ward.break_volume(1, On::Syncs, Fault::Slow(Duration::from_secs(3)));
    assert!(ward.put("b", &body_of("b")).await < ONE_LAG);
    assert_eq!(ward.missing(), [1]);
    assert_eq!(ward.health(1), VolumeHealth::Suspect);
}

#[tokio::test]
async fn alone_a_slow_volume_is_waited_for() {
    let ward = Ward::new(1, 1).await;
    ward.break_volume(0, On::Changes, Fault::Slow(Duration::from_millis(1200)));
    for key in ["a", "b", "c", "d"] {
        ward.put(key, &body_of(key)).await;
    }
    assert_eq!(ward.health(0), VolumeHealth::Healthy, "there is nothing to measure it by");
}
