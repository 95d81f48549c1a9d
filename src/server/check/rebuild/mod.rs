//! `holdall check --rebuild-metadata`: the last resort when no metadata replica is left. Rows are made anew from what
//! part files say about themselves.
//!
//! What comes back: every object in a part file of its own, with bucket, key, length, ETag, headers, user metadata,
//! storage class, owner, time of writing and checksum; and every part of a multipart upload, as a part of an upload that
//! is open again. What cannot come back, because no part file knows of it: [`MISSING`].
//!
//! What is always true:
//! - No part file is changed, and no metadata is removed: what was there is moved aside as `meta.lost-<n>`, after the new
//!   rows are complete and durable. Cut off before, everything is as it was, and it can be run again.
//! - Of several part files for one key the newest by time of writing wins. Deletes are not written in part files, so an
//!   object that was deleted shortly before may come back.
//! - Every row is made by a transaction, with references, counters, and repair rows for blobs short of copies.

mod batch;
mod finish;
mod place;
mod scan;

use serde::Serialize;

use super::Watch;
use super::findings::Findings;
use super::open;
use super::replicas;
use super::vote;
use crate::config::Config;
use crate::server::Error;
use crate::sys::entropy::SystemEntropy;

use batch::Batch;
use place::Database;
use scan::Found;

pub use place::Plan;

/// What no part file knows of, and no rebuild can bring back.
pub const MISSING: [&str; 7] = [
    "objects and last parts up to the inline limit (storage.inline_limit, 32 KiB by default): they were in the metadata alone, \
     and their number is not known",
    "buckets without an object in a part file of its own, the configuration of all buckets, and their regions",
    "objects that were made by a copy on the server: their bytes come back under the key they were written for, if that is \
     still wanted or not",
    "which uploads were completed, with which parts: parts come back as open uploads, or with --include-uploads as objects \
     of all parts numbered without a gap, of which the end may be missing",
    "deletes: an object deleted or overwritten shortly before may come back, as long as its part file was not reclaimed",
    "settings, cursors and queues of jobs",
    "checksums of objects written by the first release",
];

/// What may be chosen.
#[derive(Debug, Clone, Copy, Default)]
pub struct RebuildOptions {
    /// Make objects of uploads whose parts are numbered from 1 without a gap, where no other object has the key.
    pub include_uploads: bool,
}

/// What came back, and what did not.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Rebuilt {
    /// Part files that were read.
    pub files: u64,
    /// Part files that are damaged or cannot be read.
    pub bad_files: u64,
    /// Blobs of which no copy says whose it is.
    pub unknown_blobs: u64,
    /// Buckets.
    pub buckets: u64,
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs of which a newer generation won.
    pub superseded: u64,
    /// Objects left out because their bucket was deleted: a bucket of the same name was made later.
    pub in_deleted_buckets: u64,
    /// Uploads that are open again.
    pub open_uploads: u64,
    /// Open uploads whose parts are numbered with a gap: the missing ones were small, or never sent.
    pub uploads_with_gaps: u64,
    /// Uploads that became objects.
    pub uploads_as_objects: u64,
    /// Blobs that are queued for repair.
    pub short_of_copies: u64,
    /// The first few of those objects, which may be less than was uploaded, or more than was ever completed.
    pub assumed: Vec<String>,
    /// The first few of what was left out, in words.
    pub left_out: Vec<String>,
    /// Where the metadata of before is now.
    pub moved: Vec<(std::path::PathBuf, std::path::PathBuf)>,
}

/// Lines in [`Rebuilt::left_out`].
const LEFT_OUT_MAX: usize = 100;
/// Lines in [`Rebuilt::assumed`].
const ASSUMED_MAX: usize = 1000;

impl Rebuilt {
    fn assume(&mut self, what: impl FnOnce() -> String) {
        if self.assumed.len() < ASSUMED_MAX {
            self.assumed.push(what());
        }
    }

    fn leave_out(&mut self, what: impl FnOnce() -> String) {
        if self.left_out.len() < LEFT_OUT_MAX {
            self.left_out.push(what());
        }
    }
}

/// What a rebuild would do; changes nothing.
///
/// # Errors
/// A server runs, or no volume is there.
pub fn plan(config: &Config) -> Result<Plan, Error> {
    let opened = open::open(&config.storage.volumes)?;
    let mut ignored = Findings::new(0);
    let cache_bytes = config.memory.cache_bytes();
    let (sound, _) = replicas::open(&opened.replicas, opened.deployment, cache_bytes, &mut ignored);
    let sound = sound.into_iter().map(|replica| (replica.path, replica.commit.number)).collect();
    Ok(Plan { sound, ..Plan::of(&opened) })
}

/// Makes the metadata anew.
///
/// # Errors
/// A server runs, no volume is there, or the new metadata cannot be written: everything is as it was then.
pub fn run(config: &Config, options: RebuildOptions, watch: &dyn Watch) -> Result<Rebuilt, Error> {
    let opened = open::open(&config.storage.volumes)?;
    let plan = Plan::of(&opened);
    let database = Database::create(&plan, config)?;
    let mut rebuilt = Rebuilt::default();
    let mut batch = Batch::new(&database.meta, opened.copies(config.storage.copies()));
    watch.stage("part files", 256);
    let (send, receive) = std::sync::mpsc::sync_channel::<scan::Shard>(1);
    std::thread::scope(|scope| {
        // One directory is read while the rows of the one before are written.
        scope.spawn(|| scan::run(&opened.volumes, send));
        for shard in receive {
            rebuilt.files += shard.files;
            rebuilt.bad_files += shard.bad.len() as u64;
            rebuilt.unknown_blobs += shard.unknown.len() as u64;
            for what in shard.bad.into_iter().chain(shard.unknown) {
                rebuilt.leave_out(|| what);
            }
            batch.add(shard.found, &mut rebuilt)?;
            watch.advance(1);
        }
        Ok::<(), Error>(())
    })?;
    let entropy = SystemEntropy;
    finish::run(batch, (options, config, &entropy), watch, &mut rebuilt)?;
    rebuilt.moved = database.put_in_place(&plan, opened.deployment)?;
    vote::give(&opened, |member| plan.into.iter().any(|(name, _)| *name == member.to_string()))?;
    Ok(rebuilt)
}
