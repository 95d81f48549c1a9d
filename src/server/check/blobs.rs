//! Blobs: the rows that refer to them, the work queued for them, and the part files on every volume, merged in the
//! order of their ids, one of 256 directories after the other.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::files;
use super::files::Copy;
use super::files::Directory;
use super::findings::Kind;
use super::report::VolumeSummary;
use super::rows::Rows;
use crate::base::BlobId;
use crate::base::Md5Digest;
use crate::base::Timestamp;
use crate::base::UploadId;
use crate::meta;
use crate::meta::Family;
use crate::meta::Key;
use crate::meta::Named;
use crate::meta::keys;
use crate::meta::records::BlobOwner;
use crate::meta::records::Reclaim;
use crate::meta::records::Record;
use crate::meta::records::Repair;
use crate::sys::clock::Clock as _;
use crate::sys::clock::SystemClock;
use crate::volume::Error;
use crate::volume::Volume;

/// Payload read at once when every block is.
const READ_BYTES: u64 = 1 << 20;

/// What a good copy says about itself.
struct Seen {
    length: u64,
    md5: Md5Digest,
    created: Timestamp,
    /// The row of the object it was written for, and the upload if it was a part of one.
    home: Option<(Key, Option<UploadId>)>,
}

/// The walk by blob: rows as [`Rows`] has them, and the volumes.
pub(super) struct Blobs<'a, 'b> {
    pub(super) rows: &'b mut Rows<'a>,
    pub(super) volumes: &'b [Arc<Volume>],
    pub(super) summaries: &'b mut [VolumeSummary],
    /// Copies that each blob should have.
    pub(super) copies: usize,
}

/// Work queued for the blobs of one directory.
struct Queued {
    reclaim: BTreeSet<BlobId>,
    repair: BTreeMap<BlobId, Repair>,
}

impl Blobs<'_, '_> {
    /// Walks all of them.
    ///
    /// # Errors
    /// The replica cannot be read to its end.
    pub(super) fn walk(&mut self) -> Result<(), meta::Error> {
        self.rows.watch.stage(if self.rows.deep { "part files, all blocks" } else { "part files" }, 256);
        for first in 0..=u8::MAX {
            let directory = self.read(first);
            self.note_directory(&directory, first);
            self.merge(first, directory.copies)?;
            self.rows.watch.advance(1);
        }
        Ok(())
    }

    fn read(&self, first: u8) -> Directory<Seen> {
        let (deep, watch) = (self.rows.deep, self.rows.watch);
        let look = |volume: &Volume, blob: BlobId| look(volume, blob, deep, &|bytes| watch.read(bytes));
        files::read_directory(self.volumes, first, deep, &look)
    }

    fn note_directory(&mut self, directory: &Directory<Seen>, first: u8) {
        for (number, error) in &directory.unreadable {
            let path = self.volumes[*number].root().display();
            self.rows
                .findings
                .add(Kind::VolumeUnreadable, || format!("{path}, directory {first:02x}: {error}"));
        }
        for (number, name) in &directory.strangers {
            let path = self.volumes[*number].root().join("blobs").join(name);
            self.rows.findings.add(Kind::Stranger, || path.display().to_string());
        }
        for copy in &directory.copies {
            let summary = &mut self.summaries[copy.volume];
            summary.files += 1;
            match &copy.seen {
                Ok(seen) => {
                    summary.bytes += seen.length;
                    self.rows.counts.verified_bytes += if self.rows.deep { seen.length } else { 0 };
                }
                Err(_) => summary.bad += 1,
            }
        }
    }

    /// Goes through references, files and queued work of one directory together.
    fn merge(&mut self, first: u8, copies: Vec<Copy<Seen>>) -> Result<(), meta::Error> {
        let mut queued = self.queued(first)?;
        let mut references = self.rows.meta.rows(&keys::of_blobs(&keys::all(Family::BlobRef), &[first]))?;
        let mut reference = references.next_row()?;
        let mut copies = copies.as_slice();
        loop {
            let named = match &reference {
                Some(row) => match row.named() {
                    Some(Named::BlobRef(blob, owner)) => Some((blob, owner)),
                    _ => {
                        self.rows.findings.add(Kind::RowUnknown, || row.key.describe());
                        reference = references.next_row()?;
                        continue;
                    }
                },
                None => None,
            };
            let there = copies.first().map(|copy| copy.blob);
            let Some(blob) = named.iter().map(|(blob, _)| *blob).chain(there).min() else { break };
            let (here, behind) = copies.split_at(copies.partition_point(|copy| copy.blob == blob));
            copies = behind;
            let home = here.iter().find_map(|copy| copy.seen.as_ref().ok()?.home.as_ref());
            let mut met = Met::default();
            let mut named = named.filter(|(named, _)| *named == blob);
            while let Some((_, owner)) = named {
                self.rows.references.take(blob, &owner, 1);
                met.add(&owner, home);
                reference = references.next_row()?;
                let next = reference.as_ref().and_then(|row| row.named());
                named = match next {
                    Some(Named::BlobRef(next, owner)) if next == blob => Some((next, owner)),
                    _ => None,
                };
            }
            match met.references {
                0 => self.judge_unnamed(blob, here, &mut queued),
                _ => self.judge(blob, &met, here, &mut queued),
            }
        }
        for blob in queued.repair.into_keys() {
            self.rows.findings.add(Kind::RepairStale, || format!("{blob}: no row names it"));
        }
        Ok(())
    }

    fn queued(&mut self, first: u8) -> Result<Queued, meta::Error> {
        let reclaim = self.work::<Reclaim>(&keys::reclaims(), first)?.into_keys().collect();
        Ok(Queued { reclaim, repair: self.work(&keys::repairs(), first)? })
    }

    fn work<R: Record>(&mut self, kind: &Key, first: u8) -> Result<BTreeMap<BlobId, R>, meta::Error> {
        let mut queued = BTreeMap::new();
        let mut rows = self.rows.meta.rows(&keys::of_blobs(kind, &[first]))?;
        while let Some(row) = rows.next_row()? {
            match (row.named(), row.decode::<R>()) {
                (Some(Named::Reclaim(blob) | Named::Repair(blob)), Ok(work)) => {
                    queued.insert(blob, work.record);
                }
                (_, Err(error)) => self.rows.findings.add(Kind::RowDamaged, || error.to_string()),
                (_, Ok(_)) => self.rows.findings.add(Kind::RowUnknown, || row.key.describe()),
            }
        }
        Ok(queued)
    }

    /// A blob that rows name.
    fn judge(&mut self, blob: BlobId, met: &Met, copies: &[Copy<Seen>], queued: &mut Queued) {
        let good: Vec<(&Seen, usize)> =
            copies.iter().filter_map(|copy| Some((copy.seen.as_ref().ok()?, copy.volume))).collect();
        self.rows.counts.blobs += 1;
        *self.rows.counts.blobs_by_copies.entry(good.len()).or_default() += 1;
        let repair = queued.repair.remove(&blob);
        let bad = self.note_bad(copies);
        let Some(((seen, on), others)) = good.split_first() else {
            let owners = self.rows.owners(blob);
            self.rows.findings.add(Kind::BlobLost, || format!("{blob} of {owners}"));
            return;
        };
        for (other, elsewhere) in others {
            if (other.length, other.md5) != (seen.length, seen.md5) {
                let path = |number: usize| files::path_of(&self.volumes[number], blob);
                let (one, another) = (path(*on), path(*elsewhere));
                self.rows.findings.add(Kind::CopiesDiffer, || format!("{one} and {another}"));
            }
        }
        self.rows.contents.take(blob, (seen.length, seen.md5), met.references);
        let is_described = good.iter().any(|(seen, _)| seen.home.is_some());
        if !is_described {
            let path = files::path_of(&self.volumes[*on], blob);
            self.rows.findings.add(Kind::OwnerUnreadable, || path);
        }
        self.rows.counts.named_by_copies_alone += u64::from(is_described && !met.at_home);
        let (found, wanted) = (good.len(), self.copies);
        if found < wanted {
            let kind = if repair.is_some() { Kind::BlobShort } else { Kind::BlobShortUnknown };
            let owners = self.rows.owners(blob);
            self.rows.findings.add(kind, || format!("{blob} of {owners}: {found} of {wanted}"));
        } else if repair.is_some() && bad == 0 {
            self.rows.findings.add(Kind::RepairStale, || format!("{blob}: it has {found} good copies"));
        } else if found > wanted {
            self.rows.findings.add(Kind::CopySurplus, || format!("{blob}: {found} of {wanted}"));
        }
    }

    /// A blob that no row names.
    fn judge_unnamed(&mut self, blob: BlobId, copies: &[Copy<Seen>], queued: &mut Queued) {
        if queued.reclaim.contains(&blob) {
            self.rows.counts.awaiting_reclaim += 1;
            // The reclaimer drops it with the blob.
            queued.repair.remove(&blob);
            return;
        }
        for copy in copies {
            let volume = &self.volumes[copy.volume];
            self.rows.findings.add(Kind::Orphan, || {
                let stat = volume.stat(blob).ok().flatten();
                let written = stat.map(|stat| stat.modified);
                let created = copy.seen.as_ref().map(|seen| seen.created).ok();
                let age = created.or(written).map(|at| SystemClock.now().since(at).as_secs());
                let age =
                    age.map_or_else(|| "age unknown".to_owned(), |age| format!("{} old", show_age(age)));
                let bytes = stat.map_or(0, |stat| stat.length);
                format!("{}: {age}, {bytes} bytes", files::path_of(volume, blob))
            });
        }
    }

    fn note_bad(&mut self, copies: &[Copy<Seen>]) -> usize {
        let mut bad = 0;
        for copy in copies {
            if let Err(why) = &copy.seen {
                bad += 1;
                self.rows.findings.add(Kind::CopyBad, || why.clone());
            }
        }
        bad
    }
}

/// The references to one blob.
#[derive(Default)]
struct Met {
    references: u64,
    /// Whether one of them is the row that the blob was written for.
    at_home: bool,
}

impl Met {
    fn add(&mut self, owner: &Key, home: Option<&(Key, Option<UploadId>)>) {
        self.references += 1;
        let Some((row, upload)) = home else { return };
        let is_part = || matches!(owner.named(), Some(Named::Part(id, _)) if Some(id) == *upload);
        self.at_home |= owner == row || is_part();
    }
}

/// Opens a copy, and reads all of it when that is asked for.
fn look(volume: &Volume, blob: BlobId, deep: bool, read: &dyn Fn(u64)) -> Result<Seen, Error> {
    let part = volume.open_part(blob)?;
    let owner = BlobOwner::decode(&part.owner()?);
    let footer = part.footer();
    if deep {
        let mut chunk = Vec::new();
        let mut at = 0;
        while at < footer.length {
            let end = footer.length.min(at + READ_BYTES);
            chunk.clear();
            part.read_verified(at..end, &mut chunk)?;
            read(end - at);
            at = end;
        }
    }
    let home =
        owner.map(|owner| (keys::current(owner.bucket, &owner.key), owner.part.map(|(upload, _)| upload)));
    Ok(Seen { length: footer.length, md5: footer.md5, created: footer.created, home })
}

fn show_age(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
