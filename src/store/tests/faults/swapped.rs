use super::*;

/// `mv a b`: a sound part under the name of another.
#[tokio::test]
async fn a_part_under_another_name_is_not_taken_for_it() {
    let ward = Ward::new(3, 3).await;
    ward.put("a", &body_of("a")).await;
    let of_a = ward.fixture.files();
    ward.put("b", &body_of("b")).await;
    let name = |path: &Path| path.file_name().unwrap().to_owned();
    let a = name(&of_a[0].1);
    let moved = |volume: usize| {
        let here: Vec<_> = ward.fixture.files().into_iter().filter(|(number, _)| *number == volume).collect();
        let from = &here.iter().find(|(_, path)| name(path) == a).unwrap().1;
        let to = &here.iter().find(|(_, path)| name(path) != a).unwrap().1;
        let bytes = std::fs::read(from).unwrap();
        change(to, |other| *other = bytes);
    };
    for volume in 0..2 {
        moved(volume);
        ward.get("b").await;
        ward.get("a").await;
    }
    moved(2);
    let object = ward.fixture.object(&ward.bucket, "b").await.unwrap();
    let read = ward.fixture.read(&ward.bucket, "b", &object, 0..LARGE as u64).await;
    assert!(matches!(read, Err(OpenError::Store(Error::Damaged { .. }))), "the bytes of a were served as b");
    assert_eq!(ward.missing().len(), 1, "b is short of copies");
}
