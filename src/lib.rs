//! Holdall: S3-compatible object storage, durable when acknowledged.
//!
//! The rooms in rank order; a module imports lower ranks only (`tests/tidy.rs` checks it). The way of a
//! request is `http → auth → policy → ops → store → meta and volume → reply`.

/// Rank 9: one file per subcommand.
pub mod cli;

/// Rank 8: opens everything in order, shuts down in reverse.
pub mod server;

/// Rank 7: the second listener: health, metrics.
pub mod admin;
/// Rank 7: actix and the S3 wire: limits, routing, bodies, replies.
pub mod http;

/// Rank 6: what happens without a caller.
pub mod jobs;
/// Rank 6: what each S3 operation means.
pub mod ops;

/// Rank 5: objects as a whole, where metadata meets bytes and async meets blocking.
pub mod store;

/// Rank 4: RocksDB: rows, commits, listings.
pub mod meta;
/// Rank 4: part files on local disks.
pub mod volume;

/// Rank 3: who is calling.
pub mod auth;
/// Rank 3: may they.
pub mod policy;

/// Rank 2: settings, typed and checked.
pub mod config;
/// Rank 2: the words of the protocol.
pub mod s3;

/// Rank 1: what the machine gives: disk, clock, entropy, failpoints, metrics.
pub mod sys;

/// Rank 0: values without behaviour of their own.
pub mod base;
