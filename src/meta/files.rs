//! The directories of a replica: the one it lives in, and what a rebuild leaves beside it.
//!
//! `meta.new` is a replica in the making, `meta.old` one that was replaced, `meta.checkpoint-…` hard links to the files
//! of this replica while another is built from them. A replica moves from `meta.new` to `meta` whole: whatever a crash
//! leaves, `meta` or else `meta.old` is a whole replica.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use super::Error;
use crate::sys::disk::Disk;
use crate::sys::disk::NewFile;
use crate::sys::disk::read_file;
use crate::sys::disk::remove_tree;
use crate::sys::failpoint::failpoint;

/// What must be writable before a database is opened anew: more than RocksDB writes while it opens.
const PROBE_BYTES: usize = 1 << 20;

/// The file beside a replica that says which volume this is. Where it is missing, another directory has taken the place
/// of the volume (the mount point of a disk that is gone, say), and nothing may be written.
const IDENTITY: &str = "holdall-volume.json";

/// How the names of files end that hold rows: tables, bodies, logs.
const ROWS: [&str; 3] = [".sst", ".blob", ".log"];

/// What says which volume this is, if anything does.
///
/// # Errors
/// The disk does not tell, so nothing is known.
pub(super) fn identity(disk: &dyn Disk, replica: &Path) -> io::Result<Option<Vec<u8>>> {
    match read_file(disk, &replica.with_file_name(IDENTITY)) {
        Err(error) if is_nothing(&error) => Ok(None),
        read => read.map(Some),
    }
}

/// Whether a database is there, as far as the disk tells.
pub(super) fn holds_database(disk: &dyn Disk, replica: &Path) -> bool {
    disk.stat(&replica.join("CURRENT")).map_or_else(|error| !is_nothing(&error), |_| true)
}

/// Whether rows have been there: RocksDB writes none before it has made `CURRENT`, and no vote is cast without them.
pub(super) fn held_rows(disk: &dyn Disk, replica: &Path) -> Result<bool, Error> {
    let names = match disk.list(replica) {
        Err(error) if is_nothing(&error) => return Ok(false),
        listed => listed.map_err(|error| Error::io("open", replica, &error))?,
    };
    let of_rows = |name: &String| ROWS.iter().any(|end| name.ends_with(end)) || name == super::vote::PROMISE;
    Ok(names.iter().any(of_rows))
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The name of a directory beside the replica.
pub(super) fn beside(replica: &Path, what: &str) -> PathBuf {
    let name = replica.file_name().unwrap_or_default().to_string_lossy();
    replica.with_file_name(format!("{name}.{what}"))
}

fn above(replica: &Path) -> &Path {
    replica.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn exists(disk: &dyn Disk, path: &Path) -> bool {
    disk.list(path).is_ok()
}

/// Removes what an interrupted rebuild left, and puts back what it had moved away.
pub(super) fn tidy(disk: &dyn Disk, replica: &Path) -> Result<(), Error> {
    let (new, old) = (beside(replica, "new"), beside(replica, "old"));
    let above = above(replica);
    let names = match disk.list(above) {
        Ok(names) => names,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("open", above, &error)),
    };
    if !exists(disk, replica) && exists(disk, &old) {
        rename(disk, &old, replica)?;
    }
    let checkpoints = beside(replica, "checkpoint-");
    let checkpoints = checkpoints.file_name().unwrap_or_default().to_string_lossy();
    let left = names.iter().filter(|name| name.starts_with(&*checkpoints)).map(|name| above.join(name));
    for path in left.chain([new, old]) {
        remove(&path)?;
    }
    Ok(())
}

/// Lets `meta.new` take the replica's place. Neither is open.
pub(super) fn swap(disk: &dyn Disk, replica: &Path) -> Result<(), Error> {
    let (new, old) = (beside(replica, "new"), beside(replica, "old"));
    if exists(disk, replica) {
        remove(&old)?;
        rename(disk, replica, &old)?;
    }
    failpoint!("meta::replica::between_renames");
    rename(disk, &new, replica)?;
    failpoint!("meta::replica::after_renames");
    remove(&old)
}

/// Whether files can be written and synced beside the replica.
pub(super) fn probe(disk: &dyn Disk, replica: &Path) -> Result<(), Error> {
    let path = beside(replica, "probe");
    // One that a crash left behind.
    let _ = disk.remove(&path);
    let write = || {
        let file = disk.create(&path, NewFile::default())?;
        file.write_at(&vec![0; PROBE_BYTES], 0)?;
        file.sync()
    };
    let written = write();
    let _ = disk.remove(&path);
    written.map_err(|error| Error::io("probe", &path, &error))
}

pub(super) fn remove(path: &Path) -> Result<(), Error> {
    remove_tree(path).map_err(|error| Error::io("remove", path, &error))
}

fn rename(disk: &dyn Disk, from: &Path, to: &Path) -> Result<(), Error> {
    let renamed = disk.rename(from, to).and_then(|()| disk.sync_dir(above(to)));
    renamed.map_err(|error| Error::io("rename", from, &error))
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
