//! A blend of operations: 45 % get, 30 % head, 15 % put, 10 % delete, the mix that object storage benchmarks
//! commonly use.
//!
//! Each worker has its own share of the objects, so none reads what another has just deleted.

use std::rc::Rc;

use super::Field;
use super::ObjectPath;
use super::delete::delete;
use super::get::get;
use super::head::head;
use super::put::put;
use crate::cli::bench::args::Operation;
use crate::cli::bench::client::Connection;
use crate::cli::bench::client::Failure;
use crate::cli::bench::client::Keep;
use crate::cli::bench::content::Picker;
use crate::cli::bench::content::mix;

/// Does a bit of everything.
pub struct Mixed {
    field: Rc<Field>,
    path: ObjectPath,
    picker: Picker,
    live: Vec<u64>,
}

impl Mixed {
    pub(super) fn new(field: &Rc<Field>, worker: usize) -> Self {
        let stride = field.workload.concurrency;
        let live = (worker as u64..field.workload.objects).step_by(stride).collect();
        let picker = Picker::new(field.salt ^ ((worker as u64) << 48));
        Self { field: Rc::clone(field), path: field.prepared_path(), picker, live }
    }

    pub(super) async fn step(&mut self, connection: &mut Connection) -> (Operation, Result<u64, Failure>) {
        let size = self.field.workload.size;
        let operation = choose(self.picker.below(100), self.live.is_empty());
        let place = self.picker.below(self.live.len() as u64) as usize;
        let result = match operation {
            Operation::Get => get(connection, self.path.of(self.live[place]), Keep::Nothing, size).await,
            Operation::Head => head(connection, self.path.of(self.live[place])).await,
            Operation::Delete => {
                let index = self.live.swap_remove(place);
                delete(connection, self.path.of(index)).await
            }
            _ => {
                let index = self.field.workload.objects + self.field.next();
                let written = put(connection, self.path.of(index), mix(self.field.salt) ^ index, size).await;
                if written.is_ok() {
                    self.live.push(index);
                }
                written
            }
        };
        (operation, result)
    }
}

/// What a number below 100 stands for. With nothing there one can only put.
pub(super) const fn choose(percent: u64, nothing: bool) -> Operation {
    match percent {
        _ if nothing => Operation::Put,
        0..45 => Operation::Get,
        45..75 => Operation::Head,
        75..90 => Operation::Put,
        _ => Operation::Delete,
    }
}
