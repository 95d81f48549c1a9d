//! Multipart uploads.

use crate::Suite;
use crate::checks::Outcome;
use crate::checks::equal;
use crate::checks::random_bytes;
use crate::checks::yes;
use crate::explain;
use crate::refused;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;
use aws_sdk_s3::types::ChecksumMode;
use aws_sdk_s3::types::ChecksumType;
use aws_sdk_s3::types::CompletedMultipartUpload;
use aws_sdk_s3::types::CompletedPart;

const PART: usize = 8 * 1024 * 1024;

pub async fn multipart(suite: &Suite) -> Outcome {
    let body = random_bytes(21 * 1024 * 1024, 4);
    let create = suite
        .client
        .create_multipart_upload()
        .bucket(&suite.bucket)
        .key("parts");
    let created = create.send().await.map_err(explain)?;
    let upload = created.upload_id().ok_or("no upload id")?;
    let parts = send_parts(suite, "parts", upload, &body, None).await?;
    let listed = suite
        .client
        .list_parts()
        .bucket(&suite.bucket)
        .key("parts")
        .upload_id(upload);
    let listed = listed.send().await.map_err(explain)?;
    let sizes: Vec<_> = listed.parts().iter().filter_map(|part| part.size()).collect();
    equal(
        sizes,
        vec![PART as i64, PART as i64, 5 * 1024 * 1024],
        "sizes of the parts",
    )?;
    let complete = || {
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(parts.clone()))
            .build();
        let call = suite
            .client
            .complete_multipart_upload()
            .bucket(&suite.bucket)
            .key("parts");
        call.upload_id(upload).multipart_upload(parts).send()
    };
    let first = complete().await.map_err(explain)?;
    let again = complete().await.map_err(explain)?;
    equal(again.e_tag(), first.e_tag(), "Complete repeated")?;
    yes(
        first.e_tag().is_some_and(|etag| etag.ends_with("-3\"")),
        "ETag of three parts",
    )?;
    yes(suite.get("parts").await? == body, "bytes differ")
}

pub async fn full_object(suite: &Suite) -> Outcome {
    let body = random_bytes(9 * 1024 * 1024, 5);
    let kind = ChecksumAlgorithm::Crc64Nvme;
    let create = suite
        .client
        .create_multipart_upload()
        .bucket(&suite.bucket)
        .key("full");
    let created = create
        .checksum_algorithm(kind.clone())
        .send()
        .await
        .map_err(explain)?;
    let upload = created.upload_id().ok_or("no upload id")?;
    let parts = send_parts(suite, "full", upload, &body, Some(kind)).await?;
    let call = suite
        .client
        .complete_multipart_upload()
        .bucket(&suite.bucket)
        .key("full")
        .upload_id(upload);
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let done = call.multipart_upload(parts).send().await.map_err(explain)?;
    equal(done.checksum_type(), Some(&ChecksumType::FullObject), "type")?;
    // The same bytes sent at once have the same checksum.
    let put = suite.client.put_object().bucket(&suite.bucket).key("once");
    let put = put
        .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
        .body(ByteStream::from(body.clone()));
    let put = put.send().await.map_err(explain)?;
    equal(done.checksum_crc64_nvme(), put.checksum_crc64_nvme(), "CRC64NVME")?;
    let get = suite
        .client
        .get_object()
        .bucket(&suite.bucket)
        .key("full")
        .checksum_mode(ChecksumMode::Enabled);
    let got = get
        .send()
        .await
        .map_err(explain)?
        .body
        .collect()
        .await
        .map_err(explain)?
        .to_vec();
    yes(got == body, "bytes differ")
}

pub async fn abort(suite: &Suite) -> Outcome {
    let create = suite
        .client
        .create_multipart_upload()
        .bucket(&suite.bucket)
        .key("aborted");
    let created = create.send().await.map_err(explain)?;
    let upload = created.upload_id().ok_or("no upload id")?;
    let abort = suite
        .client
        .abort_multipart_upload()
        .bucket(&suite.bucket)
        .key("aborted")
        .upload_id(upload);
    abort.send().await.map_err(explain)?;
    let list = suite
        .client
        .list_parts()
        .bucket(&suite.bucket)
        .key("aborted")
        .upload_id(upload);
    refused(list.send().await, "NoSuchUpload", 404)
}

async fn send_parts(
    suite: &Suite,
    key: &str,
    upload: &str,
    body: &[u8],
    kind: Option<ChecksumAlgorithm>,
) -> Result<Vec<CompletedPart>, String> {
    let mut parts = Vec::new();
    for (number, piece) in (1..).zip(body.chunks(PART)) {
        let call = suite
            .client
            .upload_part()
            .bucket(&suite.bucket)
            .key(key)
            .upload_id(upload);
        let call = call.part_number(number).set_checksum_algorithm(kind.clone());
        let sent = call
            .body(ByteStream::from(piece.to_vec()))
            .send()
            .await
            .map_err(explain)?;
        let part = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag().map(str::to_owned));
        let part = part.set_checksum_crc32(sent.checksum_crc32().map(str::to_owned));
        parts.push(
            part.set_checksum_crc64_nvme(sent.checksum_crc64_nvme().map(str::to_owned))
                .build(),
        );
    }
    Ok(parts)
}
