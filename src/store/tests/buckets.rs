use super::*;

fn bucket_name(name: &str) -> BucketName {
    BucketName::new(name).unwrap()
}

#[tokio::test]
async fn a_name_is_taken_until_its_bucket_is_deleted() {
    let fixture = Fixture::new(1, 1);
    let first = fixture.bucket("taken").await;
    let again = records::Bucket { id: fixture.store.new_bucket_id(), ..first.record.clone() };
    assert_eq!(
        fixture.store.create_bucket(again.clone()).await.unwrap().unwrap_err().record.id,
        first.record.id
    );
    fixture.put(&first, "key", b"x").await;
    let refused = fixture.store.delete_bucket(&bucket_name("taken")).await.unwrap();
    assert_eq!(refused, DeleteBucket::NotEmpty);
    fixture.delete(&first, "key").await;
    assert_eq!(fixture.store.delete_bucket(&bucket_name("taken")).await.unwrap(), DeleteBucket::Deleted);
    assert_eq!(fixture.store.delete_bucket(&bucket_name("taken")).await.unwrap(), DeleteBucket::NoSuchBucket);
    assert!(fixture.store.bucket(&bucket_name("taken")).await.unwrap().is_none());
    fixture.store.create_bucket(again.clone()).await.unwrap().unwrap();
    assert_eq!(fixture.store.bucket(&bucket_name("taken")).await.unwrap().unwrap().record.id, again.id);
}

#[tokio::test]
async fn nothing_can_be_put_into_a_bucket_that_was_deleted_meanwhile() {
    let fixture = Fixture::new(1, 1);
    let old = fixture.bucket("bucket").await;
    let id = fixture.begin(&old, "up").await;
    let source = fixture.bucket("other").await;
    fixture.put(&source, "key", b"x").await;
    let object = fixture.object(&source, "key").await.unwrap();
    assert_eq!(fixture.store.delete_bucket(&bucket_name("bucket")).await.unwrap(), DeleteBucket::Deleted);
    // One of the same name is another bucket.
    fixture.bucket("bucket").await;
    let staged = fixture.stage(b"late").await;
    let put = fixture.store.put_object(&old, &name("key"), NewObject::default(), staged, always).await;
    assert!(matches!(put, Err(UpdateError::NoSuchBucket)));
    let from = (&*source, &name("key"), &object);
    let copied = fixture.store.copy_object(from, &old, &name("key"), NewObject::default(), always).await;
    assert!(matches!(copied, Err(UpdateError::NoSuchBucket)));
    assert_eq!(fixture.part(&old, "up", &id, 1, b"late").await, PutPart::NoSuchUpload);
    let completed = fixture.store.complete_upload(&old, &name("up"), &id, everything, always).await;
    assert!(matches!(completed, Err(UpdateError::NoSuchBucket)));
    assert_eq!(fixture.usage(&old).await, (0, 0));
}

#[tokio::test]
async fn uploads_of_a_deleted_bucket_are_given_back_by_the_sweep() {
    let fixture = Fixture::new(1, 1);
    let (old, kept) = (fixture.bucket("old").await, fixture.bucket("kept").await);
    let gone = fixture.begin(&old, "up").await;
    let stays = fixture.begin(&kept, "up").await;
    fixture.part(&old, "up", &gone, 1, &body(1, LARGE)).await;
    fixture.part(&kept, "up", &stays, 1, &body(2, LARGE)).await;
    assert_eq!(fixture.store.delete_bucket(&bucket_name("old")).await.unwrap(), DeleteBucket::Deleted);
    let mut after = None;
    while let Some(last) = fixture.store.sweep_uploads(after.take(), 1).await.unwrap() {
        after = Some(last);
    }
    fixture.reclaim_all().await;
    assert_eq!(fixture.files().len(), 1);
    assert!(fixture.store.parts(&gone, 0, 10).await.unwrap().0.is_empty());
    assert_eq!(fixture.store.parts(&stays, 0, 10).await.unwrap().0.len(), 1);
}

#[tokio::test]
async fn buckets_are_listed_in_order_in_pages_and_by_prefix() {
    let fixture = Fixture::new(1, 1);
    for name in ["bbb", "aaa", "aab", "ccc", "aa.b"] {
        fixture.bucket(name).await;
    }
    let names = |page: Vec<records::Bucket>| page.into_iter().map(|bucket| bucket.name).collect::<Vec<_>>();
    let (page, more) = fixture.store.list_buckets(None, "", 3).await.unwrap();
    assert_eq!((names(page), more), (vec!["aa.b".into(), "aaa".into(), "aab".into()], true));
    let (page, more) = fixture.store.list_buckets(Some("aab"), "", 3).await.unwrap();
    assert_eq!((names(page), more), (vec!["bbb".into(), "ccc".into()], false));
    let (page, more) = fixture.store.list_buckets(None, "aa", 3).await.unwrap();
    assert_eq!((names(page), more), (vec!["aa.b".into(), "aaa".into(), "aab".into()], false));
}
