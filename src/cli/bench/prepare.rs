//! What must be there before a run, and what is left after it.

use std::cell::Cell;
use std::rc::Rc;

use anyhow::Context as _;
use anyhow::anyhow;

use crate::cli::bench::client::Body;
use crate::cli::bench::client::Call;
use crate::cli::bench::client::Failure;
use crate::cli::bench::client::Keep;
use crate::cli::bench::progress;
use crate::cli::bench::target::Target;
use crate::cli::bench::workload::ObjectPath;
use crate::cli::bench::workload::Workload;
use crate::cli::bench::workload::list_page;
use crate::cli::bench::workload::prepared_identity;
use crate::cli::bench::workload::put;

/// Connections that prepare and clear.
const WORKERS: usize = 16;

/// Creates the bucket when it is missing; says whether it did.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub async fn bucket(target: &Target, bucket: &str) -> anyhow::Result<bool> {
    let mut connection = target.connection(0);
    let path = format!("/{bucket}");
    let call = |method, body| Call { method, path: &path, query: "", body, keep: Keep::Nothing };
    match connection.send(&call("HEAD", Body::Empty)).await {
        Ok(_) => return Ok(false),
        Err(Failure::Status(404, _)) => {}
        Err(error) => return Err(anyhow!(error).context(format!("{}: bucket {bucket}", target.name))),
    }
    let document = match target.region() {
        "us-east-1" => String::new(),
        region => format!(
            "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        ),
    };
    let made = connection.send(&call("PUT", Body::Bytes(document.as_bytes()))).await;
    made.with_context(|| format!("{}: cannot create bucket {bucket}", target.name))?;
    Ok(true)
}

/// Deletes the bucket; it is empty.
///
/// # Errors
/// When the server refuses.
pub async fn remove_bucket(target: &Target, bucket: &str) -> anyhow::Result<()> {
    let path = format!("/{bucket}");
    let call = Call { method: "DELETE", path: &path, query: "", body: Body::Empty, keep: Keep::Nothing };
    let removed = target.connection(0).send(&call).await;
    removed.map(drop).with_context(|| format!("{}: cannot delete bucket {bucket}", target.name))
}

/// Writes the objects that `workload` needs.
///
/// # Errors
/// When one cannot be written.
pub async fn objects(
    target: &Rc<Target>,
    bucket: &str,
    workload: &Workload,
    quiet: bool,
) -> anyhow::Result<()> {
    let (size, count, prefix) = (workload.size, workload.objects, workload.prefix());
    let bar = progress::bar(count, &format!("{}: preparing", target.name), quiet);
    let next = Rc::new(Cell::new(0));
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let (target, next, bar) = (Rc::clone(target), Rc::clone(&next), bar.clone());
        let mut path = ObjectPath::new(bucket, &prefix);
        workers.push(tokio::task::spawn_local(async move {
            let mut connection = target.connection(size);
            while next.get() < count {
                let index = next.replace(next.get() + 1);
                put(&mut connection, path.of(index), prepared_identity(size, index), size).await?;
                bar.inc(1);
            }
            Ok::<_, Failure>(())
        }));
    }
    for worker in workers {
        worker.await?.with_context(|| format!("{}: cannot prepare objects", target.name))?;
    }
    bar.finish_and_clear();
    Ok(())
}

/// Deletes every object whose key begins with `prefix`.
///
/// # Errors
/// When they cannot be listed or deleted.
pub async fn clear(target: &Rc<Target>, bucket: &str, prefix: &str, quiet: bool) -> anyhow::Result<()> {
    let bar = progress::bar(0, &format!("{}: clearing", target.name), quiet);
    let bucket_path = format!("/{bucket}");
    let mut connection = target.connection(0);
    loop {
        // Always the first page: what it named is gone when the next is asked for.
        let page = list_page(&mut connection, &bucket_path, prefix, None).await;
        let page = page.with_context(|| format!("{}: cannot list", target.name))?;
        if page.keys == 0 {
            break;
        }
        let keys = Rc::new(std::cell::RefCell::new(keys_of(connection.body())));
        let mut workers = Vec::new();
        for _ in 0..WORKERS {
            let (target, keys, bucket_path) = (Rc::clone(target), Rc::clone(&keys), bucket_path.clone());
            workers.push(tokio::task::spawn_local(async move {
                let mut connection = target.connection(0);
                loop {
                    let Some(key) = keys.borrow_mut().pop() else {
                        return Ok::<_, Failure>(());
                    };
                    let path = format!("{bucket_path}/{key}");
                    let (body, keep) = (Body::Empty, Keep::Nothing);
                    connection.send(&Call { method: "DELETE", path: &path, query: "", body, keep }).await?;
                }
            }));
        }
        for worker in workers {
            worker.await?.with_context(|| format!("{}: cannot delete", target.name))?;
        }
        bar.inc(page.keys);
    }
    bar.finish_and_clear();
    Ok(())
}

/// The keys of a listing. They are ours, so nothing in them is escaped.
fn keys_of(document: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(document);
    let keys = text.split("<Key>").skip(1).filter_map(|rest| rest.split('<').next());
    keys.map(str::to_owned).collect()
}
