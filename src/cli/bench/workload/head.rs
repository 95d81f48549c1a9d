//! HeadObject of prepared objects, picked at random.

use std::rc::Rc;

use super::Field;
use super::ObjectPath;
use crate::cli::bench::client::Body;
use crate::cli::bench::client::Call;
use crate::cli::bench::client::Connection;
use crate::cli::bench::client::Failure;
use crate::cli::bench::client::Keep;
use crate::cli::bench::content::Picker;

/// Asks for metadata.
pub struct Head {
    field: Rc<Field>,
    path: ObjectPath,
    picker: Picker,
}

impl Head {
    pub(super) fn new(field: &Rc<Field>, worker: usize) -> Self {
        let picker = Picker::new(field.salt ^ ((worker as u64) << 48));
        Self { field: Rc::clone(field), path: field.prepared_path(), picker }
    }

    pub(super) async fn step(&mut self, connection: &mut Connection) -> Result<u64, Failure> {
        let index = self.picker.below(self.field.workload.objects);
        head(connection, self.path.of(index)).await
    }
}

/// Asks for the metadata of an object that exists.
pub(super) async fn head(connection: &mut Connection, path: &str) -> Result<u64, Failure> {
    let call = Call { method: "HEAD", path, query: "", body: Body::Empty, keep: Keep::Nothing };
    connection.send(&call).await?;
    Ok(0)
}
