//! What repair and the census do with the files of one volume, beside writing and reading them.

use std::path::PathBuf;

use super::Error;
use super::Kind;
use super::Volume;
use crate::base::BlobId;

impl Volume {
    /// Whether a part of this id is being written, or given up and not removed yet: its file may change or go.
    pub fn is_writing(&self, id: BlobId) -> bool {
        self.writing.lock().contains(&id)
    }

    /// Part files of the directory of this first byte, in order.
    pub fn list_shard(&self, shard: u8) -> Result<Vec<BlobId>, Error> {
        let directory = self.shard(shard);
        let names = self.disk.list(&directory).map_err(|error| match error.kind() {
            // Its directories are always there while the volume is.
            std::io::ErrorKind::NotFound => Error::new("list", &directory, Kind::Missing),
            _ => Error::io("list", &directory, error),
        })?;
        let mut ids: Vec<BlobId> = names.iter().filter_map(|name| name.parse().ok()).collect();
        // A file in another directory than its name says is found by nobody.
        ids.retain(|id| id.as_bytes()[0] == shard);
        ids.sort_unstable();
        Ok(ids)
    }

    /// Gives a finished part its real name. It was written under another one because a bad copy had this; that has been
    /// taken out of the way. Durable when this returns.
    pub fn adopt(&self, written: BlobId, id: BlobId) -> Result<(), Error> {
        let path = self.path(id);
        self.disk.rename(&self.path(written), &path).map_err(|error| Error::io("adopt", &path, error))?;
        for shard in [id, written].map(|id| id.as_bytes()[0]) {
            let directory = self.shard(shard);
            self.disk.sync_dir(&directory).map_err(|error| Error::io("sync", &directory, error))?;
            if id.as_bytes()[0] == written.as_bytes()[0] {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn shard(&self, shard: u8) -> PathBuf {
        self.root.join("blobs").join(format!("{shard:02x}"))
    }
}

#[cfg(test)]
#[path = "copies_tests.rs"]
mod tests;
