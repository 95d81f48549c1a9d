//! The words of the S3 protocol: names, operations, error codes, checksums, ranges, conditions, XML.
//!
//! Everything here is a value or a pure function: nothing does I/O, nothing knows HTTP types or storage. A value
//! that exists is valid: a [`name::BucketName`] cannot hold a name that S3 would refuse.

pub mod checksum;
pub mod condition;
pub mod date;
pub mod document;
pub mod error_code;
pub mod etag;
pub mod name;
pub mod operation;
pub mod range;
pub mod xml;
