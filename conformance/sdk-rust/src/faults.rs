//! What goes wrong must go wrong in S3's words.

use crate::Suite;
use crate::checks::Outcome;
use crate::refused;

pub async fn errors(suite: &Suite) -> Outcome {
    let client = &suite.client;
    refused(
        client
            .get_object()
            .bucket(&suite.bucket)
            .key("absent")
            .send()
            .await,
        "NoSuchKey",
        404,
    )?;
    refused(
        client
            .head_object()
            .bucket(&suite.bucket)
            .key("absent")
            .send()
            .await,
        "NotFound",
        404,
    )?;
    let absent = format!("absent-{}", suite.bucket);
    refused(
        client.list_objects_v2().bucket(absent).send().await,
        "NoSuchBucket",
        404,
    )?;
    refused(
        client.delete_bucket().bucket(&suite.bucket).send().await,
        "BucketNotEmpty",
        409,
    )
}
