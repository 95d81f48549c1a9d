//! What operators see of the jobs, and what they may ask of them.

use std::sync::Arc;

use parking_lot::RwLock;

use super::control::Control;
use crate::base::Timestamp;

/// What a job does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing to do.
    Idle,
    /// A pass is under way.
    Running,
    /// It was told to stop and waits to be told to go on.
    Paused,
    /// Its last step failed; it tries again by itself.
    Failed,
}

impl State {
    /// Its name in answers and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Failed => "failed",
        }
    }
}

/// A job as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobStatus {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub state: State,
    /// What it may read and write in a second, in bytes; 0 for as much as it can.
    pub rate_bytes_per_second: u64,
    /// Bytes of this pass that are done.
    pub done_bytes: u64,
    /// Bytes of this pass, as far as is known; 0 when it is not.
    pub total_bytes: u64,
    /// Files, blobs or rows of this pass that are done.
    pub done_items: u64,
    /// Files, blobs or rows of this pass, as far as is known; 0 when it is not.
    pub total_items: u64,
    /// When this pass began, or the last when none is under way.
    pub started: Option<Timestamp>,
    /// How long this pass will take still at the speed it has had; `None` when nobody can say.
    pub eta_seconds: Option<u64>,
    /// When the last pass came to its end.
    pub last_finished: Option<Timestamp>,
    /// Why the last step that failed did; cleared by the end of a pass without a failure.
    pub last_error: Option<String>,
}

/// What a job can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Begin a pass now, and do not spread it over days.
    Start,
    /// Stop within a moment; survives a restart.
    Pause,
    /// Go on.
    Resume,
    /// Read and write no more than this in a second, in bytes; 0 for as much as it can. Survives a restart.
    Rate(u64),
}

/// There is no job of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no job {0:?}")]
pub struct NoSuchJob(pub String);

/// The jobs of a server. Shared by whoever shows them and the thread that runs them.
#[derive(Default)]
pub struct Board {
    jobs: RwLock<Vec<Arc<Control>>>,
}

impl Board {
    /// Every job, in the order in which they were started.
    pub fn list(&self) -> Vec<JobStatus> {
        self.jobs.read().iter().map(|control| control.status()).collect()
    }

    /// Asks something of a job. It is answered at once and done within a moment.
    ///
    /// # Errors
    /// There is no such job.
    pub fn command(&self, name: &str, command: Command) -> Result<(), NoSuchJob> {
        let jobs = self.jobs.read();
        let control = jobs.iter().find(|control| control.name() == name);
        let control = control.ok_or_else(|| NoSuchJob(name.to_owned()))?;
        control.command(command);
        Ok(())
    }

    pub(super) fn add(&self, control: Arc<Control>) {
        self.jobs.write().push(control);
    }
}
