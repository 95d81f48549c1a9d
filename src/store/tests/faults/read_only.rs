use super::*;

#[tokio::test]
async fn a_read_only_volume_takes_no_writes_and_serves_what_it_has() {
    let ward = Ward::new(3, 3).await;
    ward.put("old", &body_of("old")).await;
    ward.break_volume(1, On::Changes, Fault::Errno(EROFS));
    ward.put("new", &body_of("new")).await;
    assert_eq!(ward.missing(), [1]);
    assert_eq!(ward.health(1), VolumeHealth::ReadOnly, "at once");
    ward.put("newer", &body_of("newer")).await;
    assert_eq!(ward.missing(), [1, 1]);
    // It alone has good copies now.
    for (number, path) in ward.fixture.files() {
        if number != 1 && path.file_name() == ward.fixture.files_of(1)[0].file_name() {
            change(&path, Vec::clear);
        }
    }
    ward.get("old").await;
    ward.faults.mend();
    ward.becomes(1, VolumeHealth::Suspect).await;
    ward.put("again", &body_of("again")).await;
    assert_eq!(ward.health(1), VolumeHealth::Healthy);
}

#[tokio::test]
async fn a_read_only_volume_that_is_replaced_is_a_source_still() {
    let ward = Ward::new(3, 3).await;
    ward.put("old", &body_of("old")).await;
    ward.break_volume(1, On::Changes, Fault::Errno(EROFS));
    ward.put("new", &body_of("new")).await;
    assert_eq!(ward.health(1), VolumeHealth::ReadOnly);
    // It alone has a good copy now.
    let old = ward.fixture.files_of(1)[0].file_name().unwrap().to_owned();
    for (number, path) in ward.fixture.files() {
        if number != 1 && path.file_name() == Some(&old) {
            change(&path, Vec::clear);
        }
    }
    let (store, id) = (&ward.fixture.store, ward.fixture.volumes[1].id());
    let fresh = store.replace_volume(id, &ward.fixture.directory.path().join("fresh")).await.unwrap();
    let blob: BlobId = old.to_str().unwrap().parse().unwrap();
    let restored = store.restore(blob, &Unpaced).await.unwrap();
    assert_eq!((restored.outcome, restored.copies), (Outcome::Whole, 3));
    assert!(store.volumes().iter().any(|volume| volume.id == fresh));
    // What is left on it is given up: there are copies elsewhere.
    store.remove_volume(id, true).await.unwrap();
    ward.get("old").await;
}
