//! What repair and the census do with the files of one volume, beside writing and reading them.

use std::path::PathBuf;

use super::Error;
use super::Kind;
use super::Volume;
use crate::base::BlobId;
use crate::sys::disk::FileStat;

/// Where bad copies go, out of the way of every read.
const QUARANTINE: &str = "quarantine";

/// Bad copies that are kept for whoever wants to know what happened to them.
const QUARANTINED_MAX: usize = 1000;

/// They use at most one hundredth of the disk.
const QUARANTINE_DIVISOR: u64 = 100;

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

    /// Takes a bad copy out of the way, so that it is never read again. The oldest ones go when there are too many.
    /// `false` when there is no such file.
    pub fn quarantine(&self, id: BlobId) -> Result<bool, Error> {
        if !self.is_there() {
            return Err(Error::new("quarantine", &self.root, Kind::Missing));
        }
        let (path, kept) = (self.path(id), self.root.join(QUARANTINE));
        self.disk.create_dirs(&kept).map_err(|error| Error::io("quarantine", &kept, error))?;
        match self.disk.rename(&path, &kept.join(id.to_string())) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            renamed => renamed.map_err(|error| Error::io("quarantine", &path, error))?,
        }
        for directory in [&kept, &self.shard(id.as_bytes()[0])] {
            self.disk.sync_dir(directory).map_err(|error| Error::io("sync", directory, error))?;
        }
        if let Err(error) = self.prune_quarantine() {
            tracing::warn!(volume = %self.id(), %error, "the quarantine could not be tidied up");
        }
        Ok(true)
    }

    /// How many bad copies are kept.
    pub fn quarantined(&self) -> Result<usize, Error> {
        Ok(self.quarantined_files()?.len())
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

    fn prune_quarantine(&self) -> Result<(), Error> {
        let bytes_max = self.space()?.total_bytes / QUARANTINE_DIVISOR;
        let mut files = self.quarantined_files()?;
        files.sort_by_key(|(_, stat)| std::cmp::Reverse(stat.modified));
        let mut bytes = 0;
        for (number, (path, stat)) in files.iter().enumerate() {
            bytes += stat.length;
            // The newest stays even when it is too large alone: it is the one somebody will look for.
            if number > 0 && (number >= QUARANTINED_MAX || bytes > bytes_max) {
                self.disk.remove(path).map_err(|error| Error::io("remove", path, error))?;
            }
        }
        Ok(())
    }

    fn quarantined_files(&self) -> Result<Vec<(PathBuf, FileStat)>, Error> {
        let kept = self.root.join(QUARANTINE);
        let names = match self.disk.list(&kept) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            listed => listed.map_err(|error| Error::io("list", &kept, error))?,
        };
        let stat = |name: String| {
            let path = kept.join(name);
            let stat = self.disk.stat(&path).map_err(|error| Error::io("stat", &path, error))?;
            Ok((path, stat))
        };
        names.into_iter().map(stat).collect()
    }

    fn shard(&self, shard: u8) -> PathBuf {
        self.root.join("blobs").join(format!("{shard:02x}"))
    }
}

#[cfg(test)]
#[path = "copies_tests.rs"]
mod tests;
