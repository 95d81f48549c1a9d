//! The probe: whether a volume that has failed works again. A block is written past the page cache, made durable, read
//! back and removed, as a part is.

use std::time::Duration;
use std::time::Instant;

use super::AlignedBuffer;
use super::BLOCK_BYTES;
use super::Error;
use super::Kind;
use super::Volume;
use crate::sys::disk::NewFile;

/// Its name, at the root of the volume.
const NAME: &str = "probe";

/// A disk that takes longer for one block, while no client uses it, has not recovered.
const PROBE_MAX: Duration = Duration::from_secs(2);

/// What a probe has found.
#[derive(Debug)]
pub struct Probe {
    /// Whether the volume is there and its files can be read.
    pub read: Result<(), Error>,
    /// Whether it takes writes.
    pub written: Result<(), Error>,
}

impl Volume {
    /// Tries the volume. Writes nothing where the volume is not, see [`Kind::Missing`].
    pub fn probe(&self) -> Probe {
        let begun = Instant::now();
        let missing = || Error::new("probe", &self.root, Kind::Missing);
        if !self.is_there() {
            return Probe { read: Err(missing()), written: Err(missing()) };
        }
        let written = self.write_probe().and_then(|()| self.check_time(begun));
        let begun = Instant::now();
        let read = match &written {
            Ok(()) => self.read_probe().and_then(|()| self.check_time(begun)),
            // There is nothing to read back: that its identity could be read has to do.
            Err(_) => Ok(()),
        };
        let written = written.and_then(|()| self.remove_probe());
        Probe { read, written }
    }

    fn write_probe(&self) -> Result<(), Error> {
        let path = self.root.join(NAME);
        let failed = |operation| move |error| Error::io(operation, &self.root.join(NAME), error);
        // An earlier probe may have been cut off.
        match self.disk.remove(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed("remove")(error));
            }
            _ => {}
        }
        let new = NewFile { direct: true, reserve_bytes: 0 };
        let file = self.disk.create(&path, new).map_err(failed("create"))?;
        file.write_at(pattern().bytes(), 0).map_err(failed("write"))?;
        file.sync().map_err(failed("sync"))?;
        self.disk.sync_dir(&self.root).map_err(failed("sync"))
    }

    fn read_probe(&self) -> Result<(), Error> {
        let path = self.root.join(NAME);
        let mut bytes = vec![0; BLOCK_BYTES];
        let read = self.disk.open(&path).and_then(|file| file.read_at(&mut bytes, 0));
        read.map_err(|error| Error::io("read", &path, error))?;
        match bytes == pattern().bytes() {
            true => Ok(()),
            false => {
                Err(Error::new("read", &path, Kind::Corrupt("a probe did not come back as it was written")))
            }
        }
    }

    fn remove_probe(&self) -> Result<(), Error> {
        let path = self.root.join(NAME);
        self.disk.remove(&path).map_err(|error| Error::io("remove", &path, error))
    }

    fn check_time(&self, begun: Instant) -> Result<(), Error> {
        match begun.elapsed() <= PROBE_MAX {
            true => Ok(()),
            false => Err(Error::io("probe", &self.root, std::io::ErrorKind::TimedOut.into())),
        }
    }
}

fn pattern() -> AlignedBuffer {
    let mut buffer = AlignedBuffer::with_capacity(BLOCK_BYTES);
    while !buffer.is_full() {
        buffer.fill_from(b"holdall probe \n\n");
    }
    buffer
}
