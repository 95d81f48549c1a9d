//! actix and the S3 wire: limits, routing, bodies, replies.

pub mod error;
pub mod query;
pub mod route;
