use super::*;

#[tokio::test]
async fn with_one_full_volume_another_takes_the_copy() {
    let ward = Ward::new(3, 2).await;
    ward.break_volume(1, On::Everything, Fault::Room(0));
    for key in ["a", "b", "c", "d", "e", "f"] {
        ward.put(key, &body_of(key)).await;
    }
    assert!(ward.missing().is_empty());
    assert!(ward.fixture.files_of(1).is_empty());
    assert_eq!(ward.health(1), VolumeHealth::Healthy, "it is full, not sick");
}

/// The reserve was still there when the part began.
#[tokio::test]
async fn a_volume_that_fills_up_under_a_write_costs_the_copy() {
    for on in [On::Creates, On::Writes, On::Syncs] {
        let ward = Ward::new(3, 3).await;
        ward.break_volume(1, on, Fault::Errno(ENOSPC));
        ward.put("key", &body_of("key")).await;
        assert_eq!(ward.missing(), [1], "{on:?}");
        ward.get("key").await;
        assert_eq!(ward.health(1), VolumeHealth::Healthy);
    }
}

#[tokio::test]
async fn a_full_store_refuses_puts_serves_and_deletes_and_goes_on_when_there_is_room() {
    for on in [On::Creates, On::Writes] {
        let ward = Ward::new(3, 3).await;
        ward.put("old", &body_of("old")).await;
        ward.put("older", &body_of("older")).await;
        for round in 0..3 {
            (1..3).for_each(|number| ward.break_volume(number, on, Fault::Errno(ENOSPC)));
            for _ in 0..3 {
                let staged = ward.stage(&body_of("new")).await;
                assert!(matches!(staged.err(), Some(StageError::Store(Error::NoSpace))));
            }
            assert!(ward.fixture.object(&ward.bucket, "new").await.is_none());
            ward.get("old").await;
            if round == 0 {
                assert!(ward.fixture.delete(&ward.bucket, "older").await);
                assert_eq!(ward.fixture.reclaim_all().await, 1);
            }
            ward.faults.mend();
            ward.put(&format!("k{round}"), &body_of("k")).await;
        }
        assert!(ward.missing().is_empty());
        // Whatever the refused ones had begun is gone: three copies of old and of each round.
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(ward.fixture.files().len(), 12);
    }
}
