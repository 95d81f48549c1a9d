//! A look at RocksDB's logs before they are replayed: was the end torn, or is something acknowledged missing?
//!
//! A crash tears the last write, which nobody was told about: it is dropped and the start goes on. Damage *before* the
//! last write is another matter: rows that were acknowledged are lost, and replay (which stops at the first record it
//! cannot read) would drop everything behind them in silence. The two look alike to RocksDB, but not to us: one thread
//! writes, and waits for each sync, so behind a torn write no other can begin. Damage with the beginning of a record
//! behind it stops the start.
//!
//! The same holds from log to log, and several can be live at once: a log with a torn end is followed by the very next
//! sequence number (it was torn by an earlier crash, and dropped then) or by nothing. When a later log begins further on,
//! what is torn was acknowledged.
//!
//! The format (RocksDB wiki, "Write Ahead Log File Format"): blocks of 32 KiB; records do not cross blocks, writes are
//! cut into fragments instead.
//!
//! ```text
//!   CRC-32C of type and payload, masked (4) | length of the payload (2) | type (1) | payload
//! ```

use std::path::Path;
use std::path::PathBuf;

use super::Error;
use super::error::Kind;
use crate::sys::disk::Disk;
use crate::sys::disk::read_file;

const BLOCK: usize = 32 << 10;
const HEADER: usize = 7;

const FULL: u8 = 1;
const FIRST: u8 = 2;
const MIDDLE: u8 = 3;
const LAST: u8 = 4;

/// How a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With a whole write.
    Clean,
    /// In the middle of one, from this offset on.
    Torn(u64),
    /// Not at all: at `at` something is missing, and another write begins at `next`.
    Lost { at: u64, next: u64 },
}

/// Refuses logs in which acknowledged writes are damaged.
pub(super) fn check(disk: &dyn Disk, database: &Path) -> Result<(), Error> {
    let names = match disk.list(database) {
        Ok(names) => names,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("open", database, &error)),
    };
    let number = |name: &String| name.strip_suffix(".log").and_then(|stem| stem.parse::<u64>().ok());
    let mut logs: Vec<(u64, &String)> = names.iter().filter_map(|name| Some((number(name)?, name))).collect();
    logs.sort_unstable();
    let mut before = Before::default();
    for (_, name) in logs {
        let path = database.join(name);
        let scan = scan(disk, &path).map_err(|error| Error::io("read", &path, &error))?;
        before.follow(&scan)?;
        match scan.ending() {
            Ending::Clean => {}
            Ending::Torn(at) => {
                tracing::info!(log = %path.display(), at, "the last write was cut off and is dropped");
                before.torn = Some((path, at));
            }
            Ending::Lost { at, next } => {
                return Err(Error::new("open", path.display().to_string(), Kind::Lost { at, next }));
            }
        }
    }
    Ok(())
}

/// Refuses a list of files that is damaged before its end: RocksDB may read one for ever while it opens the database.
pub(super) fn check_manifest(disk: &dyn Disk, database: &Path) -> Result<(), Error> {
    let Ok(named) = read_file(disk, &database.join("CURRENT")) else { return Ok(()) };
    let path = database.join(String::from_utf8_lossy(&named).trim_end());
    let (Ok((Ending::Torn(at) | Ending::Lost { at, .. }, _)), Ok(bytes)) =
        (ending(disk, &path), read_file(disk, &path))
    else {
        // RocksDB says what is wrong with one that is not there.
        return Ok(());
    };
    // A crash leaves nothing whole behind what it cut off.
    let block_end = |offset: usize| bytes.len().min((offset / BLOCK + 1) * BLOCK);
    let is_whole = |offset: &usize| fragment(&bytes[*offset..block_end(*offset)]).is_some();
    match (at as usize + 1..bytes.len()).find(is_whole) {
        Some(next) => {
            let lost = Kind::Lost { at, next: next as u64 };
            Err(Error::new("open", path.display().to_string(), lost))
        }
        None => Ok(()),
    }
}

/// How one log ends, and its length.
pub(super) fn ending(disk: &dyn Disk, path: &Path) -> std::io::Result<(Ending, u64)> {
    let length = disk.stat(path)?.length;
    Ok((scan(disk, path)?.ending(), length))
}

/// What is known of the logs before the one that is looked at.
#[derive(Default)]
struct Before {
    /// The sequence number behind the last whole write.
    expected: Option<u64>,
    /// A log whose end was torn, with nothing behind it so far.
    torn: Option<(PathBuf, u64)>,
}

impl Before {
    /// Whether the next log goes on where these end.
    fn follow(&mut self, scan: &Scan) -> Result<(), Error> {
        let Some(first) = scan.first else { return Ok(()) };
        if let (Some((path, at)), Some(expected)) = (self.torn.take(), self.expected)
            && first > expected
        {
            return Err(Error::new("open", path.display().to_string(), Kind::LostEnd { at }));
        }
        self.expected = scan.whole.or(self.expected);
        Ok(())
    }
}

fn scan(disk: &dyn Disk, path: &Path) -> std::io::Result<Scan> {
    let file = disk.open(path)?;
    let length = file.length()?;
    let mut scan = Scan::default();
    let mut block = vec![0; BLOCK];
    let mut offset = 0;
    while offset < length && scan.lost.is_none() {
        let bytes = (length - offset).min(BLOCK as u64) as usize;
        file.read_at(&mut block[..bytes], offset)?;
        scan.block(offset, &block[..bytes]);
        offset += bytes as u64;
    }
    Ok(scan)
}

#[derive(Default)]
struct Scan {
    /// Where the write begins whose fragments are being read.
    open: Option<u64>,
    /// The sequence number that the next write will have.
    sequence: u64,
    /// The sequence number of the first write.
    first: Option<u64>,
    /// The sequence number behind the last write that is whole and has no damage before it.
    whole: Option<u64>,
    damage: Option<u64>,
    lost: Option<(u64, u64)>,
}

/// Behind damage, a write counts as one of this log when its sequence number follows within so many.
const SEQUENCES_MAX: u64 = 1 << 32;

impl Scan {
    fn block(&mut self, offset: u64, block: &[u8]) {
        let mut at = 0;
        // What is too short for a header at the end of a block is padding.
        while at < block.len() && at + HEADER <= BLOCK {
            match fragment(&block[at..]) {
                Some((kind, payload)) => {
                    self.fragment(offset + at as u64, kind, payload);
                    at += HEADER + payload.len();
                }
                None => {
                    self.damaged(offset + at as u64);
                    self.search(offset, block, at + 1);
                    return;
                }
            }
        }
    }

    /// Looks behind damage, byte by byte, for the beginning of another write. Bodies may hold pieces of other logs;
    /// those do not go on with our sequence numbers.
    fn search(&mut self, offset: u64, block: &[u8], from: usize) {
        let begins = |at: &usize| {
            // The kind first: it spares most checksums.
            if !matches!(block.get(at + HEADER - 1), Some(&(FULL | FIRST))) {
                return false;
            }
            let Some((_, payload)) = fragment(&block[*at..]) else { return false };
            let ahead = sequences(payload).map(|(first, _)| first.wrapping_sub(self.sequence));
            ahead.is_some_and(|ahead| ahead < SEQUENCES_MAX)
        };
        let found = (from..block.len()).find(begins);
        if let (Some(next), Some(at), None) = (found, self.damage, self.lost) {
            self.lost = Some((at, offset + next as u64));
        }
    }

    fn fragment(&mut self, position: u64, kind: u8, payload: &[u8]) {
        let begins = matches!(kind, FULL | FIRST);
        match self.open {
            Some(open) if begins => self.damaged(open),
            None if matches!(kind, MIDDLE | LAST) => self.damaged(position),
            _ => {}
        }
        match kind {
            FIRST => self.open = Some(position),
            FULL | LAST => self.open = None,
            _ => {}
        }
        if begins && let Some(at) = self.damage {
            self.lost.get_or_insert((at, position));
        }
        if begins && let Some((first, count)) = sequences(payload) {
            self.sequence = first.wrapping_add(u64::from(count));
            self.first.get_or_insert(first);
        }
        if matches!(kind, FULL | LAST) && self.damage.is_none() {
            self.whole = Some(self.sequence);
        }
    }

    fn damaged(&mut self, position: u64) {
        let at = self.open.take().unwrap_or(position);
        self.damage.get_or_insert(at);
    }

    fn ending(&self) -> Ending {
        match (self.lost, self.damage.or(self.open)) {
            (Some((at, next)), _) => Ending::Lost { at, next },
            (None, Some(at)) => Ending::Torn(at),
            (None, None) => Ending::Clean,
        }
    }
}

/// Type and payload of the fragment at the beginning of `bytes`, when it is whole.
fn fragment(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let header = bytes.get(..HEADER)?;
    let length = usize::from(header[4]) | usize::from(header[5]) << 8;
    let kind = header[6];
    let payload = bytes.get(HEADER..HEADER + length).filter(|_| kind != 0)?;
    let covered = &bytes[HEADER - 1..HEADER + length];
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, covered) as u32;
    // As RocksDB does: checksums of bytes that hold checksums are weak.
    let masked = crc.rotate_right(15).wrapping_add(0xa282_ead8);
    (header[..4] == masked.to_le_bytes()).then_some((kind, payload))
}

/// First sequence number and count of the write that begins with this payload.
fn sequences(payload: &[u8]) -> Option<(u64, u32)> {
    let first = u64::from_le_bytes(payload.get(..8)?.try_into().ok()?);
    let count = u32::from_le_bytes(payload.get(8..12)?.try_into().ok()?);
    Some((first, count))
}

#[cfg(test)]
#[path = "wal_tests.rs"]
mod tests;
