//! Logs that are kept behind a flush, for replicas that were away. RocksDB moves them to `archive/`; the oldest are taken
//! here, because RocksDB itself looks every ten minutes only, and a busy server writes gigabytes in that time.

use std::path::PathBuf;

use super::Error;
use super::db::Database;
use crate::sys::disk::Disk;

/// The logs of a database, kept at most: some minutes of writes.
const KEPT_BYTES_MAX: u64 = 256 << 20;

/// Of a small disk, the part that they may take.
const KEPT_DIVISOR: u64 = 100;

/// Removes the oldest until the rest is within its bound, unless a replica is being built from them.
pub(super) fn prune(disk: &dyn Disk, database: &Database) -> Result<(), Error> {
    let archive = database.path.join("archive");
    if database.is_held() {
        return Ok(());
    }
    let Ok(names) = disk.list(&archive) else { return Ok(()) };
    let failed = |error: std::io::Error| Error::io("prune", &archive, &error);
    let number = |name: &String| name.strip_suffix(".log").and_then(|stem| stem.parse::<u64>().ok());
    let mut logs: Vec<(u64, PathBuf)> =
        names.iter().filter_map(|name| Some((number(name)?, archive.join(name)))).collect();
    logs.sort_unstable();
    let total = disk.space(&archive).map_err(failed)?.total_bytes;
    let mut room = KEPT_BYTES_MAX.min(total / KEPT_DIVISOR);
    for (_, log) in logs.iter().rev() {
        let length = disk.stat(log).map_err(failed)?.length;
        match room.checked_sub(length) {
            Some(rest) => room = rest,
            None => {
                room = 0;
                disk.remove(log).map_err(failed)?;
            }
        }
    }
    Ok(())
}
