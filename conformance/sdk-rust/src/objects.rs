//! Buckets and single objects.

use crate::Suite;
use crate::checks::Outcome;
use crate::checks::equal;
use crate::checks::random_bytes;
use crate::checks::yes;
use crate::explain;
use crate::refused;
use aws_sdk_s3::presigning::PresignedRequest;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;
use aws_sdk_s3::types::ChecksumMode;
use aws_sdk_s3::types::ChecksumType;
use md5::Digest;
use md5::Md5;
use std::fmt::Write as _;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

pub async fn buckets(suite: &Suite) -> Outcome {
    let client = &suite.client;
    client
        .create_bucket()
        .bucket(&suite.bucket)
        .send()
        .await
        .map_err(explain)?;
    let head = client
        .head_bucket()
        .bucket(&suite.bucket)
        .send()
        .await
        .map_err(explain)?;
    equal(
        head.bucket_region().map(str::to_owned),
        std::env::var("AWS_REGION").ok(),
        "x-amz-bucket-region",
    )?;
    let listed = client.list_buckets().send().await.map_err(explain)?;
    yes(
        listed
            .buckets()
            .iter()
            .any(|bucket| bucket.name() == Some(&suite.bucket)),
        "listed",
    )
}

pub async fn put_get(suite: &Suite) -> Outcome {
    for size in [0, 1, 1000, 40_000, 3 * 1024 * 1024 + 1] {
        let (key, body) = (format!("size/{size}"), random_bytes(size, 1));
        let put = suite
            .client
            .put_object()
            .bucket(&suite.bucket)
            .key(&key)
            .content_type("x/y");
        let put = put
            .metadata("colour", "blue")
            .body(ByteStream::from(body.clone()));
        let put = put.send().await.map_err(explain)?;
        equal(put.e_tag(), Some(quoted_md5(&body).as_str()), "ETag")?;
        yes(put.checksum_crc32().is_some(), "the default checksum on PUT")?;
        yes(suite.get(&key).await? == body, format!("{key}: bytes differ"))?;
        let head = suite
            .client
            .head_object()
            .bucket(&suite.bucket)
            .key(&key)
            .send()
            .await
            .map_err(explain)?;
        equal(head.content_length(), Some(size as i64), "length")?;
        equal(head.content_type(), Some("x/y"), "content type")?;
        let colour = head.metadata().and_then(|metadata| metadata.get("colour"));
        equal(colour.map(String::as_str), Some("blue"), "metadata")?;
    }
    Ok(())
}

pub async fn ranges(suite: &Suite) -> Outcome {
    let body = random_bytes(3 * 1024 * 1024 + 11, 2);
    suite.put("range", body.clone()).await?;
    let get = |range: &str| {
        suite
            .client
            .get_object()
            .bucket(&suite.bucket)
            .key("range")
            .range(range)
            .send()
    };
    for (range, expected) in [
        ("bytes=0-9", &body[..10]),
        ("bytes=-7", &body[body.len() - 7..]),
        ("bytes=1048575-1048576", &body[1_048_575..1_048_577]),
    ] {
        let got = get(range)
            .await
            .map_err(explain)?
            .body
            .collect()
            .await
            .map_err(explain)?
            .to_vec();
        yes(got == expected, range)?;
    }
    refused(get("bytes=99999999-").await, "InvalidRange", 416)
}

pub async fn checksums(suite: &Suite) -> Outcome {
    let body = random_bytes(100_000, 3);
    for kind in [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256,
    ] {
        let key = format!("sum/{kind}");
        let put = suite
            .client
            .put_object()
            .bucket(&suite.bucket)
            .key(&key)
            .checksum_algorithm(kind);
        let put = put
            .body(ByteStream::from(body.clone()))
            .send()
            .await
            .map_err(explain)?;
        let get = suite
            .client
            .get_object()
            .bucket(&suite.bucket)
            .key(&key)
            .checksum_mode(ChecksumMode::Enabled);
        let got = get.send().await.map_err(explain)?;
        let sent = [
            put.checksum_crc32(),
            put.checksum_crc32_c(),
            put.checksum_crc64_nvme(),
            put.checksum_sha1(),
            put.checksum_sha256(),
        ];
        let kept = [
            got.checksum_crc32(),
            got.checksum_crc32_c(),
            got.checksum_crc64_nvme(),
            got.checksum_sha1(),
            got.checksum_sha256(),
        ];
        equal(kept, sent, &key)?;
        equal(kept.iter().flatten().count(), 1, "checksums returned")?;
        equal(got.checksum_type(), Some(&ChecksumType::FullObject), "type")?;
        yes(
            got.body.collect().await.map_err(explain)?.to_vec() == body,
            "bytes differ",
        )?;
    }
    let bad = suite
        .client
        .put_object()
        .bucket(&suite.bucket)
        .key("sum/bad")
        .checksum_crc32("AAAAAA==");
    refused(bad.body(ByteStream::from(body)).send().await, "BadDigest", 400)
}

pub async fn conditional(suite: &Suite) -> Outcome {
    let put = |body: &str| {
        let body = ByteStream::from(body.as_bytes().to_vec());
        suite
            .client
            .put_object()
            .bucket(&suite.bucket)
            .key("cond")
            .body(body)
    };
    put("1").if_none_match("*").send().await.map_err(explain)?;
    refused(
        put("2").if_none_match("*").send().await,
        "PreconditionFailed",
        412,
    )?;
    put("2")
        .if_match(quoted_md5(b"1"))
        .send()
        .await
        .map_err(explain)?;
    refused(
        put("3").if_match(quoted_md5(b"1")).send().await,
        "PreconditionFailed",
        412,
    )?;
    equal(suite.get("cond").await?, b"2".to_vec(), "content")?;
    let get = suite
        .client
        .get_object()
        .bucket(&suite.bucket)
        .key("cond")
        .if_none_match(quoted_md5(b"2"));
    let status = get
        .send()
        .await
        .err()
        .and_then(|error| Some(error.raw_response()?.status().as_u16()));
    equal(status, Some(304), "status")
}

pub async fn copy(suite: &Suite) -> Outcome {
    let copy = |source: &str| {
        let source = format!("{}/{source}", suite.bucket);
        suite
            .client
            .copy_object()
            .bucket(&suite.bucket)
            .key("copied")
            .copy_source(source)
            .send()
    };
    let done = copy("size/1000").await.map_err(explain)?;
    let body = random_bytes(1000, 1);
    let etag = done.copy_object_result().and_then(|result| result.e_tag());
    equal(etag, Some(quoted_md5(&body).as_str()), "ETag")?;
    yes(suite.get("copied").await? == body, "bytes differ")?;
    refused(copy("absent").await, "NoSuchKey", 404)
}

pub async fn presigned(suite: &Suite) -> Outcome {
    let minute = PresigningConfig::expires_in(Duration::from_secs(60)).map_err(explain)?;
    let key = "signed/a b+ü";
    let put = suite.client.put_object().bucket(&suite.bucket).key(key);
    let put = put.presigned(minute.clone()).await.map_err(explain)?;
    yes(
        plain(&put, b"presigned").await?.starts_with("HTTP/1.1 200"),
        "PUT",
    )?;
    let get = suite.client.get_object().bucket(&suite.bucket).key(key);
    let reply = plain(&get.presigned(minute).await.map_err(explain)?, b"").await?;
    yes(
        reply.starts_with("HTTP/1.1 200") && reply.ends_with("\r\n\r\npresigned"),
        format!("GET: {reply}"),
    )
}

pub fn quoted_md5(data: &[u8]) -> String {
    let mut text = String::from('"');
    for byte in Md5::digest(data) {
        let _ = write!(text, "{byte:02x}");
    }
    text + "\""
}

/// Sends a presigned request over a socket of its own, as a browser or curl would; gives the whole reply.
async fn plain(request: &PresignedRequest, body: &[u8]) -> Result<String, String> {
    let rest = request
        .uri()
        .strip_prefix("http://")
        .ok_or("the suite speaks plain HTTP only")?;
    let (host, target) = rest.split_at(rest.find('/').ok_or("no path")?);
    let mut head = format!(
        "{} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n",
        request.method()
    );
    for (name, value) in request.headers() {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = write!(head, "Content-Length: {}\r\n\r\n", body.len());
    let mut socket = TcpStream::connect(host).await.map_err(explain)?;
    socket
        .write_all(&[head.as_bytes(), body].concat())
        .await
        .map_err(explain)?;
    let mut reply = Vec::new();
    socket.read_to_end(&mut reply).await.map_err(explain)?;
    Ok(String::from_utf8_lossy(&reply).into_owned())
}
