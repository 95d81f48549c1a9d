//! The engine on this machine: metadata in RocksDB, parts on local volumes.
//!
//! The only place of the store that knows either. What is in memory is answered inline; what may touch a disk runs
//! on the pool of the volume (or of metadata) it may wait for.

mod copies;
mod create;
mod latency;
mod members;
mod metadata;
mod open_part;
mod parts;
mod patience;
mod room;
mod sink;
mod slot;

pub(super) use copies::NewCopy;
pub(super) use copies::Seen;
pub(super) use members::Members;
pub(super) use metadata::LocalMetadata;
pub(super) use open_part::OpenPart;
pub(super) use parts::LocalParts;
pub(super) use parts::Waiting;
pub(super) use sink::Buffer;
pub(super) use sink::Filled;
pub(super) use sink::Sink;
pub(super) use sink::Writes;
pub(super) use slot::Failure;
pub(super) use slot::Slot;
