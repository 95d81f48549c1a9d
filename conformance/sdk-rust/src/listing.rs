//! Listings, odd keys and bulk deletes.

use crate::Suite;
use crate::checks::ODD_KEYS;
use crate::checks::Outcome;
use crate::checks::equal;
use crate::explain;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
use aws_sdk_s3::types::Delete;
use aws_sdk_s3::types::ObjectIdentifier;

pub async fn odd_keys(suite: &Suite) -> Outcome {
    let mut keys: Vec<String> = ODD_KEYS.iter().map(|key| format!("odd/{key}")).collect();
    keys.sort();
    for key in &keys {
        suite.put(key, key.clone().into_bytes()).await?;
    }
    equal(&all(list(suite, "odd/")).await?, &keys, "list")?;
    equal(&all(list(suite, "odd/").max_keys(4)).await?, &keys, "pages of 4")?;
    for key in &keys {
        equal(suite.get(key).await?, key.clone().into_bytes(), key)?;
    }
    delete(suite, &keys).await?;
    equal(all(list(suite, "odd/")).await?, vec![], "left over")
}

pub async fn many(suite: &Suite) -> Outcome {
    let mut keys: Vec<String> = (0..1050)
        .map(|number| format!("list/{}/{number:04}", number % 5))
        .collect();
    for key in &keys {
        suite.put(key, b"1".to_vec()).await?;
    }
    keys.sort();
    equal(&all(list(suite, "list/")).await?, &keys, "all")?;
    equal(
        &all(list(suite, "list/").max_keys(111)).await?,
        &keys,
        "pages of 111",
    )?;
    equal(
        &all(list(suite, "list/").start_after(&keys[1000])).await?[..],
        &keys[1001..],
        "start_after",
    )?;
    let top = list(suite, "list/")
        .delimiter("/")
        .send()
        .await
        .map_err(explain)?;
    equal(
        (top.common_prefixes().len(), top.contents().len(), top.key_count()),
        (5, 0, Some(5)),
        "folders",
    )?;
    delete(suite, &keys).await
}

pub async fn clean(suite: &Suite) -> Outcome {
    delete(suite, &all(list(suite, "")).await?).await?;
    suite
        .client
        .delete_bucket()
        .bucket(&suite.bucket)
        .send()
        .await
        .map_err(explain)?;
    Ok(())
}

fn list(suite: &Suite, prefix: &str) -> ListObjectsV2FluentBuilder {
    suite
        .client
        .list_objects_v2()
        .bucket(&suite.bucket)
        .prefix(prefix)
}

async fn all(request: ListObjectsV2FluentBuilder) -> Result<Vec<String>, String> {
    let mut pages = request.into_paginator().send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(explain)?;
        keys.extend(
            page.contents()
                .iter()
                .filter_map(|item| item.key())
                .map(str::to_owned),
        );
    }
    Ok(keys)
}

async fn delete(suite: &Suite, keys: &[String]) -> Outcome {
    for batch in keys.chunks(1000) {
        let mut objects = Vec::new();
        for key in batch {
            objects.push(ObjectIdentifier::builder().key(key).build().map_err(explain)?);
        }
        let doomed = Delete::builder()
            .set_objects(Some(objects))
            .build()
            .map_err(explain)?;
        let call = suite.client.delete_objects().bucket(&suite.bucket).delete(doomed);
        let reply = call.send().await.map_err(explain)?;
        equal(
            (reply.errors().len(), reply.deleted().len()),
            (0, batch.len()),
            "bulk delete",
        )?;
    }
    Ok(())
}
