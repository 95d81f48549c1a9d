//! What the workers do: a file per operation.
//!
//! A task belongs to one worker. Its step is one operation as a user would count it; it measures nothing itself.

mod delete;
mod get;
mod head;
mod list;
mod mixed;
mod multipart;
mod path;
mod put;

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

use crate::cli::bench::args::ClientArgs;
use crate::cli::bench::args::Operation;
use crate::cli::bench::client::Connection;
use crate::cli::bench::client::Failure;
use crate::cli::bench::content::mix;
use crate::cli::bench::content::unforeseen;
use crate::cli::bench::units::parse_size;
use crate::cli::bench::units::show_size;

pub use delete::delete;
pub use path::ObjectPath;
pub use put::put;

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// What a worker does.
    pub operation: Operation,
    /// Bytes of an object.
    pub size: u64,
    /// Workers.
    pub concurrency: usize,
    /// Objects that must be there before.
    pub objects: u64,
}

/// Prepared objects take up to this much, unless more are asked for: they stay in the page cache.
const PREPARED_BYTES: u64 = 256 << 20;

impl Workload {
    /// With the usual value for what is not given.
    pub fn new(
        operation: Operation,
        size: Option<u64>,
        concurrency: Option<usize>,
        objects: Option<u64>,
    ) -> Self {
        let (usual_size, usual_concurrency) = match operation {
            Operation::List => (128, 1),
            Operation::Multipart => (64 << 20, 2),
            _ => (4096, 16),
        };
        let size = size.unwrap_or(usual_size);
        let concurrency = concurrency.unwrap_or(usual_concurrency).max(1);
        let usual_objects = match operation {
            Operation::Put | Operation::Multipart => 0,
            Operation::List => 10_000,
            Operation::Delete => 20_000,
            _ => (PREPARED_BYTES / size.max(1)).clamp(16, 5_000),
        };
        Self { operation, size, concurrency, objects: objects.unwrap_or(usual_objects) }
    }

    /// Reads `OPERATION[:SIZE[:CONCURRENCY[:OBJECTS]]]`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut fields = text.split(':');
        let name = fields.next().unwrap_or_default();
        let operation = Operation::ALL.into_iter().find(|operation| operation.name() == name);
        let operation = operation.ok_or_else(|| format!("unknown operation: {name}"))?;
        let mut field = || fields.next().filter(|field| !field.is_empty());
        let size = field().map(parse_size).transpose()?;
        let concurrency =
            field().map(|text| text.parse().map_err(|_| format!("not a number: {text}"))).transpose()?;
        let objects =
            field().map(|text| text.parse().map_err(|_| format!("not a number: {text}"))).transpose()?;
        match fields.next() {
            Some(more) => Err(format!("too much: {more}")),
            None => Ok(Self::new(operation, size, concurrency, objects)),
        }
    }

    /// Whether it can be measured so.
    ///
    /// # Errors
    /// Says what makes no sense.
    pub fn check(&self, client: &ClientArgs) -> Result<(), String> {
        let reads =
            matches!(self.operation, Operation::Get | Operation::Head | Operation::Delete | Operation::List);
        match () {
            () if client.duration.is_zero() => Err("nothing can be measured in no time".to_owned()),
            () if reads && self.objects == 0 => Err(format!("{} needs objects", self.operation.name())),
            () if self.operation == Operation::Multipart && client.part_size == 0 => {
                Err("a part has at least one byte".to_owned())
            }
            () => Ok(()),
        }
    }

    /// As a row of a table names it.
    pub fn label(&self) -> String {
        let size = show_size(self.size);
        match self.operation {
            Operation::List => format!("list 1000 of {}", self.objects),
            operation => format!("{} {size}", operation.name()),
        }
    }

    /// Begins the keys of prepared objects. Get and head share theirs.
    pub fn prefix(&self) -> String {
        let kind = match self.operation {
            Operation::Head => Operation::Get.name(),
            operation => operation.name(),
        };
        format!("{kind}-{}-{}/", self.size, self.objects)
    }

    /// Whether a run leaves its prepared objects as they were.
    pub fn keeps_objects(&self) -> bool {
        !matches!(self.operation, Operation::Delete | Operation::Mixed)
    }
}

/// The body of the prepared object `index` of a workload: the same in every run, so that it can be verified.
pub fn prepared_identity(size: u64, index: u64) -> u64 {
    mix(size) ^ index
}

/// What the workers of a run share.
pub struct Field {
    /// What is measured.
    pub workload: Workload,
    /// Bucket.
    pub bucket: String,
    /// Begins the keys of objects that this run writes.
    pub written_prefix: String,
    /// Bytes of a part.
    pub part_size: u64,
    /// Compare what is read.
    pub verify: bool,
    /// The next object to write or delete.
    pub cursor: Cell<u64>,
    /// Told apart from every other run's bodies.
    pub salt: u64,
}

impl Field {
    /// For one run.
    pub fn new(workload: Workload, bucket: &str, part_size: u64, verify: bool) -> Rc<Self> {
        let salt = unforeseen();
        let written_prefix = format!("{}-new-{salt:016x}/", workload.operation.name());
        let bucket = bucket.to_owned();
        Rc::new(Self { workload, bucket, written_prefix, part_size, verify, cursor: Cell::new(0), salt })
    }

    /// Takes the next number.
    pub fn next(&self) -> u64 {
        let next = self.cursor.get();
        self.cursor.set(next + 1);
        next
    }

    /// What is left of this run: the prefix and the numbers of objects that it wrote, or of prepared ones that it
    /// used up. Empty when everything is as it was.
    pub fn remains(&self) -> (String, Range<u64>) {
        let (done, prepared) = (self.cursor.get(), self.workload.objects);
        match self.workload.operation {
            Operation::Put | Operation::Multipart => (self.written_prefix.clone(), 0..done),
            Operation::Delete => (self.workload.prefix(), done.min(prepared)..prepared),
            Operation::Mixed => (self.workload.prefix(), 0..prepared + done),
            Operation::Get | Operation::Head | Operation::List => (self.workload.prefix(), 0..0),
        }
    }

    /// Names the prepared objects.
    pub fn prepared_path(&self) -> ObjectPath {
        ObjectPath::new(&self.bucket, &self.workload.prefix())
    }

    /// Names the objects that this run writes.
    pub fn written_path(&self) -> ObjectPath {
        ObjectPath::new(&self.bucket, &self.written_prefix)
    }
}

/// An operation that ended.
pub struct Step {
    /// Which.
    pub operation: Operation,
    /// Bytes of bodies moved, or why it failed.
    pub result: Result<u64, Failure>,
}

/// What one worker does.
pub enum Task {
    /// See [`put`].
    Put(put::Put),
    /// See [`get`].
    Get(get::Get),
    /// See [`head`].
    Head(head::Head),
    /// See [`delete`].
    Delete(delete::Delete),
    /// See [`list`].
    List(list::List),
    /// See [`mixed`].
    Mixed(mixed::Mixed),
    /// See [`multipart`].
    Multipart(multipart::Multipart),
}

impl Task {
    /// The task of worker number `worker`.
    pub fn new(field: &Rc<Field>, worker: usize) -> Self {
        match field.workload.operation {
            Operation::Put => Task::Put(put::Put::new(field)),
            Operation::Get => Task::Get(get::Get::new(field, worker)),
            Operation::Head => Task::Head(head::Head::new(field, worker)),
            Operation::Delete => Task::Delete(delete::Delete::new(field)),
            Operation::List => Task::List(list::List::new(field)),
            Operation::Mixed => Task::Mixed(mixed::Mixed::new(field, worker)),
            Operation::Multipart => Task::Multipart(multipart::Multipart::new(field)),
        }
    }

    /// Does one operation; `None` when there is nothing left to do it to.
    pub async fn step(&mut self, connection: &mut Connection) -> Option<Step> {
        let (operation, result) = match self {
            Task::Put(task) => (Operation::Put, task.step(connection).await),
            Task::Get(task) => (Operation::Get, task.step(connection).await),
            Task::Head(task) => (Operation::Head, task.step(connection).await),
            Task::Delete(task) => (Operation::Delete, task.step(connection).await?),
            Task::List(task) => (Operation::List, task.step(connection).await),
            Task::Mixed(task) => task.step(connection).await,
            Task::Multipart(task) => (Operation::Multipart, task.step(connection).await),
        };
        Some(Step { operation, result })
    }
}

#[cfg(test)]
mod tests;
