use super::Server;
use crate::auth::sign::SignedPayload;

/// More than fits beside its metadata.
fn large() -> Vec<u8> {
    (0..300_000_u32).map(|i| (i * 7 + i / 251) as u8).collect()
}

#[actix_rt::test]
async fn what_was_put_is_got() {
    let server = Server::with_bucket().await;
    for body in [b"".to_vec(), b"small".to_vec(), large()] {
        let headers =
            [("content-type", "text/x"), ("x-amz-meta-colour", "blue"), ("content-encoding", "gzip")];
        let put = server.send("PUT", "/bkt/a%2Fb", &headers, &body).await;
        assert_eq!(put.status, 200, "{}", put.text());
        assert!(put.header("x-amz-checksum-crc64nvme").is_some() && !put.closes);
        let get = server.send("GET", "/bkt/a/b", &[("x-amz-checksum-mode", "ENABLED")], b"").await;
        assert_eq!((get.status, &get.body), (200, &body));
        assert_eq!(get.header("etag"), put.header("etag"));
        assert_eq!(get.header("x-amz-checksum-crc64nvme"), put.header("x-amz-checksum-crc64nvme"));
        for (name, value) in headers {
            assert_eq!(get.header(name), Some(value));
        }
        let head = server.send("HEAD", "/bkt/a/b", &[], b"").await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.header("etag"), put.header("etag"));
    }
}

#[actix_rt::test]
async fn ranges_and_conditions_choose_what_is_sent() {
    let server = Server::with_bucket().await;
    let body = large();
    let put = server.send("PUT", "/bkt/k", &[], &body).await;
    let etag = put.header("etag").unwrap();
    let range = server.send("GET", "/bkt/k", &[("range", "bytes=100000-199999")], b"").await;
    assert_eq!((range.status, range.body.as_slice()), (206, &body[100_000..200_000]));
    assert_eq!(range.header("content-range"), Some("bytes 100000-199999/300000"));
    let suffix = server.send("GET", "/bkt/k", &[("range", "bytes=-5")], b"").await;
    assert_eq!(suffix.body, body[299_995..]);
    let beyond = server.send("GET", "/bkt/k", &[("range", "bytes=300000-")], b"").await;
    assert_eq!(beyond.refusal(), (416, "InvalidRange".to_owned()));
    assert_eq!(beyond.header("content-range"), Some("bytes */300000"));
    let part = server.send("GET", "/bkt/k?partNumber=1", &[], b"").await;
    assert_eq!((part.status, part.body.len()), (206, 300_000));
    let part = server.send("GET", "/bkt/k?partNumber=2", &[], b"").await;
    assert_eq!(part.refusal(), (400, "InvalidPart".to_owned()));
    let known = server.send("GET", "/bkt/k", &[("if-none-match", etag)], b"").await;
    assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, Some(etag)));
    let other = server.send("GET", "/bkt/k", &[("if-match", "\"x\"")], b"").await;
    assert_eq!(other.refusal(), (412, "PreconditionFailed".to_owned()));
}

#[actix_rt::test]
async fn conditional_writes_are_decided() {
    let server = Server::with_bucket().await;
    let only_new = [("if-none-match", "*")];
    assert_eq!(server.send("PUT", "/bkt/k", &only_new, b"1").await.status, 200);
    let again = server.send("PUT", "/bkt/k", &only_new, b"2").await;
    assert_eq!(again.refusal(), (412, "PreconditionFailed".to_owned()));
    let missing = server.send("PUT", "/bkt/other", &[("if-match", "\"x\"")], b"2").await;
    assert_eq!(missing.refusal(), (404, "NoSuchKey".to_owned()));
    let kept = server.send("DELETE", "/bkt/k", &[("if-match", "\"x\"")], b"").await;
    assert_eq!(kept.refusal(), (412, "PreconditionFailed".to_owned()));
    assert_eq!(server.send("GET", "/bkt/k", &[], b"").await.body, b"1");
}

#[actix_rt::test]
async fn framed_bodies_are_stored_without_their_frame() {
    let server = Server::with_bucket().await;
    let wire = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
    let headers = [
        ("content-encoding", "aws-chunked,gzip"),
        ("x-amz-decoded-content-length", "5"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
        ("x-amz-sdk-checksum-algorithm", "CRC32"),
    ];
    let put = server.send_as(SignedPayload::UnsignedChunks, "PUT", "/bkt/k", &headers, wire).await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(put.header("x-amz-checksum-crc32"), Some("NhCmhg=="));
    let get = server.send("GET", "/bkt/k", &[], b"").await;
    assert_eq!((get.body.as_slice(), get.header("content-encoding")), (&b"hello"[..], Some("gzip")));
    let wrong = b"5\r\nhallo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
    let refused = server.send_as(SignedPayload::UnsignedChunks, "PUT", "/bkt/k", &headers, wrong).await;
    assert_eq!(refused.refusal(), (400, "BadDigest".to_owned()));
    assert_eq!(server.send("GET", "/bkt/k", &[], b"").await.body, b"hello");
}

#[actix_rt::test]
async fn copies_share_bytes_and_choose_metadata() {
    let server = Server::with_bucket().await;
    let body = large();
    server.send("PUT", "/bkt/a%20b", &[("x-amz-meta-n", "old")], &body).await;
    let source = ("x-amz-copy-source", "/bkt/a%20b");
    let copied = server.send("PUT", "/bkt/copy", &[source], b"").await;
    assert_eq!(copied.status, 200, "{}", copied.text());
    assert!(copied.element("ETag").starts_with('"'));
    let get = server.send("GET", "/bkt/copy", &[], b"").await;
    assert_eq!((get.body, get.headers.iter().any(|(n, v)| n == "x-amz-meta-n" && v == "old")), (body, true));
    let onto_itself = server.send("PUT", "/bkt/copy", &[("x-amz-copy-source", "bkt/copy")], b"").await;
    assert_eq!(onto_itself.refusal(), (400, "InvalidRequest".to_owned()));
    let headers =
        [("x-amz-copy-source", "bkt/copy"), ("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-n", "new")];
    assert_eq!(server.send("PUT", "/bkt/copy", &headers, b"").await.status, 200);
    assert_eq!(server.send("HEAD", "/bkt/copy", &[], b"").await.header("x-amz-meta-n"), Some("new"));
}

#[actix_rt::test]
async fn many_are_deleted_at_once() {
    let server = Server::with_bucket().await;
    server.send("PUT", "/bkt/a", &[], b"x").await;
    let delete = b"<Delete><Object><Key>a</Key></Object><Object><Key>never</Key></Object></Delete>";
    let unsure = server.send("POST", "/bkt?delete", &[], delete).await;
    assert_eq!(unsure.refusal(), (400, "InvalidRequest".to_owned()));
    let checksum = {
        let mut hasher = crate::s3::checksum::Hasher::new(crate::s3::checksum::ChecksumAlgorithm::Crc32);
        hasher.update(delete);
        hasher.finish().to_base64()
    };
    let headers = [("x-amz-checksum-crc32", checksum.as_str()), ("x-amz-sdk-checksum-algorithm", "CRC32")];
    let deleted = server.send("POST", "/bkt?delete", &headers, delete).await;
    assert_eq!(deleted.xml().all("Deleted").count(), 2, "{}", deleted.text());
    assert_eq!(server.send("GET", "/bkt/a", &[], b"").await.refusal(), (404, "NoSuchKey".to_owned()));
}

#[actix_rt::test]
async fn attributes_and_probes_of_objects() {
    let server = Server::with_bucket().await;
    server.send("PUT", "/bkt/k", &[], b"hello").await;
    let wanted = [("x-amz-object-attributes", "ETag,ObjectSize,StorageClass,Checksum")];
    let answer = server.send("GET", "/bkt/k?attributes", &wanted, b"").await;
    assert_eq!(answer.element("ETag"), "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(
        (answer.element("ObjectSize"), answer.element("StorageClass")),
        ("5".into(), "STANDARD".into())
    );
    assert!(answer.header("last-modified").is_some());
    assert_eq!(server.send("GET", "/bkt/k?tagging", &[], b"").await.status, 200);
    assert_eq!(server.send("GET", "/bkt/k?acl", &[], b"").await.status, 200);
    let missing = server.send("GET", "/bkt/none?tagging", &[], b"").await;
    assert_eq!(missing.refusal(), (404, "NoSuchKey".to_owned()));
    assert_eq!(server.send("PUT", "/bkt/k?tagging", &[], b"<x/>").await.status, 501);
}

#[actix_rt::test]
async fn presigned_urls_read_and_write() {
    let server = Server::with_bucket().await;
    assert_eq!(server.presigned("PUT", "/bkt/k", &[], b"hello").await.status, 200);
    let uri = "/bkt/k?response-content-type=text%2Fhtml";
    let get = server.presigned("GET", uri, &[], b"").await;
    assert_eq!((get.status, get.header("content-type")), (200, Some("text/html")));
    assert_eq!(get.body, b"hello");
}

/// SDKs move headers into the query of a presigned URL; they count there as they would in the head.
#[actix_rt::test]
async fn headers_in_a_presigned_query_count() {
    let server = Server::with_bucket().await;
    let right = server.presigned("PUT", "/bkt/k?x-amz-checksum-crc32=NhCmhg%3D%3D", &[], b"hello").await;
    assert_eq!((right.status, right.header("x-amz-checksum-crc32")), (200, Some("NhCmhg==")));
    let of_nothing = "/bkt/k?x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32";
    let wrong = server.presigned("PUT", of_nothing, &[], b"hello").await;
    assert_eq!(wrong.refusal(), (400, "BadDigest".to_owned()));
    for lacking in ["x-amz-acl=public-read", "x-amz-tagging=a%3Db", "x-amz-server-side-encryption=AES256"] {
        let refused = server.presigned("PUT", &format!("/bkt/k?{lacking}"), &[], b"other").await;
        assert_eq!(refused.refusal(), (501, "NotImplemented".to_owned()), "{lacking}");
    }
    assert_eq!(server.send("GET", "/bkt/k", &[], b"").await.body, b"hello");
}
