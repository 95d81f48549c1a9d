//! What rows hold, one file per record. A record is never the wire type: the protocol may change without the disk.
//!
//! A change of a record's fields is a new format: the old struct stays, named for its number, and is decoded and
//! converted. `docs/format.md` lists every field.

mod bucket;
mod object;
mod outbox;
mod owner;
mod system;
mod upload;

pub use bucket::Bucket;
pub use object::ContentHeaders;
pub use object::Layout;
pub use object::Object;
pub use object::ObjectBody;
pub use object::ObjectHead;
pub use object::PARTS_IN_ROW_MAX;
pub use object::PartBody;
pub use object::PartEntry;
pub use object::decode_manifest;
pub use object::encode_manifest;
pub use outbox::Reclaim;
pub use outbox::Repair;
pub use owner::BlobOwner;
pub use system::Commit;
pub use system::Cursor;
pub use system::Empty;
pub use system::Epoch;
pub use system::Job;
pub use system::Usage;
pub use upload::EndedUpload;
pub use upload::Part;
pub use upload::Upload;
pub use upload::UploadOutcome;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A record of some family.
pub trait Record: Serialize + DeserializeOwned + Send + 'static {
    /// The newest format of this record that is written and read.
    const FORMAT: u8 = 1;
}
