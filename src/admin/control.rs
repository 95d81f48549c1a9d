//! What the listener needs of the server behind it. `server` implements it over the store and the jobs; tests have one
//! that remembers what it was asked.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use super::refusal::Refusal;
use super::wire::Job;
use super::wire::Redundancy;
use super::wire::Volume;
use crate::base::VolumeId;
use crate::jobs::Command;

/// An answer under way.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Refusal>> + 'a>>;

/// What can be seen and changed.
pub trait Control: Send + Sync {
    /// Every volume that belongs, without [`Volume::progress`], which the listener adds.
    fn volumes(&self) -> Answer<'_, Vec<Volume>>;

    /// How redundant the blobs are.
    fn redundancy(&self) -> Answer<'_, Redundancy>;

    /// Volumes that should have a replica of the metadata, when there are so many.
    fn metadata_replicas_max(&self) -> usize;

    /// Every job.
    fn jobs(&self) -> Result<Vec<Job>, Refusal>;

    /// Asks something of a job.
    fn command(&self, job: &str, command: Command) -> Result<(), Refusal>;

    /// Changes which volumes belong; returns the one that is new or was changed. Not cancelled when the client goes
    /// away: it runs to its end.
    fn change(&self, change: Change) -> Answer<'_, VolumeId>;
}

/// A change of membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Make a volume of this directory.
    Add(PathBuf),
    /// Move everything off it; by force even when each part has fewer copies then.
    Drain(VolumeId, bool),
    /// Keep it after all.
    Undrain(VolumeId),
    /// Let it go; by force even when it does not answer and may hold the last copy of something.
    Remove(VolumeId, bool),
    /// Put the directory in its place.
    Replace(VolumeId, PathBuf),
}
