//! Reading a copy to its end, to find out whether it is good still.

use std::time::Instant;

use tokio::sync::mpsc;

use super::Error;
use super::Pace;
use super::Store;
use super::engine::Metadata as _;
use super::local::Seen;
use crate::base::BlobId;
use crate::base::VolumeId;
use crate::meta::Expect;
use crate::meta::Transaction;
use crate::meta::keys;
use crate::meta::records::Repair;

/// Bytes verified at a time: large enough for full disk speed, small enough to leave a disk to clients soon.
const VERIFIED_BYTES: u64 = 2 << 20;

/// What a copy is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every byte is as it was written.
    Good,
    /// It is damaged, and the blob is on the repair queue.
    Bad,
    /// There is nothing to judge: it has gone, no row names it, or it is being written.
    Nothing,
    /// The volume did not answer.
    Unread,
}

impl Store {
    /// The part files of one directory of a volume, in order; `None` when it does not answer.
    pub async fn list_shard(&self, volume: VolumeId, shard: u8) -> Option<Vec<BlobId>> {
        let members = self.parts.members();
        let slot = members.slot(volume).filter(|slot| slot.answers())?;
        slot.list_shard(shard).await.ok()
    }

    /// Reads and verifies one copy; puts its blob on the repair queue when it is bad. Returns the bytes that were read.
    ///
    /// # Errors
    /// Metadata cannot be read or written.
    pub async fn verify_copy<P: Pace>(
        &self,
        volume: VolumeId,
        blob: BlobId,
        pace: &P,
    ) -> Result<(Verdict, u64), Error> {
        let members = self.parts.members();
        let Some(slot) = members.slot(volume) else { return Ok((Verdict::Nothing, 0)) };
        let begun = Instant::now();
        let reader = match slot.look(blob).await {
            Seen::Sound(reader) => reader,
            Seen::Nothing => return Ok((Verdict::Nothing, 0)),
            Seen::Unknown(_) if slot.answers() => return Ok((Verdict::Nothing, 0)),
            Seen::Unknown(_) => return Ok((Verdict::Unread, 0)),
            Seen::Bad(why) => return Ok((self.condemn(volume, blob, &why).await?, 0)),
        };
        let length = reader.footer().length;
        let (mut from, mut begun) = (0, begun);
        while from < length {
            let end = length.min(from + VERIFIED_BYTES);
            match slot.verify(&reader, from..end).await {
                Ok(()) => {}
                Err(failure) if failure.is_of_copy() => {
                    return Ok((self.condemn(volume, blob, &failure.to_string()).await?, end));
                }
                Err(_) => return Ok((Verdict::Unread, from)),
            }
            pace.spent(end - from, begun.elapsed()).await;
            (from, begun) = (end, Instant::now());
        }
        Ok((Verdict::Good, reader.footer().file_bytes()))
    }

    /// Replicas of the metadata that can be verified now.
    pub fn open_replicas(&self) -> Vec<String> {
        self.metadata.open_replicas()
    }

    /// Reads all of a replica of the metadata. A damaged one is made anew by itself when there is another. Returns the
    /// bytes that were read, and in how many places it is damaged; `None` when it cannot be read now.
    pub async fn verify_replica<P: Pace>(&self, name: String, pace: &P) -> Option<(u64, u64)> {
        let (told, mut heard) = mpsc::channel(1);
        let tell = move |bytes: u64| {
            // When nobody listens the server is stopping.
            let _ = told.blocking_send(bytes);
        };
        let running = self.metadata.verify(name.clone(), tell).ok()?;
        let mut begun = Instant::now();
        while let Some(bytes) = heard.recv().await {
            pace.spent(bytes, begun.elapsed()).await;
            begun = Instant::now();
        }
        match running.answer().await.ok()? {
            Ok(verified) => {
                let damage = verified.damage.iter().chain(&verified.log_damage);
                damage
                    .clone()
                    .for_each(|damage| tracing::warn!(replica = name, damage, "the scrub found damage"));
                Some((verified.bytes, damage.count() as u64))
            }
            Err(error) => {
                tracing::warn!(replica = name, %error, "a replica of the metadata could not be verified");
                None
            }
        }
    }

    /// Puts a blob with a bad copy on the repair queue. A copy that no row names is nobody's concern.
    async fn condemn(&self, volume: VolumeId, blob: BlobId, why: &str) -> Result<Verdict, Error> {
        if self.unnamed.contains(blob) || !self.is_referenced(blob).await? {
            return Ok(Verdict::Nothing);
        }
        tracing::warn!(%blob, %volume, why, "the scrub found a bad copy");
        self.metrics.copies_bad.inc();
        self.doubts.note(blob);
        let key = keys::repair(blob);
        let replicas = self.parts.members().replicas();
        // Copies on other volumes may be found bad at the same time: each counts.
        loop {
            let row = self.metadata.get::<Repair>(&key).await?;
            let missing = row.as_ref().map_or(1, |row| usize::from(row.record.missing) + 1).min(replicas);
            let mut transaction = Transaction::new();
            transaction.expect(match row {
                Some(row) => Expect::Revision(key.clone(), row.revision),
                None => Expect::Absent(key.clone()),
            });
            self.note_repair(&mut transaction, blob, missing);
            if self.try_commit(transaction).await? {
                return Ok(Verdict::Bad);
            }
        }
    }
}
