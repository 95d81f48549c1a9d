//! Files that only their owner may read.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Writes a new file that only its owner may read, durably; a crash leaves it whole or not at all. Fails where there
/// is one already.
#[expect(clippy::disallowed_methods, reason = "this is the one place that calls the file system")]
pub fn create_private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    // Unlike a rename, a link does not replace a file that has the name.
    let linked = std::fs::hard_link(&temporary, path);
    // Whether it has the name or not: a second copy of a secret is left nowhere.
    std::fs::remove_file(&temporary)?;
    linked?;
    File::open(path.parent().unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// Reads a small file whole; `None` when it does not exist. Fails with `PermissionDenied` when others than its owner
/// may read or change it.
pub fn read_private_file(path: &Path) -> io::Result<Option<String>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        let why = format!("others than its owner may use it (mode {:04o})", mode & 0o7777);
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(Some(text))
}
