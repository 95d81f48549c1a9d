//! actix and the S3 wire: limits, routing, bodies, replies.

pub mod error;
pub mod guard;
pub mod limits;
pub mod query;
pub mod route;
pub mod server;
