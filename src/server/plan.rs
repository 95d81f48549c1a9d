//! What to do with the volumes that were given: pure, from what was found in them.
//!
//! ```text
//!   all unformatted                                          format them together, as one new deployment
//!   all formatted, one deployment, one holds metadata        open them
//!   some formatted, metadata on an unformatted one           the first start was cut off: format the rest
//!   anything else                                            refuse, change nothing
//! ```
//!
//! The volume with the metadata is formatted last, so metadata without an identity file beside it means a first start
//! that did not end. An unformatted volume beside formatted ones is otherwise a disk that is not mounted, or one that
//! lost its data: to format it would hide the loss.

use std::path::PathBuf;

use crate::base::DeploymentId;
use crate::base::VolumeId;

/// What is in a volume's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// There is no such directory.
    Missing,
    /// Nothing, or what a formatting that was cut off left.
    Unformatted,
    /// Part files, but no identity file.
    Nameless,
    /// Something that is not ours; the name of one such entry.
    Foreign(String),
    /// A volume.
    Formatted {
        /// Which.
        volume: VolumeId,
        /// Of which deployment.
        deployment: DeploymentId,
    },
}

/// A volume as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Observed {
    /// As given by the operator.
    pub(super) path: PathBuf,
    /// What is in it.
    pub(super) found: Found,
    /// Whether it holds metadata.
    pub(super) has_metadata: bool,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// Number of the volume that holds the metadata, or will.
    pub(super) metadata: usize,
    /// The deployment, when a volume knows it already.
    pub(super) deployment: Option<DeploymentId>,
    /// Numbers of the volumes to format, the one with the metadata last.
    pub(super) format: Vec<usize>,
}

/// Why nothing is done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A directory is used for something else.
    #[error(
        "{} holds {entry:?}, which is not ours; give an empty or new directory as a volume", path.display()
    )]
    Foreign {
        /// The volume.
        path: PathBuf,
        /// What is in the way.
        entry: String,
    },
    /// Part files without an identity, or a volume in use without one.
    #[error(
        "{} holds data, but its identity file holdall-volume.json is gone; restore that file from a backup",
        path.display()
    )]
    Nameless {
        /// The volume.
        path: PathBuf,
    },
    /// A disk is not there, or is new.
    #[error(
        "{} {}, but other volumes given hold data. Its disk may not be mounted: mount it and start again. Nothing was \
         written. (A new volume cannot be added to a deployment yet, nor a lost one replaced.)",
        path.display(),
        if *is_missing { "does not exist" } else { "is empty" }
    )]
    Absent {
        /// The volume.
        path: PathBuf,
        /// Whether not even the directory exists.
        is_missing: bool,
    },
    /// A volume of the deployment is not among those given.
    #[error(
        "a volume of this deployment is not among those given; it was last seen at {}. Give all of them, in any order. \
         (Volumes cannot be taken out of a deployment yet.)",
        path.display()
    )]
    Forgotten {
        /// Where it was at the last start.
        path: PathBuf,
    },
    /// Volumes of two deployments.
    #[error("{} and {} belong to different deployments; start each deployment on its own", one.display(), other.display())]
    Mixed {
        /// A volume.
        one: PathBuf,
        /// A volume of another deployment.
        other: PathBuf,
    },
    /// One volume under two paths.
    #[error("{} and {} are the same volume, or one is a copy of the other; give it once", one.display(), other.display())]
    Twins {
        /// A path.
        one: PathBuf,
        /// Another path.
        other: PathBuf,
    },
    /// No volume holds metadata.
    #[error(
        "none of the volumes given holds the metadata of their deployment (a directory named meta); give the volume \
         that does as well"
    )]
    NoMetadata,
    /// Two volumes hold metadata.
    #[error("{} and {} both hold metadata; move away the directory meta that is the older copy", one.display(), other.display())]
    TwoMetadata {
        /// A volume.
        one: PathBuf,
        /// Another.
        other: PathBuf,
    },
}

/// Decides. At least one volume is given.
pub(super) fn plan(observed: &[Observed]) -> Result<Plan, Refusal> {
    observed.iter().try_for_each(check_usable)?;
    check_unlike(observed)?;
    let deployment = one_deployment(observed)?;
    let metadata = one_metadata(observed)?;
    let is_formatted = |number: &usize| matches!(observed[*number].found, Found::Formatted { .. });
    let mut format: Vec<usize> = (0..observed.len()).filter(|number| !is_formatted(number)).collect();
    if deployment.is_some() {
        let metadata = metadata.ok_or(Refusal::NoMetadata);
        // An absent disk explains why there is no metadata, so it is named first.
        if let Some(absent) = format.first()
            && metadata.as_ref().map_or(true, is_formatted)
        {
            let Observed { path, found, .. } = &observed[*absent];
            return Err(Refusal::Absent { path: path.clone(), is_missing: *found == Found::Missing });
        }
        let metadata = metadata?;
        move_to_end(&mut format, metadata);
        return Ok(Plan { metadata, deployment, format });
    }
    let metadata = metadata.unwrap_or(0);
    move_to_end(&mut format, metadata);
    Ok(Plan { metadata, deployment, format })
}

fn move_to_end(numbers: &mut Vec<usize>, last: usize) {
    if let Some(place) = numbers.iter().position(|number| *number == last) {
        numbers.remove(place);
        numbers.push(last);
    }
}

fn check_usable(observed: &Observed) -> Result<(), Refusal> {
    let path = observed.path.clone();
    match &observed.found {
        Found::Foreign(entry) => Err(Refusal::Foreign { path, entry: entry.clone() }),
        Found::Nameless => Err(Refusal::Nameless { path }),
        Found::Missing | Found::Unformatted | Found::Formatted { .. } => Ok(()),
    }
}

/// No volume is there twice.
fn check_unlike(observed: &[Observed]) -> Result<(), Refusal> {
    let ids: Vec<(VolumeId, &PathBuf)> = observed
        .iter()
        .filter_map(|one| match one.found {
            Found::Formatted { volume, .. } => Some((volume, &one.path)),
            _ => None,
        })
        .collect();
    for (number, (id, other)) in ids.iter().enumerate() {
        if let Some((_, one)) = ids[..number].iter().find(|(earlier, _)| earlier == id) {
            return Err(Refusal::Twins { one: (*one).clone(), other: (*other).clone() });
        }
    }
    Ok(())
}

/// The deployment of the formatted volumes.
fn one_deployment(observed: &[Observed]) -> Result<Option<DeploymentId>, Refusal> {
    let mut first: Option<(DeploymentId, &PathBuf)> = None;
    for one in observed {
        let Found::Formatted { deployment, .. } = one.found else { continue };
        match first {
            Some((known, path)) if known != deployment => {
                return Err(Refusal::Mixed { one: path.clone(), other: one.path.clone() });
            }
            Some(_) => {}
            None => first = Some((deployment, &one.path)),
        }
    }
    Ok(first.map(|(deployment, _)| deployment))
}

/// Number of the volume that holds metadata.
fn one_metadata(observed: &[Observed]) -> Result<Option<usize>, Refusal> {
    let mut holders = observed.iter().enumerate().filter(|(_, one)| one.has_metadata);
    match (holders.next(), holders.next()) {
        (Some((_, one)), Some((_, other))) => {
            Err(Refusal::TwoMetadata { one: one.path.clone(), other: other.path.clone() })
        }
        (first, _) => Ok(first.map(|(number, _)| number)),
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
