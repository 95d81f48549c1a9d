//! Making a replica anew from the leader, while the leader serves.
//!
//! A checkpoint of the leader (hard links beside it) is copied file by file into `meta.new`, opened there, brought up
//! with the leader's log, and takes the place of `meta`. What was there before is given up only then: until that moment
//! it may be the only good copy of something.

use std::path::Path;
use std::sync::Arc;

use rocksdb::checkpoint::Checkpoint;

use super::Error;
use super::catch_up::CatchUp;
use super::catch_up::catch_up;
use super::db::Database;
use super::db::Setup;
use super::error::Fault;
use super::event::Event;
use super::files;
use super::replica::Activity;
use super::replica::Replica;
use super::replica::hit;
use super::set::Set;
use super::verify;
use super::vote;
use crate::sys::disk::Disk as _;
use crate::sys::disk::NewFile;
use crate::sys::disk::RealDisk;
use crate::sys::failpoint::failpoint;

/// The process, or the machine, may open no more files.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

/// Bytes in one read.
const BUFFER: usize = 1 << 20;

/// Makes the replica, which is closed, anew.
pub(super) fn rebuild(replica: &Replica, set: &Set, setup: &Setup) -> Result<(), Error> {
    let path = &replica.place.path;
    let leader = set.leader().filter(|leader| leader.slot != replica.slot);
    let leader = leader.ok_or_else(|| Error::stopped("there is no other replica that leads"))?;
    files::tidy(&RealDisk, path)?;
    let new = files::beside(path, "new");
    let held = Held::new(&leader)?;
    let copied = copy_checkpoint(&held, replica, set, &new).and_then(|()| {
        // As what it is made from, it must not be taken for one that has never taken part.
        let standing = leader.standing()?;
        vote::promise(&RealDisk, &new, standing.epoch.max(standing.promise))
    });
    copied?;
    // RocksDB looks at blocks only when they are read, and what is there now is given up for this copy.
    verify::check_copy(&new).map_err(|error| blame(set, &leader, error))?;
    // It was copied just now, byte for byte: what is wrong with it is wrong with its source.
    let database = Database::open(&new, replica.slot, setup).map_err(|error| blame(set, &leader, error))?;
    let caught_up = catch_up(&leader, &database, database.last_commit()?, &|commit| {
        replica.set_applied(commit.number);
        set.check_open(replica).and_then(|()| set.check_leads(leader.slot))
    })?;
    if let CatchUp::Impossible(why) = caught_up {
        return Err(Error::behind(new.display().to_string(), why));
    }
    drop(database);
    failpoint!("meta::replica::before_swap", error).map_err(|error| Error::io("rename", &new, &error))?;
    files::swap(&RealDisk, path)
}

/// Says that the source is damaged, so that another takes the lead and the next attempt begins with that.
fn blame(set: &Set, source: &Database, error: Error) -> Error {
    if error.fault() == Fault::Damage {
        set.tell(Event::Damaged(source.slot, error.clone()));
    }
    error
}

/// Keeps the logs and files of a database while another is built from it.
struct Held<'a>(&'a Arc<Database>);

impl<'a> Held<'a> {
    fn new(database: &'a Arc<Database>) -> Result<Self, Error> {
        database.hold()?;
        Ok(Self(database))
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// Copies a checkpoint of the leader to `new`, synced.
fn copy_checkpoint(held: &Held<'_>, replica: &Replica, set: &Set, new: &Path) -> Result<(), Error> {
    let source = held.0;
    let links = files::beside(&source.path, &format!("checkpoint-{}", replica.slot));
    files::remove(&links)?;
    let failed = |error: rocksdb::Error| Error::rocksdb("copy", source.path.display().to_string(), &error);
    Checkpoint::new(&source.db)
        .and_then(|checkpoint| checkpoint.create_checkpoint(&links))
        .map_err(|error| blame(set, source, failed(error)))?;
    let copied = copy_files((&links, source.slot), new, replica, set).map_err(|failure| match failure {
        Failure::Source(error) => {
            let damage = Error::corrupt(source.path.display().to_string(), "its files cannot be read");
            set.tell(Event::Damaged(source.slot, damage));
            error
        }
        Failure::Target(error) => error,
    });
    let removed = files::remove(&links);
    copied.and(removed)
}

/// Whose disk failed.
enum Failure {
    Source(Error),
    Target(Error),
}

/// Copies the files that lie in `from`, links to those of the replica in slot `leads`.
fn copy_files((from, leads): (&Path, u64), to: &Path, replica: &Replica, set: &Set) -> Result<(), Failure> {
    // Whoever has no file to spare has nothing against the disk.
    let read = |error: std::io::Error| match error.raw_os_error() {
        Some(EMFILE | ENFILE) => Failure::Target(Error::io("copy", from, &error)),
        _ => Failure::Source(Error::io("copy", from, &error)),
    };
    let mut names = RealDisk.list(from).map_err(read)?;
    names.sort_unstable();
    let mut total_bytes = 0;
    for name in &names {
        total_bytes += RealDisk.stat(&from.join(name)).map_err(read)?.length;
    }
    let wrote = |error: std::io::Error| Failure::Target(Error::io("copy", to, &error));
    RealDisk.create_dirs(to).map_err(wrote)?;
    let (mut done_bytes, mut buffer) = (0, vec![0; BUFFER]);
    for name in &names {
        let source = RealDisk.open(&from.join(name)).map_err(read)?;
        let target = RealDisk.create(&to.join(name), NewFile::default()).map_err(wrote)?;
        let (length, mut offset) = (source.length().map_err(read)?, 0);
        while offset < length {
            set.check_open(replica).and_then(|()| set.check_leads(leads)).map_err(Failure::Target)?;
            let piece = &mut buffer[..(length - offset).min(BUFFER as u64) as usize];
            source.read_at(piece, offset).map_err(read)?;
            target.write_at(piece, offset).map_err(wrote)?;
            offset += piece.len() as u64;
            done_bytes += piece.len() as u64;
            replica.does(Activity::Rebuilds { done_bytes, total_bytes });
        }
        hit("copying", replica).map_err(Failure::Target)?;
        target.sync().map_err(wrote)?;
    }
    RealDisk.sync_dir(to).map_err(wrote)
}
