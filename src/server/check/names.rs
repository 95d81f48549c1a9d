//! What rows name: the blobs and inline bodies of an object or a part, and what the row says about them.

use md5::Digest as _;

use crate::base::BlobId;
use crate::base::Md5Digest;
use crate::meta::Error;
use crate::meta::Family;
use crate::meta::Key;
use crate::meta::Offline;
use crate::meta::Row;
use crate::meta::keys;
use crate::meta::records::Layout;
use crate::meta::records::Object;
use crate::meta::records::Part;
use crate::meta::records::PartBody;
use crate::meta::records::PartEntry;
use crate::meta::records::decode_manifest;
use crate::s3::etag::ETag;

/// Bytes that a row names, with their length and MD5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bytes {
    pub(super) id: BlobId,
    pub(super) size: u64,
    pub(super) md5: Md5Digest,
}

/// Everything that one row names.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// In part files; each once.
    pub(super) blobs: Vec<Bytes>,
    /// In the metadata.
    pub(super) inline: Vec<Bytes>,
}

impl Names {
    /// What an object names, and its parts in order.
    ///
    /// # Errors
    /// Its list of parts cannot be read; `None` in its place when there is none.
    pub(super) fn of_object(
        meta: &Offline,
        object: &Object,
    ) -> Result<(Self, Option<Vec<PartEntry>>), Error> {
        let mut names = Self::default();
        let whole = |id: BlobId| Bytes { id, size: object.head.size, md5: object.head.etag.md5() };
        let parts = match &object.body.layout {
            Layout::Empty => Some(Vec::new()),
            Layout::Inline(id) => {
                names.inline.push(whole(*id));
                Some(Vec::new())
            }
            Layout::Blob(id) => {
                names.blobs.push(whole(*id));
                Some(Vec::new())
            }
            Layout::Parts(parts) => Some(parts.clone()),
            Layout::Manifest { id, .. } => {
                let manifest = meta.inline(*id)?;
                // What the row does not say about the list, the list says about itself.
                let (size, md5) = manifest.as_ref().map_or_else(Default::default, |bytes| {
                    (bytes.len() as u64, md5::Md5::digest(bytes).into())
                });
                names.inline.push(Bytes { id: *id, size, md5 });
                manifest.map(|manifest| decode_manifest(&manifest)).transpose()?
            }
        };
        for part in parts.iter().flatten() {
            names.add_part(part.body, part.size, part.md5);
        }
        names.blobs.sort_unstable_by_key(|bytes| bytes.id);
        names.blobs.dedup_by_key(|bytes| bytes.id);
        Ok((names, parts))
    }

    /// What a part of an open upload names.
    pub(super) fn of_part(part: &Part) -> Self {
        let mut names = Self::default();
        names.add_part(part.body, part.size, part.md5);
        names
    }

    /// What a row of whatever family names; nothing when it cannot be read, which another walk reports.
    pub(super) fn of_row(meta: &Offline, row: &Row) -> Self {
        match row.key.family() {
            Family::Current => {
                let object = row.decode::<Object>().map(|row| row.record);
                let named = object.and_then(|object| Self::of_object(meta, &object));
                named.map(|(names, _)| names).unwrap_or_default()
            }
            Family::Part => row.decode::<Part>().map(|row| Self::of_part(&row.record)).unwrap_or_default(),
            _ => Self::default(),
        }
    }

    fn add_part(&mut self, body: PartBody, size: u64, md5: Md5Digest) {
        match body {
            PartBody::Empty => {}
            PartBody::Inline(id) => self.inline.push(Bytes { id, size, md5 }),
            PartBody::Blob(id) => self.blobs.push(Bytes { id, size, md5 }),
        }
    }
}

/// Walks every row that can name bytes, with what it names.
pub(super) fn each(meta: &Offline, mut visit: impl FnMut(&Key, Names)) -> Result<(), Error> {
    for family in [Family::Current, Family::Part] {
        let mut rows = meta.rows(&keys::all(family))?;
        while let Some(row) = rows.next_row()? {
            visit(&row.key, Names::of_row(meta, &row));
        }
    }
    Ok(())
}

/// What in an object's row contradicts the rest of it.
pub(super) fn contradiction(object: &Object, parts: &[PartEntry]) -> Option<&'static str> {
    let Object { head, body } = object;
    let kept = body.checksum.as_ref().map(|checksum| (checksum.checksum.algorithm(), checksum.kind));
    if head.checksum != kept {
        return Some("head and body name different checksums");
    }
    let is_plain = head.etag == ETag::plain(head.etag.md5());
    match &body.layout {
        Layout::Empty if head.size != 0 => Some("it has a length and no bytes"),
        Layout::Empty | Layout::Inline(_) | Layout::Blob(_) if !is_plain => {
            Some("its ETag is one of parts, and it has none")
        }
        Layout::Inline(_) | Layout::Blob(_) if head.size == 0 => Some("it has bytes and no length"),
        Layout::Empty | Layout::Inline(_) | Layout::Blob(_) => None,
        Layout::Manifest { count, .. } if usize::from(*count) != parts.len() => {
            Some("its list of parts is not as long as its row says")
        }
        Layout::Parts(_) | Layout::Manifest { .. } => contradiction_of_parts(object, parts),
    }
}

fn contradiction_of_parts(object: &Object, parts: &[PartEntry]) -> Option<&'static str> {
    let in_order = parts.windows(2).all(|pair| pair[0].number < pair[1].number);
    let size = parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(part.size));
    let is_empty = |part: &PartEntry| matches!(part.body, PartBody::Empty) == (part.size == 0);
    if !in_order {
        Some("its parts are not in order")
    } else if size != Some(object.head.size) {
        Some("its parts are not as long as it says")
    } else if !parts.iter().all(is_empty) {
        Some("a part has a length and no bytes, or bytes and no length")
    } else if object.head.etag != ETag::multipart(parts.iter().map(|part| part.md5)) {
        Some("its ETag is not that of its parts")
    } else {
        None
    }
}
