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
    let begun = Instant::now();
    // Lags that run at once count once.
    while matches!(ward.health(1), VolumeHealth::Healthy | VolumeHealth::Suspect) {
        assert!(begun.elapsed() < Duration::from_secs(20));
        for number in 0..12 {
            assert!(ward.get(&format!("k{number}")).await < AT_ONCE);
        }
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
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

/// A disk that is behind in every write, although it answers each time.
#[tokio::test]
async fn writes_go_on_without_a_volume_that_is_always_late_until_it_keeps_pace() {
    let ward = Ward::new(3, 3).await;
    ward.break_volume(1, On::Syncs, Fault::Slow(Duration::from_millis(250)));
    let mut number = 0;
    let begun = Instant::now();
    while ward.health(1) != VolumeHealth::Suspect || number < 8 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        ward.put(&format!("k{number}"), &body_of("k")).await;
        number += 1;
    }
    let mut took = Vec::new();
    for _ in 0..40 {
        took.push(ward.put(&format!("k{number}"), &body_of("k")).await);
        number += 1;
    }
    took.sort_unstable();
    assert!(took[30] < Duration::from_millis(200), "most wait for nothing: {took:?}");
    assert!(took[39] < Duration::from_millis(490), "and none until it has answered: {took:?}");
    // While it is behind with its writes, its reads are no faster: those go to the others too.
    ward.break_volume(1, On::Reads, Fault::Slow(Duration::from_millis(400)));
    let hedged = ward.hedged();
    for number in 0..12 {
        assert!(ward.fixture.get(&ward.bucket, &format!("k{number}")).await.unwrap() == body_of("k"));
    }
    assert_eq!(ward.hedged(), hedged, "it was not asked first");
    // Whoever has fewer copies than there should be says so.
    let copies = ward.fixture.files().len();
    let missing: usize = ward.missing().iter().map(|missing| usize::from(*missing)).sum();
    assert!(
        missing >= 30 && copies + missing >= 3 * number,
        "{copies} copies and {missing} of {number} missing"
    );
    ward.faults.mend();
    let begun = Instant::now();
    while ward.health(1) != VolumeHealth::Healthy {
        assert!(begun.elapsed() < Duration::from_secs(20));
        ward.put("well", &body_of("well")).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let before = ward.missing().len();
    for key in ["a", "b", "c", "d"] {
        ward.put(key, &body_of(key)).await;
    }
    assert_eq!(ward.missing().len(), before, "it gets its copies again");
}

#[tokio::test]
async fn a_volume_that_rests_is_asked_when_the_quorum_needs_it() {
    let ward = Ward::new(3, 3).await;
    ward.break_volume(1, On::Syncs, Fault::Slow(Duration::from_millis(250)));
    let begun = Instant::now();
    let mut number = 0;
    while number < 10 || ward.health(1) != VolumeHealth::Suspect {
        assert!(begun.elapsed() < Duration::from_secs(20));
        ward.put(&format!("k{number}"), &body_of("k")).await;
        number += 1;
    }
    ward.break_volume(2, On::Everything, Fault::Errno(EIO));
    for key in ["a", "b", "c", "d", "e", "f"] {
        ward.put(key, &body_of(key)).await;
        ward.get(key).await;
    }
}

#[tokio::test]
async fn with_room_elsewhere_another_volume_takes_the_copies_of_a_slow_one() {
    let ward = Ward::new(4, 3).await;
    ward.break_volume(1, On::Syncs, Fault::Slow(Duration::from_millis(250)));
    let begun = Instant::now();
    let mut number = 0;
    while number < 12 || ward.health(1) != VolumeHealth::Suspect {
        assert!(begun.elapsed() < Duration::from_secs(20));
        ward.put(&format!("k{number}"), &body_of("k")).await;
        number += 1;
    }
    let before = ward.missing().len();
    for _ in 0..20 {
        ward.put(&format!("k{number}"), &body_of("k")).await;
        number += 1;
    }
    let tried = ward.missing().len() - before;
    assert!(tried <= 8, "all copies were made but those of tries: {tried}");
}
