//! The rows that jobs keep for their next process.

use super::Error;
use super::Store;
use super::engine::Metadata as _;
use crate::meta::Transaction;
use crate::meta::keys;
use crate::meta::records::Job;

impl Store {
    /// What a job kept; `None` when it has never run.
    pub async fn job(&self, name: &str) -> Result<Option<Job>, Error> {
        let row = self.metadata.get::<Job>(&keys::job(name)).await?;
        Ok(row.map(|row| row.record))
    }

    /// Keeps it.
    pub async fn keep_job(&self, name: &str, job: &Job) -> Result<(), Error> {
        let mut transaction = Transaction::new();
        transaction.put(keys::job(name), job);
        self.try_commit(transaction).await.map(drop)
    }
}
