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
