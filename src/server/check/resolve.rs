//! Names the differences that the tallies found: the rows are walked once more, and what lies in a cell that differs is
//! looked up one by one.

use std::sync::Arc;

use super::findings::Kind;
use super::names;
use super::names::Bytes;
use super::names::Names;
use super::rows::Rows;
use super::tally::Shards;
use crate::meta::Error;
use crate::meta::Family;
use crate::meta::Key;
use crate::meta::Named;
use crate::meta::Offline;
use crate::meta::keys;
use crate::meta::records::Object;
use crate::meta::records::Part;
use crate::volume::Volume;

/// Where the walks differ.
struct Differences {
    references: Shards,
    contents: Shards,
    inline: Shards,
}

/// Looks the differences up; nothing is done when there are none.
///
/// # Errors
/// The replica cannot be read to its end.
pub(super) fn run(rows: &mut Rows<'_>, volumes: &[Arc<Volume>]) -> Result<(), Error> {
    let differences = Differences {
        references: rows.references.differing(),
        contents: rows.contents.differing(),
        inline: rows.inline.differing(),
    };
    let (references, contents) = (&differences.references, &differences.contents);
    if references.is_empty() && contents.is_empty() && differences.inline.is_empty() {
        return Ok(());
    }
    let meta = rows.meta;
    rows.watch.stage("differences", meta.estimate(Family::Current) + meta.estimate(Family::Part));
    names::each(meta, |owner, names| {
        rows.watch.advance(1);
        by_row(rows, &differences, volumes, owner, &names);
    })?;
    let lost = rows.findings.count(Kind::InlineLost) as i64;
    let strays = (lost - rows.inline.surplus()).max(0);
    rows.findings.add_unnamed(Kind::InlineStray, strays as u64);
    by_reference(rows, &differences.references)
}

/// What a row names, and whether it is there.
fn by_row(
    rows: &mut Rows<'_>,
    differences: &Differences,
    volumes: &[Arc<Volume>],
    owner: &Key,
    names: &Names,
) {
    let place = rows.place(owner);
    for bytes in &names.blobs {
        let id = bytes.id;
        if differences.references.contains(id)
            && matches!(rows.meta.contains(&keys::blobref(id, owner)), Ok(false))
        {
            rows.findings.add(Kind::ReferenceMissing, || format!("{id} of {place}"));
        }
        if differences.contents.contains(id)
            && let Some(other) = other_content(volumes, bytes)
        {
            rows.findings.add(Kind::BlobOther, || format!("{id} of {place}: {other}"));
        }
    }
    for bytes in names.inline.iter().filter(|bytes| differences.inline.contains(bytes.id)) {
        let id = bytes.id;
        match rows.meta.inline(id) {
            Ok(Some(body)) if is_same(bytes, &body) => {}
            Ok(Some(body)) => {
                let (found, wanted) = (body.len(), bytes.size);
                rows.findings.add(Kind::InlineOther, || {
                    format!("{id} of {place}: {found} bytes are there, of {wanted} or with another MD5")
                });
            }
            Ok(None) => rows.findings.add(Kind::InlineLost, || format!("{id} of {place}")),
            Err(error) => rows.findings.add(Kind::InlineDamaged, || format!("{place}: {error}")),
        }
    }
}

fn is_same(bytes: &Bytes, body: &[u8]) -> bool {
    use md5::Digest as _;
    body.len() as u64 == bytes.size && bytes.md5 == <[u8; 16]>::from(md5::Md5::digest(body))
}

/// What the first good copy of a blob is instead of what the row says; `None` when it is that, or when there is none,
/// which was reported.
fn other_content(volumes: &[Arc<Volume>], bytes: &Bytes) -> Option<String> {
    let copy = volumes.iter().find_map(|volume| volume.open_part(bytes.id).ok())?;
    let footer = copy.footer();
    if footer.length != bytes.size {
        return Some(format!("it has {} bytes, the row says {}", footer.length, bytes.size));
    }
    (footer.md5 != bytes.md5).then(|| "it has another MD5 than the row says".to_owned())
}

/// References whose rows do not name the blob.
fn by_reference(rows: &mut Rows<'_>, shards: &Shards) -> Result<(), Error> {
    for prefix in shards.prefixes() {
        let mut references = rows.meta.rows(&keys::of_blobs(&keys::all(Family::BlobRef), &prefix))?;
        while let Some(row) = references.next_row()? {
            let Some(Named::BlobRef(blob, owner)) = row.named() else { continue };
            if matches!(names_of(rows.meta, &owner), Ok(names) if !names.iter().any(|id| id.id == blob)) {
                let place = rows.place(&owner);
                rows.findings.add(Kind::ReferenceStray, || format!("{blob} of {place}"));
            }
        }
    }
    Ok(())
}

/// What the row of an owner names; none when there is no such row.
fn names_of(meta: &Offline, owner: &Key) -> Result<Vec<Bytes>, Error> {
    match owner.family() {
        Family::Current => match meta.get::<Object>(owner)? {
            Some(row) => Ok(Names::of_object(meta, &row.record)?.0.blobs),
            None => Ok(Vec::new()),
        },
        Family::Part => match meta.get::<Part>(owner)? {
            Some(row) => Ok(Names::of_part(&row.record).blobs),
            None => Ok(Vec::new()),
        },
        _ => Ok(Vec::new()),
    }
}
