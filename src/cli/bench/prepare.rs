//! What must be there before a run, and what is left after it.

use std::cell::Cell;
use std::cell::RefCell;
use std::ops::Range;
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
use crate::cli::bench::workload::delete;
use crate::cli::bench::workload::prepared_identity;
use crate::cli::bench::workload::put;

/// Connections that prepare and clear.
const WORKERS: usize = 16;

/// Creates the bucket when it is missing; says whether it did. Who is anonymous makes no buckets: it is then taken
/// as there, which also suits a plain web server.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub async fn bucket(target: &Target, bucket: &str) -> anyhow::Result<bool> {
    if target.is_anonymous() {
        return Ok(false);
    }
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

/// Deletes the objects of these numbers whose keys begin with `prefix`. Those that are gone are no concern.
///
/// # Errors
/// When one cannot be deleted.
pub async fn clear(
    target: &Rc<Target>,
    bucket: &str,
    prefix: &str,
    numbers: Range<u64>,
    quiet: bool,
) -> anyhow::Result<()> {
    let bar = progress::bar(numbers.end - numbers.start, &format!("{}: clearing", target.name), quiet);
    let numbers = Rc::new(RefCell::new(numbers));
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let (target, numbers, bar) = (Rc::clone(target), Rc::clone(&numbers), bar.clone());
        let mut path = ObjectPath::new(bucket, prefix);
        workers.push(tokio::task::spawn_local(async move {
            let mut connection = target.connection(0);
            loop {
                let Some(number) = numbers.borrow_mut().next() else {
                    return Ok::<_, Failure>(());
                };
                match delete(&mut connection, path.of(number)).await {
                    Ok(_) | Err(Failure::Status(404, _)) => bar.inc(1),
                    Err(failure) => return Err(failure),
                }
            }
        }));
    }
    for worker in workers {
        worker.await?.with_context(|| format!("{}: cannot delete objects", target.name))?;
    }
    bar.finish_and_clear();
    Ok(())
}
