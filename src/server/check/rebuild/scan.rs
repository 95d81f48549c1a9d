//! Reads every part file's own description, directory by directory, on all volumes at once.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use crate::base::BlobId;
use crate::base::Md5Digest;
use crate::base::Timestamp;
use crate::meta::records::BlobOwner;
use crate::server::check::files;
use crate::server::check::files::Copy;
use crate::volume::Error;
use crate::volume::Volume;

/// A blob with at least one good copy that says whose it is.
pub(super) struct Found {
    pub(super) blob: BlobId,
    pub(super) length: u64,
    pub(super) md5: Md5Digest,
    pub(super) created: Timestamp,
    pub(super) owner: BlobOwner,
    /// Good copies.
    pub(super) copies: usize,
}

/// What one directory holds.
#[derive(Default)]
pub(super) struct Shard {
    pub(super) files: u64,
    pub(super) found: Vec<Found>,
    /// Files that are damaged or cannot be read, in words; directories too.
    pub(super) bad: Vec<String>,
    /// Blobs of which no copy says whose it is, in words.
    pub(super) unknown: Vec<String>,
}

struct Seen {
    length: u64,
    md5: Md5Digest,
    created: Timestamp,
    owner: Option<BlobOwner>,
}

/// Reads all directories in order, until nobody listens any more.
pub(super) fn run(volumes: &[Arc<Volume>], shards: SyncSender<Shard>) {
    for first in 0..=u8::MAX {
        if shards.send(read(volumes, first)).is_err() {
            return;
        }
    }
}

fn read(volumes: &[Arc<Volume>], first: u8) -> Shard {
    let directory = files::read_directory(volumes, first, false, &look);
    let mut shard = Shard { files: directory.copies.len() as u64, ..Shard::default() };
    shard.bad.extend(directory.unreadable.iter().map(|(_, error)| error.to_string()));
    let mut copies = directory.copies.into_iter().peekable();
    while let Some(copy) = copies.next() {
        let blob = copy.blob;
        let mut of_blob = vec![copy];
        while let Some(next) = copies.next_if(|next| next.blob == blob) {
            of_blob.push(next);
        }
        shard.add(volumes, blob, of_blob);
    }
    shard
}

impl Shard {
    fn add(&mut self, volumes: &[Arc<Volume>], blob: BlobId, copies: Vec<Copy<Seen>>) {
        let mut good: Vec<(usize, Seen)> = Vec::with_capacity(copies.len());
        for copy in copies {
            match copy.seen {
                Ok(seen) => good.push((copy.volume, seen)),
                Err(why) => self.bad.push(why),
            }
        }
        let count = good.len();
        let Some(on) = good.first().map(|(volume, _)| *volume) else { return };
        match good.into_iter().find_map(|(_, seen)| Some((seen.owner?, seen.length, seen.md5, seen.created)))
        {
            Some((owner, length, md5, created)) => {
                self.found.push(Found { blob, length, md5, created, owner, copies: count });
            }
            None => {
                let path = files::path_of(&volumes[on], blob);
                self.unknown.push(format!("{path} does not say whose it is"));
            }
        }
    }
}

fn look(volume: &Volume, blob: BlobId) -> Result<Seen, Error> {
    let part = volume.open_part(blob)?;
    let owner = BlobOwner::decode(&part.owner()?);
    let footer = part.footer();
    Ok(Seen { length: footer.length, md5: footer.md5, created: footer.created, owner })
}
