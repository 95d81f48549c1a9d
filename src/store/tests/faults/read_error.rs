use super::*;

#[tokio::test]
async fn reads_go_on_with_another_copy_and_the_bad_one_is_written_down() {
    let ward = Ward::new(3, 3).await;
    for number in 0..6 {
        let key = format!("k{number}");
        ward.put(&key, &body_of(&key)).await;
    }
    ward.break_volume(1, On::Reads, Fault::Errno(EIO));
    for number in 0..6 {
        assert!(ward.get(&format!("k{number}")).await < AT_ONCE);
    }
    // Of those that it was the first choice for, until it had failed.
    let rows = ward.missing();
    assert!(rows.iter().all(|missing| *missing == 1) && rows.len() <= 3, "{rows:?}");
}

#[tokio::test]
async fn a_disk_that_cannot_be_read_is_left_alone_until_a_probe_has_passed() {
    let ward = Ward::new(2, 2).await;
    for number in 0..30 {
        let key = format!("k{number}");
        ward.put(&key, &body_of(&key)).await;
    }
    ward.break_volume(1, On::Reads, Fault::Errno(EIO));
    for number in 0..30 {
        ward.get(&format!("k{number}")).await;
    }
    assert!(matches!(ward.health(1), VolumeHealth::Failed | VolumeHealth::Probing));
    tokio::time::sleep(crate::volume::PROBE_AFTER * 3).await;
    assert!(matches!(ward.health(1), VolumeHealth::Failed | VolumeHealth::Probing), "the probe reads");
    ward.faults.mend();
    ward.becomes(1, VolumeHealth::Suspect).await;
    ward.get("k1").await;
}
