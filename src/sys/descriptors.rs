//! How many files and sockets this process may hold.

use rustix::process::Resource;
use rustix::process::getrlimit;
use rustix::process::setrlimit;

/// Raises the limit to what the system allows this process, and says what it is now; `None` is no limit. Systems
/// start processes with 1,024, for the sake of programs that use `select`.
///
/// # Errors
/// The system refuses.
pub fn raise_limit() -> std::io::Result<Option<u64>> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        setrlimit(Resource::Nofile, limit)?;
    }
    Ok(getrlimit(Resource::Nofile).current)
}
