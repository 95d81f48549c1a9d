//! Which volumes belong to the deployment, kept in the metadata: a start that forgets one is refused, since it would
//! miss copies and quietly make fewer.
//!
//! The row `system/roster` is text, a line for each volume: its id and where it was at the last start.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::Error;
use super::plan::Refusal;
use crate::base::VolumeId;
use crate::meta::CommitError;
use crate::meta::Meta;
use crate::meta::Tier;
use crate::meta::Transaction;
use crate::meta::keys;
use crate::meta::records::Cursor;

/// A volume and its path.
type Place = (VolumeId, PathBuf);

/// Whether an earlier start wrote one down, so that no volume may be formatted any more.
pub(super) fn exists(meta: &Meta) -> Result<bool, Error> {
    Ok(meta.get::<Cursor>(&keys::system("roster"), Tier::Any)?.into_option().is_some())
}

/// Compares the volumes that were given with those of the last start, and writes down where they are now.
pub(super) fn check(meta: &Meta, given: &[Place]) -> Result<(), Error> {
    let key = keys::system("roster");
    let row = meta.get::<Cursor>(&key, Tier::Any)?.into_option();
    let known = row.map(|row| parse(&row.record.position)).unwrap_or_default();
    if let Some((_, path)) = known.iter().find(|(id, _)| given.iter().all(|(other, _)| other != id)) {
        return Err(Refusal::Forgotten { path: path.clone() }.into());
    }
    if known != given {
        let mut transaction = Transaction::new();
        transaction.put(key, &Cursor { position: write(given).into_bytes() });
        meta.commit(transaction).map_err(|error| match error {
            CommitError::Unavailable(error) => Error::Metadata(error),
            other => Error::Other(other.to_string()),
        })?;
    }
    Ok(())
}

fn write(places: &[Place]) -> String {
    let mut text = String::new();
    for (id, path) in places {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{id} {}", path.display());
    }
    text
}

/// Lines of later releases that cannot be read are left out.
fn parse(bytes: &[u8]) -> Vec<Place> {
    let text = String::from_utf8_lossy(bytes);
    let place = |line: &str| {
        let (id, path) = line.split_once(' ')?;
        Some((id.parse().ok()?, PathBuf::from(path)))
    };
    text.lines().filter_map(place).collect()
}
