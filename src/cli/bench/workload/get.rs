//! GetObject of prepared objects, picked at random.

use std::rc::Rc;

use super::Field;
use super::ObjectPath;
use super::prepared_identity;
use crate::cli::bench::client::Body;
use crate::cli::bench::client::Call;
use crate::cli::bench::client::Connection;
use crate::cli::bench::client::Failure;
use crate::cli::bench::client::Keep;
use crate::cli::bench::content::Picker;

/// Reads objects.
pub struct Get {
    field: Rc<Field>,
    path: ObjectPath,
    picker: Picker,
}

impl Get {
    pub(super) fn new(field: &Rc<Field>, worker: usize) -> Self {
        let picker = Picker::new(field.salt ^ ((worker as u64) << 48));
        Self { field: Rc::clone(field), path: field.prepared_path(), picker }
    }

    pub(super) async fn step(&mut self, connection: &mut Connection) -> Result<u64, Failure> {
        let workload = &self.field.workload;
        let index = self.picker.below(workload.objects);
        let keep = match self.field.verify {
            true => Keep::Compare(prepared_identity(workload.size, index)),
            false => Keep::Nothing,
        };
        get(connection, self.path.of(index), keep, workload.size).await
    }
}

/// Reads an object that must have `length` bytes.
pub(super) async fn get(
    connection: &mut Connection,
    path: &str,
    keep: Keep,
    length: u64,
) -> Result<u64, Failure> {
    let call = Call { method: "GET", path, query: "", body: Body::Empty, keep };
    let reply = connection.send(&call).await?;
    if reply.body_bytes == length { Ok(length) } else { Err(Failure::Wrong("length of the object")) }
}
