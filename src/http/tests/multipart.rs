use super::Answer;
use super::Server;

async fn create(server: &Server, headers: &[(&str, &str)]) -> String {
    let created = server.send("POST", "/bkt/k?uploads", headers, b"").await;
    assert_eq!(created.status, 200, "{}", created.text());
    created.element("UploadId")
}

async fn complete(server: &Server, id: &str, parts: &[(u32, &str)]) -> Answer {
    let part = |(number, etag): &(u32, &str)| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", etag.replace('"', "&quot;"))
    };
    let parts: String = parts.iter().map(part).collect();
    let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    server.send("POST", &format!("/bkt/k?uploadId={id}"), &[], document.as_bytes()).await
}

#[actix_rt::test]
async fn parts_become_an_object() {
    let server = Server::with_bucket().await;
    let id = create(&server, &[("x-amz-meta-n", "v"), ("x-amz-checksum-algorithm", "CRC32")]).await;
    let first = vec![7; 5 << 20];
    let one = server.send("PUT", &format!("/bkt/k?partNumber=1&uploadId={id}"), &[], &first).await;
    assert_eq!(one.status, 200, "{}", one.text());
    assert!(one.header("x-amz-checksum-crc32").is_some());
    server.send("PUT", "/bkt/src", &[], b"0123456789").await;
    let headers = [("x-amz-copy-source", "/bkt/src"), ("x-amz-copy-source-range", "bytes=2-4")];
    let two = server.send("PUT", &format!("/bkt/k?partNumber=2&uploadId={id}"), &headers, b"").await;
    assert_eq!(two.status, 200, "{}", two.text());
    let listed = server.send("GET", &format!("/bkt/k?uploadId={id}"), &[], b"").await.xml();
    let sizes: Vec<&str> = listed.all("Part").map(|part| part.text_of("Size").unwrap()).collect();
    assert_eq!(sizes, ["5242880", "3"]);
    let uploads = server.send("GET", "/bkt?uploads", &[], b"").await.xml();
    assert_eq!(uploads.child("Upload").unwrap().text_of("UploadId"), Some(id.as_str()));

    let etags = (one.header("etag").unwrap(), two.element("ETag"));
    let done = complete(&server, &id, &[(1, etags.0), (2, &etags.1)]).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(done.element("ETag").ends_with("-2\"") && done.element("Location").ends_with("/bkt/k"));
    assert!(done.element("ChecksumCRC32").ends_with("-2"));
    let again = complete(&server, &id, &[(1, etags.0), (2, &etags.1)]).await;
    assert_eq!(again.element("ETag"), done.element("ETag"), "completing again answers the same");
    let part = server.send("GET", "/bkt/k?partNumber=2", &[], b"").await;
    assert_eq!((part.status, part.body.as_slice()), (206, &b"234"[..]));
    assert_eq!(part.header("x-amz-mp-parts-count"), Some("2"));
    assert_eq!(part.header("x-amz-meta-n"), Some("v"));
    let wanted = [("x-amz-object-attributes", "ObjectParts"), ("x-amz-max-parts", "1")];
    let attributes = server.send("GET", "/bkt/k?attributes", &wanted, b"").await.xml();
    let parts = attributes.child("ObjectParts").unwrap();
    assert_eq!(parts.text_of("PartsCount"), Some("2"));
    assert_eq!((parts.all("Part").count(), parts.text_of("IsTruncated")), (1, Some("true")));
}

#[actix_rt::test]
async fn uploads_end_once() {
    let server = Server::with_bucket().await;
    let id = create(&server, &[]).await;
    let wrong = complete(&server, &id, &[(1, "\"x\"")]).await;
    assert_eq!(wrong.refusal(), (400, "InvalidPart".to_owned()));
    let uri = format!("/bkt/k?uploadId={id}");
    assert_eq!(server.send("POST", &uri, &[], b"").await.refusal(), (400, "MalformedXML".to_owned()));
    assert_eq!(server.send("DELETE", &uri, &[], b"").await.status, 204);
    let late = server.send("PUT", &format!("/bkt/k?partNumber=1&uploadId={id}"), &[], b"x").await;
    assert_eq!(late.refusal(), (404, "NoSuchUpload".to_owned()));
    let unknown = server.send("GET", "/bkt/k?uploadId=nonsense", &[], b"").await;
    assert_eq!(unknown.refusal(), (404, "NoSuchUpload".to_owned()));
}
