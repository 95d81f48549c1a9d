//! Bad copies, out of the way of every read and kept for whoever wants to know what happened to them.
//!
//! A file in `quarantine/` is called `<blob>-<when>-<why>`, with a number behind it when there is one of that name: none is
//! ever overwritten. The newest thousand stay, within one hundredth of the disk.

use super::Error;
use super::Kind;
use super::Volume;
use crate::base::BlobId;
use crate::base::Timestamp;
use crate::sys::clock::Clock as _;
use crate::sys::clock::SystemClock;

/// The directory, at the root of the volume.
const QUARANTINE: &str = "quarantine";

/// Bad copies that are kept.
pub(super) const QUARANTINED_MAX: usize = 1000;

/// They use at most one hundredth of the disk.
const QUARANTINE_DIVISOR: u64 = 100;

/// A bad copy that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Its name in `quarantine/`.
    pub name: String,
    /// Of which blob; `None` when the name does not tell.
    pub blob: Option<BlobId>,
    /// When it was taken out of the way.
    pub at: Timestamp,
    /// What was wrong with it, in a word.
    pub why: String,
    /// Length in bytes.
    pub length: u64,
}

impl Volume {
    /// Takes a bad copy out of the way, so that it is never read again. The oldest ones go when there are too many.
    /// `false` when there is no such file. Durable when this returns.
    pub fn quarantine(&self, id: BlobId) -> Result<bool, Error> {
        if !self.is_there() {
            return Err(Error::new("quarantine", &self.root, Kind::Missing));
        }
        let (path, kept) = (self.path(id), self.root.join(QUARANTINE));
        let why = self.what_is_wrong(id);
        self.disk.create_dirs(&kept).map_err(|error| Error::io("quarantine", &kept, error))?;
        let name = self.free_name(&format!("{id}-{}-{why}", SystemClock.now().as_millis()))?;
        match self.disk.rename(&path, &kept.join(name)) {
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
        Ok(self.quarantined_names()?.len())
    }

    /// The bad copies that are kept, newest first.
    pub fn list_quarantine(&self) -> Result<Vec<Quarantined>, Error> {
        let kept = self.root.join(QUARANTINE);
        let look = |name: String| {
            let path = kept.join(&name);
            let stat = self.disk.stat(&path).map_err(|error| Error::io("stat", &path, error))?;
            let mut parts = name.splitn(3, '-');
            let blob = parts.next().and_then(|blob| blob.parse().ok());
            let at = parts.next().and_then(|at| at.parse().ok()).map(Timestamp::from_millis);
            let why = parts.next().unwrap_or("unknown").to_owned();
            Ok(Quarantined { blob, at: at.unwrap_or(stat.modified), why, length: stat.length, name })
        };
        let mut listed = self.quarantined_names()?.into_iter().map(look).collect::<Result<Vec<_>, _>>()?;
        listed.sort_by(|a, b| (b.at, &b.name).cmp(&(a.at, &a.name)));
        Ok(listed)
    }

    /// In a word that fits a file's name. A payload is not read for this: what is not wrong elsewhere is wrong there.
    fn what_is_wrong(&self, id: BlobId) -> &'static str {
        let looked = self.open_part(id).and_then(|reader| reader.owner());
        match looked.as_ref().map_err(Error::kind) {
            Ok(_) => "payload",
            Err(Kind::Corrupt(_)) => "corrupt",
            Err(Kind::Newer(_)) => "newer",
            Err(_) => "unreadable",
        }
    }

    fn free_name(&self, name: &str) -> Result<String, Error> {
        let names = self.quarantined_names()?;
        let taken = |name: &String| names.contains(name);
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let mut free = std::iter::once(name.to_owned()).chain(numbered).filter(|name| !taken(name));
        Ok(free.next().unwrap_or_default())
    }

    fn prune_quarantine(&self) -> Result<(), Error> {
        let kept = self.root.join(QUARANTINE);
        let bytes_max = self.space()?.total_bytes / QUARANTINE_DIVISOR;
        let mut bytes = 0;
        for (number, file) in self.list_quarantine()?.iter().enumerate() {
            bytes += file.length;
            // The newest stays even when it is too large alone: it is the one somebody will look for.
            if number > 0 && (number >= QUARANTINED_MAX || bytes > bytes_max) {
                let path = kept.join(&file.name);
                self.disk.remove(&path).map_err(|error| Error::io("remove", &path, error))?;
            }
        }
        Ok(())
    }

    fn quarantined_names(&self) -> Result<Vec<String>, Error> {
        let kept = self.root.join(QUARANTINE);
        match self.disk.list(&kept) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            listed => listed.map_err(|error| Error::io("list", &kept, error)),
        }
    }
}

#[cfg(test)]
#[path = "quarantine_tests.rs"]
mod tests;
