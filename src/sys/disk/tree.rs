//! Directories as a whole.

use std::io;
use std::path::Path;

/// Removes a directory with all that is in it; one that is not there is fine.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
