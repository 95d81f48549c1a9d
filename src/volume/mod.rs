//! Part files on local disks: format, durable write, verified read, placement, room.
//!
//! What is always true:
//! - A part file is immutable once finished, and finished means synced: its bytes, then its directory's entry.
//! - It describes and proves itself: a footer with its id, length and owner, and a checksum per block. No byte is
//!   handed out that its checksum did not confirm.
//! - Its name is a random id; nothing a client sends ever reaches a path.
//! - A volume is known by its identity file. A path without it is a missing disk and is never written to.
//! - Which volumes belong together stands in the roster file, of which each volume has a copy.
//!
//! Synchronous; it does not know that it serves S3, nor metadata. `store` calls it, on the volume's own threads.

mod buffer;
mod copies;
mod error;
mod format;
mod health;
mod identity;
mod part_reader;
mod part_writer;
mod placement;
mod probe;
mod quarantine;
mod roster;
mod space;

use std::collections::HashSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::base::BlobId;
use crate::base::DeploymentId;
use crate::base::VolumeId;
use crate::sys::disk::Disk;
use crate::sys::disk::FileLock;
use crate::sys::disk::FileStat;
use crate::sys::disk::NewFile;
use crate::sys::disk::Space;

pub use buffer::AlignedBuffer;
pub use buffer::BUFFER_BYTES;
pub use buffer::BufferPool;
pub use error::Error;
pub use error::Kind;
pub use format::BLOCK_BYTES;
pub use format::BlockSums;
pub use format::FOOTER_BYTES;
pub use format::Footer;
pub use format::Tail;
pub use health::Health;
pub use health::PROBE_AFTER;
pub use health::State;
pub use health::Use;
pub use identity::Identity;
pub use identity::is_foreign;
pub use part_reader::PartReader;
pub use part_writer::PartWriter;
pub use placement::Ring;
pub use placement::Weight;
pub use probe::Probe;
pub use quarantine::Quarantined;
pub use roster::Member;
pub use roster::Roster;
pub use roster::VOTERS_MAX;
pub use roster::VolumeState;
pub use space::has_room;

/// Files from this size on bypass the page cache: an upload would only push out what is being read.
const DIRECT_FROM_BYTES: u64 = 1 << 20;

/// Ids that are being written.
type Writing = Arc<Mutex<HashSet<BlobId>>>;

/// One volume: a directory on a disk of its own.
pub struct Volume {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    identity: Identity,
    writing: Writing,
    /// Keeps other processes from opening it.
    _lock: Option<FileLock>,
}

/// The file that is locked while a process has the volume open.
const LOCK: &str = "lock";

impl Volume {
    /// Makes a volume of an empty or missing directory.
    ///
    /// The identity file is written last, so that a formatting cut off half-way can be done again.
    pub fn format(disk: Arc<dyn Disk>, root: &Path, identity: Identity) -> Result<Self, Error> {
        let made = disk.create_dirs(root).and_then(|()| disk.list(root));
        let names = made.map_err(|error| Error::io("format", root, error))?;
        if names.iter().any(|name| identity::is_foreign(name)) {
            return Err(Error::new("format", root, Kind::Foreign));
        }
        for number in 0..=u8::MAX {
            let directory = root.join("blobs").join(format!("{number:02x}"));
            disk.create_dirs(&directory).map_err(|error| Error::io("format", &directory, error))?;
        }
        let blobs = root.join("blobs");
        disk.sync_dir(&blobs).map_err(|error| Error::io("format", &blobs, error))?;
        identity.write(disk.as_ref(), root)?;
        // The directory itself may be new: without its own entry a crash would take everything in it.
        let above = root.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        disk.sync_dir(above).map_err(|error| Error::io("format", above, error))?;
        Ok(Self::with(disk, root, identity))
    }

    /// Opens a volume that was formatted before. Fails with [`Kind::Missing`] where there is no identity file.
    pub fn open(disk: Arc<dyn Disk>, root: &Path) -> Result<Self, Error> {
        let identity = Identity::read(disk.as_ref(), root)?;
        Ok(Self::with(disk, root, identity))
    }

    fn with(disk: Arc<dyn Disk>, root: &Path, identity: Identity) -> Self {
        Self { disk, root: root.to_owned(), identity, writing: Arc::default(), _lock: None }
    }

    /// Keeps this lock for as long as the volume is open.
    pub fn hold(&mut self, lock: FileLock) {
        self._lock = Some(lock);
    }

    /// Locks a directory for a volume in it; `None` when another process holds it.
    pub fn lock(disk: &dyn Disk, root: &Path) -> std::io::Result<Option<FileLock>> {
        disk.lock(&root.join(LOCK))
    }

    /// Writes a roster into a directory that is about to become a volume.
    pub fn prepare(disk: &dyn Disk, root: &Path, roster: &Roster) -> Result<(), Error> {
        roster.write(disk, root)
    }

    /// Writes the volume's copy of the roster, unless its disk is not there or another one is.
    pub fn write_roster(&self, roster: &Roster) -> Result<(), Error> {
        match self.is_there() {
            true => roster.write(self.disk.as_ref(), &self.root),
            false => Err(Error::new("write", &self.root, Kind::Missing)),
        }
    }

    /// Who this volume is.
    pub const fn id(&self) -> VolumeId {
        self.identity.volume_id
    }

    /// What it is on.
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// The volumes it belongs with.
    pub const fn deployment(&self) -> DeploymentId {
        self.identity.deployment_id
    }

    /// Where it is mounted.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Begins a part file of `length_hint` bytes, when that is known. Refuses below the reserve.
    pub fn create(&self, id: BlobId, length_hint: Option<u64>) -> Result<PartWriter, Error> {
        let path = self.path(id);
        self.check_room(&path, length_hint.unwrap_or(DIRECT_FROM_BYTES))?;
        let direct = length_hint.is_none_or(|length| length >= DIRECT_FROM_BYTES);
        let new = NewFile { direct, reserve_bytes: length_hint.unwrap_or(0) };
        // Somebody else is writing it: the claim is theirs.
        if !self.writing.lock().insert(id) {
            return Err(Error::io("create", &path, std::io::ErrorKind::AlreadyExists.into()));
        }
        match self.disk.create(&path, new) {
            Ok(file) => {
                let grows = length_hint.is_none();
                let writing = (Arc::clone(&self.writing), grows);
                Ok(PartWriter::new(Arc::clone(&self.disk), file, id, path, writing))
            }
            Err(error) => {
                self.writing.lock().remove(&id);
                // Its directory is always there while the volume is.
                match error.kind() == std::io::ErrorKind::NotFound {
                    true => Err(Error::new("create", &path, Kind::Missing)),
                    false => Err(Error::io("create", &path, error)),
                }
            }
        }
    }

    /// Opens a part file and checks that it is the one, whole and of a format we know.
    pub fn open_part(&self, id: BlobId) -> Result<PartReader, Error> {
        let opened = PartReader::open(self.disk.as_ref(), self.path(id), id);
        match opened {
            Err(error) if error.is_not_found() && !self.is_there() => {
                Err(Error::new("open", &self.root, Kind::Missing))
            }
            opened => opened,
        }
    }

    /// Whether the disk is mounted still: what is not found on a missing disk is not known to be gone.
    pub fn is_there(&self) -> bool {
        match Identity::read(self.disk.as_ref(), &self.root) {
            Ok(identity) => identity == self.identity,
            Err(error) => matches!(error.kind(), Kind::TooManyFiles),
        }
    }

    /// Unlinks a part file; `false` when there is none. Not synced: an unlink that a crash undoes leaves an orphan,
    /// which the sweep finds.
    pub fn remove(&self, id: BlobId) -> Result<bool, Error> {
        let path = self.path(id);
        match self.disk.remove(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove", &path, error))
            }
            Err(_) if self.is_there() => Ok(false),
            Err(_) => Err(Error::new("remove", &path, Kind::Missing)),
        }
    }

    /// Length and age of a part file.
    pub fn stat(&self, id: BlobId) -> Result<Option<FileStat>, Error> {
        let path = self.path(id);
        match self.disk.stat(&path) {
            Ok(stat) => Ok(Some(stat)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("stat", &path, error)),
        }
    }

    /// Up to `limit` ids of part files behind `after`, in order; reads one directory after the other.
    pub fn list(&self, after: Option<BlobId>, limit: usize) -> Result<Vec<BlobId>, Error> {
        let mut listed = Vec::new();
        let first = after.map_or(0, |after| after.as_bytes()[0]);
        for number in first..=u8::MAX {
            let directory = self.root.join("blobs").join(format!("{number:02x}"));
            let names = self.disk.list(&directory).map_err(|error| Error::io("list", &directory, error))?;
            let ids = names.iter().filter_map(|name| name.parse::<BlobId>().ok());
            let mut ids: Vec<BlobId> = ids.filter(|id| after.is_none_or(|after| *id > after)).collect();
            ids.sort_unstable();
            listed.extend(ids);
            if listed.len() >= limit {
                listed.truncate(limit);
                break;
            }
        }
        Ok(listed)
    }

    /// The names in the directory of part files whose ids begin with this byte, unordered and whatever they are.
    pub fn names(&self, first: u8) -> Result<Vec<String>, Error> {
        let directory = self.root.join("blobs").join(format!("{first:02x}"));
        self.disk.list(&directory).map_err(|error| Error::io("list", &directory, error))
    }

    /// Room on the volume's disk.
    pub fn space(&self) -> Result<Space, Error> {
        self.disk.space(&self.root).map_err(|error| Error::io("statvfs", &self.root, error))
    }

    /// Ids that are being written now.
    pub fn writing(&self) -> Vec<BlobId> {
        self.writing.lock().iter().copied().collect()
    }

    /// Whether `bytes` more would leave the reserve alone.
    pub fn has_room(&self, bytes: u64) -> Result<bool, Error> {
        Ok(space::has_room(self.space()?, bytes))
    }

    fn check_room(&self, path: &Path, bytes: u64) -> Result<(), Error> {
        match self.has_room(bytes)? {
            true => Ok(()),
            false => Err(Error::new("create", path, Kind::NoSpace)),
        }
    }

    fn path(&self, id: BlobId) -> PathBuf {
        self.root.join("blobs").join(format!("{:02x}", id.as_bytes()[0])).join(id.to_string())
    }
}

#[cfg(test)]
mod tests;
