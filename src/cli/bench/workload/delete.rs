//! DeleteObject of prepared objects, each once.

use std::rc::Rc;

use super::Field;
use super::ObjectPath;
use crate::cli::bench::client::Body;
use crate::cli::bench::client::Call;
use crate::cli::bench::client::Connection;
use crate::cli::bench::client::Failure;
use crate::cli::bench::client::Keep;

/// Deletes until nothing is left.
pub struct Delete {
    field: Rc<Field>,
    path: ObjectPath,
}

impl Delete {
    pub(super) fn new(field: &Rc<Field>) -> Self {
        Self { field: Rc::clone(field), path: field.prepared_path() }
    }

    pub(super) async fn step(&mut self, connection: &mut Connection) -> Option<Result<u64, Failure>> {
        let index = self.field.next();
        if index >= self.field.workload.objects {
            return None;
        }
        Some(delete(connection, self.path.of(index)).await)
    }
}

/// Deletes an object.
///
/// # Errors
/// When the server refuses.
pub async fn delete(connection: &mut Connection, path: &str) -> Result<u64, Failure> {
    let call = Call { method: "DELETE", path, query: "", body: Body::Empty, keep: Keep::Nothing };
    connection.send(&call).await?;
    Ok(0)
}
