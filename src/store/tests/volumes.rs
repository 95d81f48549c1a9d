use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// Flips a byte of the payload.
fn corrupt(path: &std::path::Path) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[LARGE / 2] ^= 1;
    #[expect(clippy::disallowed_methods, reason = "damage from outside")]
    std::fs::write(path, bytes).unwrap();
}

fn remove(path: &std::path::Path) {
    #[expect(clippy::disallowed_methods, reason = "damage from outside")]
    std::fs::remove_file(path).unwrap();
}

fn truncate(path: &std::path::Path) {
    std::fs::File::options().write(true).open(path).unwrap().set_len(1000).unwrap();
}

/// With every copy but one damaged, in every way and whichever copy it is, the read succeeds and says so.
#[tokio::test]
async fn a_read_goes_on_with_the_next_copy_and_files_a_repair() {
    for damage in [corrupt, remove, truncate] {
        for good in 0..3 {
            let fixture = Fixture::new(3, 3);
            let bucket = fixture.bucket("bucket").await;
            fixture.put(&bucket, "key", &body(1, LARGE)).await;
            let files = fixture.files();
            assert_eq!(files.len(), 3);
            files.iter().filter(|(volume, _)| *volume != good).for_each(|(_, path)| damage(path));
            assert!(fixture.get(&bucket, "key").await.unwrap() == body(1, LARGE));
            let repairs = fixture.repairs();
            // Unless the good copy happened to be the first choice.
            assert!(repairs.len() <= 1);
            let before = fixture.meta.newest_commit();
            for _ in 0..3 {
                assert!(fixture.get(&bucket, "key").await.unwrap() == body(1, LARGE));
            }
            assert_eq!(fixture.meta.newest_commit(), before, "known damage is not written down again");
        }
    }
}

#[tokio::test]
async fn without_a_good_copy_the_read_fails_and_no_wrong_byte_is_served() {
    let fixture = Fixture::new(2, 2);
    let bucket = fixture.bucket("bucket").await;
    fixture.put(&bucket, "key", &body(1, LARGE)).await;
    fixture.files().iter().for_each(|(_, path)| corrupt(path));
    let object = fixture.object(&bucket, "key").await.unwrap();
    let mut reader =
        fixture.store.open(bucket.record.id, &name("key"), &object, 0..LARGE as u64).await.ok().unwrap();
    let mut served = Vec::new();
    let error = loop {
        match std::future::poll_fn(|cx| reader.poll_next(cx)).await {
            Some(Ok(chunk)) => served.extend_from_slice(&chunk),
            Some(Err(error)) => break error,
            None => panic!("an end instead of an error"),
        }
    };
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    assert!(served == body(1, LARGE)[..served.len()]);
    assert_eq!(fixture.repairs().len(), 1);
}

/// Makes a volume refuse new parts: its shard directories become files.
fn break_volume(fixture: &Fixture, number: usize) {
    let blobs = fixture.volumes[number].root().join("blobs");
    #[expect(clippy::disallowed_methods, reason = "damage from outside")]
    std::fs::rename(&blobs, blobs.with_extension("away")).unwrap();
    std::fs::File::create(&blobs).unwrap().set_permissions(std::fs::Permissions::from_mode(0o400)).unwrap();
}

#[tokio::test]
async fn a_dead_volume_of_three_costs_a_repair_row_and_nothing_else() {
    let fixture = Fixture::new(3, 3);
    let bucket = fixture.bucket("bucket").await;
    break_volume(&fixture, 1);
    fixture.put(&bucket, "key", &body(1, LARGE)).await;
    let repairs = fixture.repairs();
    assert_eq!(repairs.len(), 1);
    assert_eq!(repairs[0].missing, 1);
    assert!(fixture.get(&bucket, "key").await.unwrap() == body(1, LARGE));
}

#[tokio::test]
async fn with_room_elsewhere_another_volume_takes_the_copy() {
    let fixture = Fixture::new(3, 2);
    let bucket = fixture.bucket("bucket").await;
    break_volume(&fixture, 2);
    for number in 0..6 {
        fixture.put(&bucket, &format!("k{number}"), &body(number, 50_000)).await;
    }
    assert!(fixture.repairs().is_empty());
    for number in 0..6 {
        assert!(fixture.get(&bucket, &format!("k{number}")).await.unwrap() == body(number, 50_000));
    }
}

#[tokio::test]
async fn below_the_quorum_nothing_is_visible() {
    let fixture = Fixture::new(3, 3);
    let bucket = fixture.bucket("bucket").await;
    break_volume(&fixture, 1);
    break_volume(&fixture, 2);
    let staged = fixture.store.stage(&mut Body::new(&body(1, LARGE)), plan(Promises::default())).await;
    assert!(matches!(staged.err(), Some(StageError::Store(Error::Unavailable { .. }))));
    assert!(fixture.object(&bucket, "key").await.is_none());
    assert_eq!(fixture.usage(&bucket).await, (0, 0));
    // What fits inline needs no volume but that of the metadata.
    fixture.put(&bucket, "small", b"x").await;
}
