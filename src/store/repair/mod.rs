//! Restoring one blob: every volume that it belongs on has a good copy, and no other has one.
//!
//! The ladder, and what is there when it stops behind a rung:
//!
//! 1. every volume is looked at - nothing has changed
//! 2. a new copy is written, where a bad one is in the way under another name, and synced with its directory - the bad
//!    copy is still there; a copy under another name is an orphan, which the sweep removes
//! 3. the bad copy goes to the quarantine and the new one takes its name - between the two there is none of this name, and
//!    another that was read to its end; the row is still there, and the blob is restored again. Without such another
//!    the new one takes the name of the bad one at once
//! 4. when every home has a good copy, the others are removed - those that are left are found by the next census
//! 5. the repair row is deleted, unless it was written again meanwhile - the blob is looked at once more
//!
//! A new copy is made of blocks that were verified while they were read, from whichever copy has them good: two damaged
//! copies are as good as one whole, unless both have lost the same block. It has the same id, owner, digest and time, so
//! it is the same file, byte for byte.
//!
//! The reclaimer leaves a blob alone that is being restored ([`super::exclusive`]), so one that is deleted meanwhile is
//! removed afterwards, new copies and all.

mod copying;
mod look;

use super::Error;
use super::Pace;
use super::Store;
use super::engine::Metadata as _;
use crate::base::BlobId;
use crate::meta::Expect;
use crate::meta::Key;
use crate::meta::Stored;
use crate::meta::Transaction;
use crate::meta::keys;
use crate::meta::records::Repair;
use crate::sys::failpoint::failpoint;

use look::Restoration;

/// How the restoring of a blob ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every volume that it belongs on has a good copy.
    Whole,
    /// There are as many good copies as there should be, and one cannot go where it belongs now.
    Misplaced,
    /// So many copies are missing still, and cannot be made now.
    Short(usize),
    /// No volume that answers has a good copy, and their good blocks do not make one.
    Lost,
    /// No row names it any more: there is nothing to restore.
    Unnamed,
    /// Somebody else has it in hand.
    InHand,
}

/// What was done for a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// How it ended.
    pub outcome: Outcome,
    /// Copies made.
    pub copies: usize,
    /// Bytes written for them.
    pub bytes: u64,
    /// Bad copies that went to the quarantine.
    pub quarantined: usize,
    /// Copies removed where they do not belong.
    pub removed: usize,
}

impl Restored {
    const fn nothing(outcome: Outcome) -> Self {
        Self { outcome, copies: 0, bytes: 0, quarantined: 0, removed: 0 }
    }
}

impl Store {
    /// Blobs on the repair queue behind `after`, in the order of their ids.
    pub async fn repairs(
        &self,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored<Repair>)>, Error> {
        self.metadata.scan::<Repair>(keys::repairs(), after, limit).await
    }

    /// Gives every home of a blob a good copy, as far as that can be done now, and settles its repair row.
    ///
    /// # Errors
    /// Metadata cannot be read or written. A volume that fails is no error: the outcome says so.
    pub async fn restore<P: Pace>(&self, blob: BlobId, pace: &P) -> Result<Restored, Error> {
        let Some(_in_hand) = self.exclusive.enter(blob) else {
            return Ok(Restored::nothing(Outcome::InHand));
        };
        let row = self.metadata.get::<Repair>(&keys::repair(blob)).await?;
        if !self.is_referenced(blob).await? {
            self.settle_row(blob, row.as_ref(), None).await?;
            return Ok(Restored::nothing(Outcome::Unnamed));
        }
        let is_doubted = self.doubts.take(blob);
        let mut restoration = Restoration::look(self, blob, pace).await;
        // Damage that cannot be seen from outside: somebody met it, or the row counts more than can be seen, or tells of
        // a time that nobody remembers. And no copy is removed on the strength of others that were not read.
        let has_more = |row: &Stored<Repair>| {
            row.revision <= self.began_at || usize::from(row.record.missing) > restoration.visibly_missing()
        };
        if is_doubted || row.as_ref().is_some_and(has_more) || restoration.has_surplus() {
            restoration.read_all().await;
        }
        restoration.fill().await;
        let outcome = restoration.outcome();
        if outcome == Outcome::Whole {
            restoration.remove_surplus().await;
        }
        if outcome == Outcome::Lost
            && row.as_ref().is_none_or(|row| usize::from(row.record.missing) < restoration.replicas())
        {
            tracing::error!(%blob, "no volume that answers has a good copy of it");
        }
        // A read met damage while this was under way: the row stays for whoever looks at every copy.
        let is_doubted_again = self.doubts.holds(blob);
        if is_doubted && outcome != Outcome::Whole {
            self.doubts.note(blob);
        }
        let restored = restoration.done(outcome);
        failpoint!("store::repair::before_row");
        let missing = match outcome {
            Outcome::Short(missing) => Some(missing),
            Outcome::Lost => Some(restoration.replicas()),
            _ => None,
        };
        // A volume that does not answer may have its copy: that alone puts no blob on the queue.
        let has_changed = row.is_some() || missing.is_none() || restoration.knows_of_damage();
        if has_changed && !is_doubted_again {
            self.settle_row(blob, row.as_ref(), missing).await?;
        }
        self.count_restored(&restored);
        Ok(restored)
    }

    /// Writes down how many copies are missing now; `None` for none. A row that was written meanwhile stays as it is.
    async fn settle_row(
        &self,
        blob: BlobId,
        row: Option<&Stored<Repair>>,
        missing: Option<usize>,
    ) -> Result<(), Error> {
        let key = keys::repair(blob);
        let missing = missing.map(|missing| u8::try_from(missing).unwrap_or(u8::MAX));
        if row.map(|row| row.record.missing) == missing {
            return Ok(());
        }
        let mut transaction = Transaction::new();
        transaction.expect(match row {
            Some(row) => Expect::Revision(key.clone(), row.revision),
            None => Expect::Absent(key.clone()),
        });
        match missing {
            Some(missing) => {
                let at = row.map_or_else(|| self.clock.now(), |row| row.record.at);
                transaction.put(key, &Repair { blob, missing, at });
            }
            None => transaction.delete(key),
        }
        self.try_commit(transaction).await.map(drop)
    }
}
