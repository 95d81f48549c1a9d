//! Which replica leads after a start, and when a start may commit.
//!
//! Every start that commits has an epoch of its own. It first has a majority of the voters *promise* it, in a file beside
//! the rows of each, then commits a row with it. Any two majorities share a voter, so a later start sees the promise and
//! takes a higher epoch: no two starts commit under the same. What one epoch commits is a single line (one process, one
//! sequencer), so of two replicas the one with the higher (epoch, number) has everything that was acknowledged to a
//! majority among them; a group that only a minority had loses against the next epoch that did not see it.
//!
//! The order of rows inside a replica cannot tell an empty one from one that lost everything; the promise can: a voter
//! without rows and without a promise has never taken part, and its word does not count.

use std::io;
use std::path::Path;

use super::Error;
use super::records::Commit;
use crate::sys::disk::Disk;
use crate::sys::disk::read_file;
use crate::sys::disk::replace_file;

/// The file in a replica's directory that holds the highest epoch it promised, in decimal digits.
pub(super) const PROMISE: &str = "holdall-promise";

/// The file that marks a replica in which damage was found; it does not count until it has been made anew.
pub(super) const DAMAGED: &str = "holdall-damaged";

/// How far a replica is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Standing {
    /// Of the last start that committed into it.
    pub(super) epoch: u64,
    pub(super) commit: Commit,
    /// The highest epoch that it promised.
    pub(super) promise: u64,
    /// Replicas that differ in it cannot take the same batches.
    pub(super) layout: Vec<u8>,
}

impl Standing {
    /// Whether it has never taken part, or lost everything.
    pub(super) fn is_new(&self) -> bool {
        self.commit.number == 0 && self.promise == 0
    }
}

/// Voters that make a commit durable.
pub(super) const fn majority(voters: usize) -> usize {
    voters / 2 + 1
}

/// Voters that must be there at a start, so that one of them has every acknowledged commit.
pub(super) const fn read_quorum(voters: usize) -> usize {
    voters - voters / 2
}

/// The one to lead: highest epoch, then highest number, then the chain value that most have.
pub(super) fn elect(standings: &[&Standing]) -> Option<usize> {
    let place = |standing: &Standing| (standing.epoch, standing.commit.number);
    let best = standings.iter().map(|standing| place(standing)).max()?;
    let alike = |chain: u32| {
        standings.iter().filter(|other| place(other) == best && other.commit.chain == chain).count()
    };
    let candidates = standings.iter().enumerate().filter(|(_, standing)| place(standing) == best);
    // Of equals the first.
    candidates.rev().max_by_key(|(_, standing)| alike(standing.commit.chain)).map(|(which, _)| which)
}

/// The highest epoch that the replica in this directory promised.
pub(super) fn promised(disk: &dyn Disk, replica: &Path) -> Result<u64, Error> {
    let path = replica.join(PROMISE);
    match read_file(disk, &path) {
        Ok(bytes) => std::str::from_utf8(&bytes)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .ok_or_else(|| Error::corrupt(path.display().to_string(), "not an epoch")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(Error::io("read", &path, &error)),
    }
}

/// Promises an epoch; durable when it returns.
pub(super) fn promise(disk: &dyn Disk, replica: &Path, epoch: u64) -> Result<(), Error> {
    let path = replica.join(PROMISE);
    replace_file(disk, &path, format!("{epoch}\n").as_bytes())
        .map_err(|error| Error::io("write", &path, &error))
}

/// Whether damage was found in the replica in this directory.
pub(super) fn is_damaged(disk: &dyn Disk, replica: &Path) -> bool {
    disk.stat(&replica.join(DAMAGED)).is_ok()
}

/// Marks the replica in this directory as damaged, as well as the disk allows.
pub(super) fn mark_damaged(disk: &dyn Disk, replica: &Path, why: &str) {
    if let Err(error) = replace_file(disk, &replica.join(DAMAGED), format!("{why}\n").as_bytes()) {
        tracing::warn!(replica = %replica.display(), %error, "a damaged replica could not be marked");
    }
}

#[cfg(test)]
#[path = "vote_tests.rs"]
mod tests;
