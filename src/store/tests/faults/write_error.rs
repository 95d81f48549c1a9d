use super::*;

#[tokio::test]
async fn a_copy_that_cannot_be_written_is_dropped_and_written_down() {
    for on in [On::Creates, On::Writes, On::Syncs] {
        let ward = Ward::new(3, 3).await;
        ward.break_volume(1, on, Fault::Errno(EIO));
        for (number, key) in ["a", "b", "c", "d"].into_iter().enumerate() {
            assert!(ward.put(key, &body_of(key)).await < AT_ONCE);
            assert_eq!(ward.missing(), vec![1; number + 1], "{on:?}");
            ward.get(key).await;
        }
        assert!(matches!(ward.health(1), VolumeHealth::ReadOnly), "{on:?}");
        ward.faults.mend();
        ward.becomes(1, VolumeHealth::Suspect).await;
        ward.put("e", &body_of("e")).await;
        assert_eq!(ward.health(1), VolumeHealth::Healthy);
        assert_eq!(ward.missing().len(), 4);
    }
}

#[tokio::test]
async fn below_the_quorum_a_write_is_refused_and_nothing_is_seen_of_it() {
    let ward = Ward::new(3, 3).await;
    ward.break_volume(1, On::Writes, Fault::Errno(EIO));
    ward.break_volume(2, On::Writes, Fault::Errno(EIO));
    let staged = ward.stage(&body_of("key")).await;
    assert!(matches!(staged.err(), Some(StageError::Store(Error::Unavailable { .. }))));
    assert!(ward.fixture.object(&ward.bucket, "key").await.is_none());
}
