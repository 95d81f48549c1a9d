use super::Server;

#[actix_rt::test]
async fn a_bucket_lives_and_dies() {
    let server = Server::new();
    let created = server.send("PUT", "/bkt", &[], b"").await;
    assert_eq!((created.status, created.header("location")), (200, Some("/bkt")));
    assert!(created.header("x-amz-request-id").is_some_and(|id| id.len() == 16));
    assert_eq!(server.send("PUT", "/bkt", &[], b"").await.status, 200, "us-east-1 takes it again");
    let elsewhere = b"<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    assert_eq!(server.send("PUT", "/far", &[], elsewhere).await.status, 200);
    let again = server.send("PUT", "/far", &[], elsewhere).await;
    assert_eq!(again.refusal(), (409, "BucketAlreadyOwnedByYou".to_owned()));
    assert_eq!(server.send("DELETE", "/far", &[], b"").await.status, 204);
    let head = server.send("HEAD", "/bkt", &[], b"").await;
    assert_eq!((head.status, head.header("x-amz-bucket-region")), (200, Some("us-east-1")));
    let list = server.send("GET", "/", &[], b"").await.xml();
    let names: Vec<&str> =
        list.child("Buckets").unwrap().all("Bucket").map(|b| b.text_of("Name").unwrap()).collect();
    assert_eq!(names, ["bkt"]);
    assert_eq!(server.send("GET", "/bkt?location", &[], b"").await.xml().text, "");
    server.send("PUT", "/bkt/k", &[], b"x").await;
    assert_eq!(server.send("DELETE", "/bkt", &[], b"").await.refusal(), (409, "BucketNotEmpty".to_owned()));
    server.send("DELETE", "/bkt/k", &[], b"").await;
    assert_eq!(server.send("DELETE", "/bkt", &[], b"").await.status, 204);
    let gone = server.send("HEAD", "/bkt", &[], b"").await;
    assert_eq!((gone.status, gone.body.len()), (404, 0));
}

#[actix_rt::test]
async fn listings_page_and_roll_up() {
    let server = Server::with_bucket().await;
    for key in ["a", "d/1", "d/2", "e%20f", "z"] {
        assert_eq!(server.send("PUT", &format!("/bkt/{key}"), &[], b"x").await.status, 200);
    }
    let page =
        server.send("GET", "/bkt?list-type=2&delimiter=/&max-keys=2&encoding-type=url", &[], b"").await.xml();
    assert_eq!(page.text_of("KeyCount"), Some("2"));
    assert_eq!(page.child("Contents").unwrap().text_of("Key"), Some("a"));
    assert_eq!(page.child("CommonPrefixes").unwrap().text_of("Prefix"), Some("d/"));
    let token = page.text_of("NextContinuationToken").unwrap();
    let uri = format!("/bkt?list-type=2&delimiter=/&encoding-type=url&continuation-token={token}");
    let rest = server.send("GET", &uri, &[], b"").await.xml();
    let keys: Vec<&str> = rest.all("Contents").map(|c| c.text_of("Key").unwrap()).collect();
    assert_eq!((keys.as_slice(), rest.text_of("IsTruncated")), (["e%20f", "z"].as_slice(), Some("false")));
    let first = server.send("GET", "/bkt?marker=d/2", &[], b"").await.xml();
    assert_eq!(first.all("Contents").count(), 2);
    let versions = server.send("GET", "/bkt?versions&max-keys=3", &[], b"").await.xml();
    assert_eq!(versions.all("Version").count(), 3);
    assert_eq!(versions.text_of("NextKeyMarker"), Some("d/2"));
    let refused = server.send("GET", "/bkt?list-type=2&continuation-token=nonsense!", &[], b"").await;
    assert_eq!(refused.refusal(), (400, "InvalidArgument".to_owned()));
}

#[actix_rt::test]
async fn probes_find_a_bucket_without_configuration() {
    let server = Server::with_bucket().await;
    for (sub, status, word) in [
        ("versioning", 200, "VersioningConfiguration"),
        ("acl", 200, "FULL_CONTROL"),
        ("requestPayment", 200, "BucketOwner"),
        ("policy", 404, "NoSuchBucketPolicy"),
        ("cors", 404, "NoSuchCORSConfiguration"),
        ("lifecycle", 404, "NoSuchLifecycleConfiguration"),
        ("tagging", 404, "NoSuchTagSet"),
        ("object-lock", 404, "ObjectLockConfigurationNotFoundError"),
        ("analytics", 501, "NotImplemented"),
    ] {
        let answer = server.send("GET", &format!("/bkt?{sub}"), &[], b"").await;
        assert_eq!(answer.status, status, "{sub}");
        assert!(answer.text().contains(word), "{sub}: {}", answer.text());
        let missing = server.send("GET", &format!("/missing?{sub}"), &[], b"").await;
        let expected = if status == 501 { "NotImplemented" } else { "NoSuchBucket" };
        assert_eq!(missing.element("Code"), expected, "{sub}");
        let put = server.send("PUT", &format!("/bkt?{sub}"), &[], b"<x/>").await;
        assert_eq!(put.refusal(), (501, "NotImplemented".to_owned()), "{sub}");
    }
}

#[actix_rt::test]
async fn a_subdomain_names_the_bucket() {
    let server = Server::with_bucket().await;
    server.send("PUT", "/bkt/k", &[], b"body").await;
    // The signature covers the host, so a wrong one is refused after the bucket was found.
    let answer = server.raw("GET", "/k", &[("host", "bkt.s3.example.com")], b"").await;
    assert_eq!(answer.refusal(), (403, "AccessDenied".to_owned()));
}
