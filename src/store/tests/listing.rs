use super::*;
use crate::meta::ListQuery;
use crate::meta::UploadQuery;

#[tokio::test]
async fn listing_get_and_head_agree() {
    let fixture = Fixture::new(1, 1);
    let bucket = fixture.bucket("bucket").await;
    let other = fixture.bucket("other").await;
    fixture.put(&other, "a", b"elsewhere").await;
    for key in ["a", "a/b", "a//c", "b/x", "b/y", "c"] {
        fixture.put(&bucket, key, key.as_bytes()).await;
    }
    fixture.delete(&bucket, "c").await;
    let query = ListQuery { delimiter: Some("/".into()), limit: 2, ..ListQuery::default() };
    let page = fixture.store.list_objects(bucket.record.id, query).await.unwrap();
    let names: Vec<_> = page.items.iter().map(|item| item.name().to_owned()).collect();
    assert_eq!((names, page.truncated), (vec!["a".to_owned(), "a/".to_owned()], true));
    let query = ListQuery { limit: 100, ..ListQuery::default() };
    let page = fixture.store.list_objects(bucket.record.id, query).await.unwrap();
    assert_eq!(page.items.len(), 5);
    for item in page.items {
        let crate::meta::ListItem::Object(key, head) = item else { panic!("no delimiter was given") };
        assert_eq!(fixture.object(&bucket, &key).await.unwrap().record.head, head);
        assert_eq!(fixture.get(&bucket, &key).await.unwrap(), key.as_bytes());
    }
}

#[tokio::test]
async fn uploads_are_listed_by_key_then_id_until_they_end() {
    let fixture = Fixture::new(1, 1);
    let bucket = fixture.bucket("bucket").await;
    let mut begun = Vec::new();
    for key in ["b", "a/1", "a", "a\0", "a"] {
        begun.push((key.to_owned(), fixture.begin(&bucket, key).await));
    }
    begun.sort();
    let mut listed = Vec::new();
    let mut query = UploadQuery { limit: 2, ..UploadQuery::default() };
    loop {
        let page = fixture.store.list_uploads(bucket.record.id, query.clone()).await.unwrap();
        listed.extend(page.uploads.iter().map(|upload| (upload.key.clone(), upload.id)));
        if !page.truncated {
            break;
        }
        let (key, id) = page.last.unwrap();
        (query.key_marker, query.upload_marker) = (Some(key), id);
    }
    assert_eq!(listed, begun);
    for (key, id) in &begun {
        assert!(fixture.store.abort_upload(bucket.record.id, &name(key), id).await.unwrap());
    }
    let all = UploadQuery { limit: 10, ..UploadQuery::default() };
    assert!(fixture.store.list_uploads(bucket.record.id, all).await.unwrap().uploads.is_empty());
}
