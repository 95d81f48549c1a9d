//! Looks at the directories of volumes without changing anything in them.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use super::Error;
use super::plan::Found;
use super::plan::Observed;
use crate::store::METADATA;
use crate::sys::disk::Disk;
use crate::volume::Kind;
use crate::volume::Roster;
use crate::volume::Volume;
use crate::volume::is_foreign;

/// Where a volume keeps its parts.
const PARTS: &str = "blobs";

/// The directories given, and those that the rosters found in them name, and so on.
pub(super) fn observe_all(disk: &Arc<dyn Disk>, given: &[PathBuf]) -> Result<Vec<Observed>, Error> {
    let mut observed = Vec::new();
    for path in given {
        observed.push(observe(disk, path, true)?);
    }
    let mut number = 0;
    while let Some(one) = observed.get(number) {
        number += 1;
        let members = one.roster.iter().flat_map(Roster::belonging);
        let paths: Vec<PathBuf> = members.map(|member| member.path.clone()).collect();
        for path in paths {
            if !observed.iter().any(|other| other.path == path) {
                observed.push(observe(disk, &path, false)?);
            }
        }
    }
    Ok(observed)
}

/// The path from the root of the file system, without `.`.
pub(super) fn plain(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components().collect()
}

fn observe(disk: &Arc<dyn Disk>, path: &Path, is_given: bool) -> Result<Observed, Error> {
    let mut observed = Observed {
        path: path.to_owned(),
        is_given,
        found: Found::Missing,
        has_metadata: false,
        roster: None,
    };
    let names = match disk.list(path) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(observed),
        Err(error) => {
            observed.found = Found::Unreadable(error.to_string());
            return Ok(observed);
        }
    };
    observed.has_metadata = names.iter().any(|name| name == METADATA);
    observed.roster = match Roster::read(disk.as_ref(), path) {
        Err(error) if matches!(error.kind(), Kind::Newer(_)) => return Err(error.into()),
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "the roster of this volume is not used; it is written anew");
            None
        }
        Ok(roster) => roster,
    };
    observed.found = match Volume::open(Arc::clone(disk), path) {
        Ok(opened) => Found::Formatted { volume: opened.id(), deployment: opened.deployment() },
        Err(error) if matches!(error.kind(), Kind::Newer(_)) => return Err(error.into()),
        Err(error) if !matches!(error.kind(), Kind::Missing) => Found::Unreadable(error.to_string()),
        Err(_) => match names.into_iter().find(|name| is_foreign(name)) {
            Some(entry) => Found::Foreign(entry),
            None if has_parts(disk.as_ref(), path)? => Found::Nameless,
            None => Found::Unformatted,
        },
    };
    Ok(observed)
}

/// Whether an unformatted directory holds part files.
fn has_parts(disk: &dyn Disk, path: &Path) -> Result<bool, Error> {
    let list = |path: &Path| match disk.list(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map_err(|error| Error::Directory { path: path.to_owned(), error }),
    };
    let parts = path.join(PARTS);
    for directory in list(&parts)? {
        if !list(&parts.join(directory))?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
