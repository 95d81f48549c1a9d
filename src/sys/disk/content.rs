//! The bytes of one simulated file: as the running system sees them, as they are on the disk, and the changes
//! between the two.

use std::io;

/// What a power cut may tear a write at: the sector of a disk.
const SECTOR_BYTES: usize = 512;

/// The bytes of a file.
#[derive(Default)]
pub(super) struct Content {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    /// In the order in which they were made.
    unsynced: Vec<Change>,
}

enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

impl Content {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let found = self.bytes.get(start..).and_then(|rest| rest.get(..out.len()));
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    pub(super) fn write_at(&mut self, bytes: &[u8], offset: u64) {
        put(&mut self.bytes, offset as usize, bytes);
        self.unsynced.push(Change::Write { offset: offset as usize, bytes: bytes.to_vec() });
    }

    pub(super) fn set_length(&mut self, length: u64) {
        self.bytes.resize(length as usize, 0);
        self.unsynced.push(Change::Length(length as usize));
    }

    pub(super) fn sync(&mut self) {
        self.durable.clone_from(&self.bytes);
        self.unsynced = Vec::new();
    }

    /// Changes what is on the disk, behind everybody's back.
    pub(super) fn rot(&mut self, change: impl FnOnce(&mut Vec<u8>)) {
        change(&mut self.bytes);
        self.sync();
    }

    /// Back to what is on the disk. Of each change since the last sync, nothing got there (0), or some of its sectors,
    /// or all of it, or its length alone with zeros for bytes.
    pub(super) fn forget(&mut self, choose: &mut dyn FnMut(usize) -> usize) {
        if self.unsynced.is_empty() {
            return;
        }
        for change in std::mem::take(&mut self.unsynced) {
            match change {
                Change::Length(length) if choose(2) == 1 => self.durable.resize(length, 0),
                Change::Length(_) => {}
                Change::Write { offset, bytes } => {
                    let sectors = bytes.len().div_ceil(SECTOR_BYTES);
                    match choose(4) {
                        0 => {}
                        1 => put(&mut self.durable, offset, &bytes),
                        2 => {
                            let torn = (choose(sectors + 1) * SECTOR_BYTES).min(bytes.len());
                            put(&mut self.durable, offset, &bytes[..torn]);
                        }
                        _ => {
                            let length = self.durable.len().max(offset + bytes.len());
                            self.durable.resize(length, 0);
                        }
                    }
                }
            }
        }
        self.bytes.clone_from(&self.durable);
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}
