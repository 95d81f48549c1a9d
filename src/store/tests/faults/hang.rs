use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn a_hung_volume_costs_a_few_requests_a_second_and_then_nothing() {
    for on in [On::Everything, On::Creates, On::Writes, On::Syncs] {
        let ward = Ward::new(3, 3).await;
        ward.put("old", &body_of("old")).await;
        ward.break_volume(1, on, Fault::Hang);
        for key in ["a", "b", "c"] {
            assert!(ward.put(key, &body_of(key)).await < ONE_LAG, "{on:?}");
            assert!(ward.get(key).await < AT_ONCE);
        }
        assert!(!matches!(ward.health(1), VolumeHealth::Healthy | VolumeHealth::Suspect), "{on:?}");
        for key in ["d", "e", "f"] {
            assert!(ward.put(key, &body_of(key)).await < AT_ONCE, "{on:?}");
            assert!(ward.get(key).await < AT_ONCE);
            assert!(ward.get("old").await < AT_ONCE);
        }
        assert_eq!(ward.missing(), [1; 6], "{on:?}");
        ward.faults.mend();
        ward.becomes(1, VolumeHealth::Suspect).await;
        ward.put("g", &body_of("g")).await;
        assert_eq!(ward.missing().len(), 6, "it takes copies again");
    }
}

/// When all writers are under way at once, they share that second.
#[tokio::test]
async fn many_uploads_on_a_hung_volume_wait_together_and_give_their_buffers_back() {
    let ward = Ward::new(3, 3).await;
    ward.break_volume(1, On::Writes, Fault::Hang);
    let size = 3 * BUFFER_BYTES;
    let uploads = (0..40).map(|number| {
        let ward = &ward;
        async move {
            let body = body(number, size);
            ward.stage(&body).await
        }
    });
    let begun = Instant::now();
    let staged = join_all(uploads).await;
    assert!(staged.iter().all(Result::is_ok));
    // Three buffers for each do not fit: those who wait for one go on when the first have dropped their copies.
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    drop(staged);
    let free = ward.fixture.store.parts.buffers_free();
    assert_eq!(free, (64 << 20) / BUFFER_BYTES, "although threads still hang in their writes");
}

#[tokio::test]
async fn with_room_elsewhere_another_volume_takes_the_copy_of_a_hung_one() {
    let ward = Ward::new(3, 2).await;
    ward.break_volume(1, On::Creates, Fault::Hang);
    for key in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        assert!(ward.put(key, &body_of(key)).await < ONE_LAG);
    }
    assert!(ward.missing().is_empty());
    assert_eq!(ward.health(1), VolumeHealth::ReadOnly);
}

#[tokio::test]
async fn a_hung_volume_that_a_quorum_needs_is_an_error_soon() {
    let ward = Ward::new(2, 2).await;
    ward.break_volume(1, On::Everything, Fault::Hang);
    let uploads = (0..4).map(|_| ward.stage(b"x".repeat(LARGE).leak()));
    let begun = Instant::now();
    let staged = join_all(uploads).await;
    assert!(staged.iter().all(|staged| matches!(staged, Err(StageError::Store(Error::Unavailable { .. })))));
    assert!(begun.elapsed() < Duration::from_secs(17));
    let begun = Instant::now();
    assert!(ward.stage(&body_of("late")).await.is_err());
    assert!(begun.elapsed() < AT_ONCE);
}
