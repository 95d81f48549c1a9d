//! The census: which copies of which blobs lie on which volumes.
//!
//! Metadata does not say where copies are: placement says where they belong, and directories what is there. The census
//! walks both side by side, one of the 256 directories at a time, so that it never holds more than one of each volume in
//! memory. What is missing goes on the repair queue; what lies where it does not belong is named to the caller.
//!
//! References are read before directories: a blob that is named has its files already. One that is deleted in between
//! may be put on the queue for nothing, and is taken off it when somebody looks.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;

use super::Error;
use super::Store;
use super::engine::Metadata as _;
use super::local::Members;
use super::local::Slot;
use crate::base::BlobId;
use crate::base::Timestamp;
use crate::base::VolumeId;
use crate::meta::Transaction;
use crate::meta::keys;
use crate::meta::records::Empty;
use crate::meta::records::Repair;

/// Rows read at a time.
const BATCH: usize = 4096;

/// Repair rows written in one transaction.
const ROWS_MAX: usize = 512;

/// Which volumes there are, where copies belong, and who answers. When it changes, the census is out of date.
#[derive(Clone)]
pub struct Placement {
    members: Arc<Members>,
    answering: Vec<VolumeId>,
}

impl Placement {
    /// Whether copies may be elsewhere, or be seen where none were seen, since `earlier`. A volume that merely stopped
    /// answering is no such change: what it holds is known.
    pub fn has_moved_on(&self, earlier: &Self) -> bool {
        !Arc::ptr_eq(&self.members, &earlier.members) || self.has_come_back(earlier)
    }

    /// Whether a volume answers that did not.
    pub fn has_come_back(&self, earlier: &Self) -> bool {
        self.answering.iter().any(|volume| !earlier.answering.contains(volume))
    }
}

/// A census being taken, or one that was.
pub struct Census {
    placement: Placement,
    began: Timestamp,
    /// Blobs by the volumes that have a copy, as numbers in `volumes`; those on the repair queue apart.
    presence: HashMap<Box<[u16]>, u64>,
    queued: u64,
    volumes: Vec<Counted>,
    misplaced: u64,
    misplaced_bytes: u64,
    filed: u64,
    /// Blobs that came and went up to now, in this process.
    counted: (u64, u64),
}

/// A volume in a census.
struct Counted {
    id: VolumeId,
    slot: Arc<Slot>,
    /// Whether every directory up to now could be read.
    is_listed: bool,
    /// Copies of blobs that a row names.
    copies: u64,
}

/// The part of a census that one directory is.
struct Shard {
    blobs: Vec<BlobId>,
    /// Of each volume; `None` where the directory could not be read.
    listings: Vec<Option<Vec<BlobId>>>,
    rows: HashMap<BlobId, u8>,
}

impl Census {
    /// Copies that lie where they do not belong, of blobs that have enough.
    pub const fn misplaced(&self) -> u64 {
        self.misplaced
    }

    /// Their bytes.
    pub const fn misplaced_bytes(&self) -> u64 {
        self.misplaced_bytes
    }

    /// Blobs that it put on the repair queue.
    pub const fn filed(&self) -> u64 {
        self.filed
    }

    /// What it was taken of.
    pub const fn placement(&self) -> &Placement {
        &self.placement
    }

    /// When it began.
    pub(super) const fn began(&self) -> Timestamp {
        self.began
    }

    /// Blobs by the number of their copies on volumes that answer now, without those that were on the repair queue.
    pub(super) fn by_copies(&self) -> Vec<u64> {
        let answers: Vec<bool> = self.volumes.iter().map(|volume| volume.slot.answers()).collect();
        let mut counts = Vec::new();
        for (volumes, blobs) in &self.presence {
            let copies = volumes.iter().filter(|number| answers[usize::from(**number)]).count();
            add(&mut counts, copies, *blobs);
        }
        counts
    }

    /// How many blobs there should be after so many more came and went.
    pub(super) fn blobs_now(&self, (came, went): (u64, u64)) -> u64 {
        let counted = self.presence.values().sum::<u64>() + self.queued;
        (counted + (came - self.counted.0)).saturating_sub(went - self.counted.1)
    }
}

/// Adds to the count of `index`, which may be the first of its size.
pub(super) fn add(counts: &mut Vec<u64>, index: usize, more: u64) {
    if counts.len() <= index {
        counts.resize(index + 1, 0);
    }
    counts[index] += more;
}

impl Store {
    /// Volumes, homes, and who answers, as it is now. Asks no disk.
    pub fn placement(&self) -> Placement {
        let members = self.parts.members();
        let answering = members.slots().iter().filter(|slot| slot.answers()).map(|slot| slot.id()).collect();
        Placement { members, answering }
    }

    /// Begins a census of what there is now.
    pub fn begin_census(&self) -> Census {
        let placement = self.placement();
        let volume = |slot: &Arc<Slot>| Counted {
            id: slot.id(),
            slot: Arc::clone(slot),
            is_listed: slot.answers(),
            copies: 0,
        };
        Census {
            volumes: placement.members.slots().iter().map(volume).collect(),
            placement,
            began: self.clock.now(),
            presence: HashMap::new(),
            queued: 0,
            misplaced: 0,
            misplaced_bytes: 0,
            filed: 0,
            counted: self.came_and_went(),
        }
    }

    /// Counts the blobs whose ids begin with this byte. Returns those with enough copies of which not all are at home.
    ///
    /// # Errors
    /// Metadata cannot be read or written. A volume that cannot be read is left out, and is no error.
    pub async fn census_shard(&self, census: &mut Census, shard: u8) -> Result<Vec<BlobId>, Error> {
        let found = self.look_at_shard(census, shard).await?;
        let mut misplaced = Vec::new();
        let mut filed = Vec::new();
        // Of each volume, the surplus copies it has.
        let mut surplus: Vec<Vec<BlobId>> = vec![Vec::new(); census.volumes.len()];
        let mut at = vec![0; census.volumes.len()];
        let replicas = census.placement.members.replicas();
        for blob in &found.blobs {
            let holders = found.holders(*blob, &mut at);
            holders.iter().for_each(|number| census.volumes[usize::from(*number)].copies += 1);
            let homes: Vec<VolumeId> =
                census.placement.members.targets(*blob).map(|slot| slot.id()).collect();
            let is_home = |number: u16| homes.contains(&census.volumes[usize::from(number)].id);
            let lacks = census.volumes.iter().enumerate().any(|(number, volume)| {
                volume.is_listed && homes.contains(&volume.id) && !holders.contains(&(number as u16))
            });
            let missing = replicas.saturating_sub(holders.len());
            let known = found.rows.get(blob).copied();
            if missing > 0 && lacks && known.is_none_or(|known| usize::from(known) < missing) {
                filed.push((*blob, missing));
            }
            let strays: Vec<u16> = holders.iter().copied().filter(|number| !is_home(*number)).collect();
            if missing == 0 && (lacks || !strays.is_empty()) {
                misplaced.push(*blob);
                strays.iter().for_each(|number| surplus[usize::from(*number)].push(*blob));
            }
            match known.is_some() || (missing > 0 && lacks) {
                true => census.queued += 1,
                false => match census.presence.get_mut(&holders[..]) {
                    Some(count) => *count += 1,
                    None => drop(census.presence.insert(holders.into_boxed_slice(), 1)),
                },
            }
        }
        census.filed += filed.len() as u64;
        self.file_repairs(&filed).await?;
        census.misplaced += surplus.iter().map(|blobs| blobs.len() as u64).sum::<u64>();
        let sizes = surplus.into_iter().enumerate().filter(|(_, blobs)| !blobs.is_empty());
        let sizes = sizes.map(|(number, blobs)| {
            let slot = Arc::clone(&census.volumes[number].slot);
            async move { slot.lengths(blobs).await.unwrap_or(0) }
        });
        census.misplaced_bytes += join_all(sizes).await.iter().sum::<u64>();
        Ok(misplaced)
    }

    async fn look_at_shard(&self, census: &mut Census, shard: u8) -> Result<Shard, Error> {
        let mut blobs: Vec<BlobId> = Vec::new();
        let mut after = None;
        loop {
            let rows = self.metadata.scan::<Empty>(keys::blobrefs_in(shard), after, BATCH).await?;
            blobs.extend(rows.iter().filter_map(|(key, _)| keys::blob_of_reference(key)));
            let Some((last, _)) = rows.into_iter().last() else { break };
            after = Some(last);
        }
        blobs.dedup();
        let mut rows = HashMap::new();
        let mut after = None;
        loop {
            let batch = self.metadata.scan::<Repair>(keys::repairs_in(shard), after, BATCH).await?;
            rows.extend(batch.iter().map(|(_, row)| (row.record.blob, row.record.missing)));
            let Some((last, _)) = batch.into_iter().last() else { break };
            after = Some(last);
        }
        let list = |volume: &Counted| {
            let (slot, is_listed) = (Arc::clone(&volume.slot), volume.is_listed);
            async move {
                match is_listed && slot.answers() {
                    true => slot.list_shard(shard).await.ok(),
                    false => None,
                }
            }
        };
        let listings = join_all(census.volumes.iter().map(list)).await;
        for (volume, listing) in census.volumes.iter_mut().zip(&listings) {
            volume.is_listed &= listing.is_some();
        }
        Ok(Shard { blobs, listings, rows })
    }

    /// Puts blobs on the repair queue with the number of copies they are short of.
    async fn file_repairs(&self, blobs: &[(BlobId, usize)]) -> Result<(), Error> {
        for some in blobs.chunks(ROWS_MAX) {
            let mut transaction = Transaction::new();
            for (blob, missing) in some {
                self.note_repair(&mut transaction, *blob, *missing);
            }
            self.try_commit(transaction).await?;
        }
        Ok(())
    }

    /// From now on this is what is known about copies.
    pub fn keep_census(&self, mut census: Census) -> Arc<Census> {
        let listed: Vec<VolumeId> =
            census.volumes.iter().filter(|volume| volume.is_listed).map(|volume| volume.id).collect();
        // One that could not be read to its end counts as one that did not answer: it is looked at again.
        census.placement.answering.retain(|volume| listed.contains(volume));
        let census = Arc::new(census);
        *self.census.write() = Some(Arc::clone(&census));
        census
    }

    /// The last census; `None` before the first since the start.
    pub fn census(&self) -> Option<Arc<Census>> {
        self.census.read().clone()
    }

    /// Copies on a volume of blobs that a row names, at the last census of the volumes as they are now. `None` when there
    /// was none yet, or it could not read the volume.
    pub fn copies_on(&self, volume: VolumeId) -> Option<u64> {
        let census = self.census()?;
        let now = self.parts.members();
        let counted = census.volumes.iter().find(|counted| counted.id == volume && counted.is_listed)?;
        Arc::ptr_eq(&census.placement.members, &now).then_some(counted.copies)
    }
}

impl Shard {
    /// Numbers of the volumes that have a copy. Blobs are asked for in order: `at` is how far each listing was read.
    fn holders(&self, blob: BlobId, at: &mut [usize]) -> Vec<u16> {
        let mut holders = Vec::new();
        for (number, (listing, at)) in self.listings.iter().zip(at).enumerate() {
            let Some(listing) = listing else { continue };
            while listing.get(*at).is_some_and(|listed| *listed < blob) {
                *at += 1;
            }
            if listing.get(*at) == Some(&blob) {
                holders.push(number as u16);
            }
        }
        holders
    }
}
