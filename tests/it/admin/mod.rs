//! The admin API and its command line, against a server in a process of its own.

mod api;
mod command;
#[path = "../../../src/admin/tests/schema.rs"]
mod schema;
