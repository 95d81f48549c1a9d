use super::*;

#[expect(clippy::disallowed_methods, reason = "damage from outside")]
fn rename(from: &Path, to: &Path) {
    std::fs::rename(from, to).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "damage from outside")]
fn make_directory(path: &Path) {
    std::fs::create_dir(path).unwrap();
}

#[tokio::test]
async fn a_volume_that_vanishes_costs_repair_rows_and_its_mount_point_stays_empty() {
    let ward = Ward::new(3, 3).await;
    ward.put("old", &body_of("old")).await;
    let root = ward.fixture.volumes[1].root().to_owned();
    let away = root.with_extension("away");
    rename(&root, &away);
    make_directory(&root);
    for (number, key) in ["a", "b", "c", "d"].into_iter().enumerate() {
        assert!(ward.put(key, &body_of(key)).await < AT_ONCE);
        assert!(ward.get(key).await < AT_ONCE);
        assert!(ward.get("old").await < AT_ONCE);
        assert!(ward.missing().len() > number);
    }
    assert!(!matches!(ward.health(1), VolumeHealth::Healthy));
    tokio::time::sleep(crate::volume::PROBE_AFTER * 3).await;
    assert!(!matches!(ward.health(1), VolumeHealth::Healthy));
    assert_eq!(std::fs::read_dir(&root).unwrap().count(), 0, "nothing was written where no volume is");
    #[expect(clippy::disallowed_methods, reason = "the disk comes back")]
    std::fs::remove_dir(&root).unwrap();
    rename(&away, &root);
    ward.becomes(1, VolumeHealth::Suspect).await;
    let rows = ward.missing().len();
    ward.put("e", &body_of("e")).await;
    assert_eq!(ward.missing().len(), rows, "it takes copies again");
}
