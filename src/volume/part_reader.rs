//! Verified reads of a part file: every block touched is checked before a byte of it is handed out.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::BLOCK_BYTES;
use super::Error;
use super::FOOTER_BYTES;
use super::Footer;
use super::Kind;
use super::format::NoFooter;
use crate::base::BlobId;
use crate::base::Md5Digest;
use crate::sys::disk::Disk;
use crate::sys::disk::DiskFile;

/// An open part file whose footer has been checked.
pub struct PartReader {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    footer: Footer,
    /// Block table and owner, read and checked when first needed.
    table: OnceLock<Vec<u8>>,
}

impl PartReader {
    pub(super) fn open(disk: &dyn Disk, path: PathBuf, id: BlobId) -> Result<Self, Error> {
        let opened = disk.open(&path).and_then(|file| Ok((file.length()?, file)));
        let (length, file) = opened.map_err(|error| Error::io("open", &path, error))?;
        let corrupt = |why| Error::new("open", &path, Kind::Corrupt(why));
        let at = length.checked_sub(FOOTER_BYTES as u64).ok_or_else(|| corrupt("the file is too short"))?;
        let mut bytes = [0; FOOTER_BYTES];
        file.read_at(&mut bytes, at).map_err(|error| Error::io("read", &path, error))?;
        let footer = Footer::decode(&bytes).map_err(|error| match error {
            NoFooter::Corrupt(why) => corrupt(why),
            NoFooter::Newer(format) => Error::new("open", &path, Kind::Newer(format)),
        })?;
        if footer.id != id {
            return Err(corrupt("the footer names another blob"));
        }
        if footer.file_bytes() != length {
            return Err(corrupt("the file is not as long as its footer says"));
        }
        Ok(Self { file, path, footer, table: OnceLock::new() })
    }

    /// The footer.
    pub const fn footer(&self) -> &Footer {
        &self.footer
    }

    /// MD5 of the payload, as it was written.
    pub const fn md5(&self) -> Md5Digest {
        self.footer.md5
    }

    /// What the file says about itself.
    pub fn owner(&self) -> Result<Vec<u8>, Error> {
        Ok(self.table()?[self.footer.table_bytes() as usize..].to_vec())
    }

    /// Appends exactly `range` of the payload to `out`, verified. On an error nothing is appended.
    pub fn read_verified(&self, range: Range<u64>, out: &mut Vec<u8>) -> Result<(), Error> {
        if range.start > range.end || range.end > self.footer.length {
            return Err(Error::new("read", &self.path, Kind::Corrupt("the range lies behind the end")));
        }
        let block = BLOCK_BYTES as u64;
        let first = range.start - range.start % block;
        let end = range.end.next_multiple_of(block).min(self.footer.length);
        let from = out.len();
        out.resize(from + (end - first) as usize, 0);
        let read = self.file.read_at(&mut out[from..], first);
        let checked = read
            .map_err(|error| Error::io("read", &self.path, error))
            .and_then(|()| self.check(&out[from..], first / block));
        if checked.is_err() {
            out.truncate(from);
            return checked;
        }
        out.truncate(from + (range.end - first) as usize);
        out.drain(from..from + (range.start - first) as usize);
        Ok(())
    }

    /// Checks a range of the payload, without handing it out and without keeping it in the system's memory.
    pub fn verify(&self, range: Range<u64>, scratch: &mut Vec<u8>) -> Result<(), Error> {
        scratch.clear();
        let (at, length) = (range.start, range.end - range.start);
        let verified = self.read_verified(range, scratch);
        self.file.forget(at, length);
        verified
    }

    /// The same bytes will not be read again soon.
    pub fn forget(&self, range: Range<u64>) {
        self.file.forget(range.start, range.end - range.start);
    }

    /// Checks whole blocks (the last may be short) against the table.
    fn check(&self, bytes: &[u8], first_block: u64) -> Result<(), Error> {
        let table = &self.table()?[first_block as usize * 4..];
        let sound = bytes
            .chunks(BLOCK_BYTES)
            .zip(table.chunks_exact(4))
            .all(|(block, sum)| crc32fast::hash(block).to_le_bytes() == sum);
        match sound {
            true => Ok(()),
            false => Err(Error::new("read", &self.path, Kind::Corrupt("a block's checksum is wrong"))),
        }
    }

    fn table(&self) -> Result<&[u8], Error> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let length = self.footer.table_bytes() + u64::from(self.footer.owner_length);
        let mut table = vec![0; length as usize];
        self.file
            .read_at(&mut table, self.footer.length)
            .map_err(|error| Error::io("read", &self.path, error))?;
        if crc32fast::hash(&table) != self.footer.table_crc {
            return Err(Error::new("read", &self.path, Kind::Corrupt("the block table's checksum is wrong")));
        }
        Ok(self.table.get_or_init(|| table))
    }
}
