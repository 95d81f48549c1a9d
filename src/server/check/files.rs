//! Part files as they are found: one of the 256 directories at a time, of all volumes at once.
//!
//! A directory holds a 256th of the ids, since they are random: that, and what is kept of each file, bounds the memory.

use std::sync::Arc;

use crate::base::BlobId;
use crate::volume::Error;
use crate::volume::Volume;

/// Files of one volume that are opened at once: a disk answers several small reads in the time of one.
const READERS: usize = 4;

/// One copy of a blob.
pub(super) struct Copy<T> {
    pub(super) blob: BlobId,
    /// Number of the volume it is on.
    pub(super) volume: usize,
    /// What was seen in it, or why it is no good copy.
    pub(super) seen: Result<T, String>,
}

/// The part files of one directory, of all volumes.
pub(super) struct Directory<T> {
    /// Ordered by blob, then by volume.
    pub(super) copies: Vec<Copy<T>>,
    /// Volumes whose directory cannot be read, and why.
    pub(super) unreadable: Vec<(usize, Error)>,
    /// Volumes and the names there that are no part files.
    pub(super) strangers: Vec<(usize, String)>,
}

/// What is looked at in a part file.
pub(super) type Look<'a, T> = &'a (dyn Fn(&Volume, BlobId) -> Result<T, Error> + Sync);

/// Looks at the files of the directory `first`; with `one_by_one` in the order of their names, as suits a disk that is
/// read whole.
pub(super) fn read_directory<T: Send>(
    volumes: &[Arc<Volume>],
    first: u8,
    one_by_one: bool,
    look: Look<'_, T>,
) -> Directory<T> {
    let mut directory = Directory { copies: Vec::new(), unreadable: Vec::new(), strangers: Vec::new() };
    let mut listed = Vec::with_capacity(volumes.len());
    for (number, volume) in volumes.iter().enumerate() {
        let names = volume.names(first).unwrap_or_else(|error| {
            directory.unreadable.push((number, error));
            Vec::new()
        });
        let mut blobs = Vec::with_capacity(names.len());
        for name in names {
            match name.parse::<BlobId>() {
                Ok(blob) if blob.as_bytes()[0] == first && blob.to_string() == name => blobs.push(blob),
                _ => directory.strangers.push((number, format!("{first:02x}/{name}"))),
            }
        }
        blobs.sort_unstable();
        listed.push(blobs);
    }
    directory.copies = look_at(volumes, &listed, if one_by_one { 1 } else { READERS }, look);
    directory.copies.sort_unstable_by_key(|copy| (copy.blob, copy.volume));
    directory
}

fn look_at<T: Send>(
    volumes: &[Arc<Volume>],
    listed: &[Vec<BlobId>],
    readers: usize,
    look: Look<'_, T>,
) -> Vec<Copy<T>> {
    let read = |number: usize, blobs: &[BlobId]| -> Vec<Copy<T>> {
        let volume = &volumes[number];
        let copy = |blob: &BlobId| {
            let seen = look(volume, *blob).map_err(|error| error.to_string());
            Copy { blob: *blob, volume: number, seen }
        };
        blobs.iter().map(copy).collect()
    };
    let read = &read;
    std::thread::scope(|scope| {
        let mut running = Vec::new();
        for (number, blobs) in listed.iter().enumerate() {
            for share in blobs.chunks(blobs.len().div_ceil(readers).max(1)) {
                running.push(scope.spawn(move || read(number, share)));
            }
        }
        running.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    })
}

/// How an operator finds a copy.
pub(super) fn path_of(volume: &Volume, blob: BlobId) -> String {
    let shard = format!("{:02x}", blob.as_bytes()[0]);
    volume.root().join("blobs").join(shard).join(blob.to_string()).display().to_string()
}
