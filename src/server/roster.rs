//! The mark in the metadata that a first start has come to its end, and what the first release kept in its place.
//!
//! The row `system/roster` was text, a line for each volume: its id and where it was at the last start. Rosters are files
//! on the volumes now, and the row is empty. Where it is, no volume may be formatted any more.

use std::path::PathBuf;

use super::Error;
use crate::base::VolumeId;
use crate::meta::CommitError;
use crate::meta::Meta;
use crate::meta::Tier;
use crate::meta::Transaction;
use crate::meta::keys;
use crate::meta::records::Cursor;

/// A volume and its path.
type Place = (VolumeId, PathBuf);

/// Whether an earlier start came to its end.
pub(super) fn exists(meta: &Meta) -> Result<bool, Error> {
    Ok(meta.get::<Cursor>(&keys::system("roster"), Tier::Any)?.into_option().is_some())
}

/// The volumes of the last start of the first release.
pub(super) fn read_first_release(meta: &Meta) -> Result<Vec<Place>, Error> {
    let row = meta.get::<Cursor>(&keys::system("roster"), Tier::Any)?.into_option();
    Ok(row.map(|row| parse(&row.record.position)).unwrap_or_default())
}

/// Marks the end of the first start.
pub(super) fn mark(meta: &Meta) -> Result<(), Error> {
    let mut transaction = Transaction::new();
    transaction.put(keys::system("roster"), &Cursor { position: Vec::new() });
    meta.commit(transaction).map(|_| ()).map_err(|error| match error {
        CommitError::Unavailable(error) => Error::Metadata(error),
        other => Error::Other(other.to_string()),
    })
}

/// Lines that cannot be read are left out.
fn parse(bytes: &[u8]) -> Vec<Place> {
    let text = String::from_utf8_lossy(bytes);
    let place = |line: &str| {
        let (id, path) = line.split_once(' ')?;
        Some((id.parse().ok()?, PathBuf::from(path)))
    };
    text.lines().filter_map(place).collect()
}
