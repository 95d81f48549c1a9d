//! PutObject with keys that never were.

use std::rc::Rc;

use super::Field;
use super::ObjectPath;
use crate::cli::bench::client::Body;
use crate::cli::bench::client::Call;
use crate::cli::bench::client::Connection;
use crate::cli::bench::client::Failure;
use crate::cli::bench::client::Keep;
use crate::cli::bench::content::mix;

/// Writes new objects.
pub struct Put {
    field: Rc<Field>,
    path: ObjectPath,
}

impl Put {
    pub(super) fn new(field: &Rc<Field>) -> Self {
        Self { field: Rc::clone(field), path: field.written_path() }
    }

    pub(super) async fn step(&mut self, connection: &mut Connection) -> Result<u64, Failure> {
        let index = self.field.next();
        let identity = mix(self.field.salt) ^ index;
        put(connection, self.path.of(index), identity, self.field.workload.size).await
    }
}

/// Writes the body that `identity` names.
///
/// # Errors
/// When the server refuses.
pub async fn put(
    connection: &mut Connection,
    path: &str,
    identity: u64,
    length: u64,
) -> Result<u64, Failure> {
    let body = Body::Made { identity, length };
    connection.send(&Call { method: "PUT", path, query: "", body, keep: Keep::Nothing }).await?;
    Ok(length)
}
