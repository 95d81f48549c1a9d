//! What to do with the volumes that were given: pure, from what was found in them.
//!
//! ```text
//!   all unformatted                                     form a new deployment of them
//!   a roster of revision 0, or metadata on an           the first start was cut off: form it to the end
//!     unformatted volume beside formatted ones
//!   formatted, without any roster                       a deployment of the first release: adopt it
//!   a roster of a higher revision                       open what belongs and is there; what is not there is absent
//!   anything that does not fit together                 refuse, change nothing
//! ```
//!
//! While a deployment is formed, every volume gets a roster of revision 0 before its identity, and all get revision 1
//! when all have an identity. So a missing identity beside a higher revision means a disk that is not mounted, or one
//! that lost its data: it is left alone, and absent.

use std::fmt;
use std::path::PathBuf;

use crate::base::DeploymentId;
use crate::base::VolumeId;
use crate::volume::Roster;
use crate::volume::VOTERS_MAX;

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
    /// It cannot be looked at; why.
    Unreadable(String),
    /// A volume.
    Formatted {
        /// Which.
        volume: VolumeId,
        /// Of which deployment.
        deployment: DeploymentId,
    },
}

impl Found {
    const fn is_volume(&self) -> bool {
        matches!(self, Self::Formatted { .. })
    }
}

/// As the reason why another volume is absent.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the directory does not exist"),
            Self::Unformatted => f.write_str("there is no volume in it: is its disk mounted?"),
            Self::Nameless => f.write_str("it holds parts, but its identity file is gone"),
            Self::Foreign(entry) => write!(f, "it holds {entry:?}, which is not ours"),
            Self::Unreadable(reason) => f.write_str(reason),
            Self::Formatted { volume, .. } => write!(f, "another volume is there: {volume}"),
        }
    }
}

/// A directory as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Observed {
    /// Where, from the root of the file system.
    pub(super) path: PathBuf,
    /// Whether the operator named it; otherwise a roster did.
    pub(super) is_given: bool,
    /// What is in it.
    pub(super) found: Found,
    /// Whether it holds metadata.
    pub(super) has_metadata: bool,
    /// The roster in it.
    pub(super) roster: Option<Roster>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Plan {
    /// Make a deployment of all volumes given, or finish making it.
    Form(Form),
    /// Give a deployment of the first release its roster; the number of the volume with the metadata.
    Adopt(usize),
    /// Open what is there.
    Open(Open),
}

/// How a deployment is formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    /// The deployment, when a volume knows it already.
    pub(super) deployment: Option<DeploymentId>,
    /// Numbers of the volumes that hold the metadata, or will.
    pub(super) voters: Vec<usize>,
    /// Numbers of the volumes to format; of those with metadata, the first one last of all.
    pub(super) format: Vec<usize>,
}

/// What is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Open {
    /// Who belongs, and where each was found.
    pub(super) roster: Roster,
    /// Numbers of the volumes that are there, in the order of the roster.
    pub(super) present: Vec<usize>,
    /// Those that are not there.
    pub(super) absent: Vec<Absent>,
}

/// A volume that belongs and is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Absent {
    /// Which.
    pub(super) volume: VolumeId,
    /// Where it should be.
    pub(super) path: PathBuf,
    /// What is there instead.
    pub(super) reason: String,
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
        "{} holds data, but its identity file holdall-volume.json is gone; restore that file from a backup, or empty \
         the directory, start without it and replace the volume",
        path.display()
    )]
    Nameless {
        /// The volume.
        path: PathBuf,
    },
    /// A directory that belongs to no volume, beside a deployment.
    #[error(
        "{} {}, and no volume of this deployment was there. Nothing was written. Is a disk not mounted? To add a new \
         volume, start without it and run: holdall volume add {}",
        path.display(),
        if *is_missing { "does not exist" } else { "is empty" },
        path.display()
    )]
    Stranger {
        /// The directory.
        path: PathBuf,
        /// Whether not even the directory exists.
        is_missing: bool,
    },
    /// A volume of this deployment's making that its roster does not know.
    #[error(
        "{} was formatted for this deployment, but never came to belong to it; start without it and run: holdall \
         volume add {}",
        path.display(),
        path.display()
    )]
    Unlisted {
        /// The volume.
        path: PathBuf,
    },
    /// A volume that was taken out.
    #[error(
        "{} is the volume {volume}, which was removed from this deployment; start without it. To use the disk anew, \
         empty it and run: holdall volume add {}",
        path.display(),
        path.display()
    )]
    Removed {
        /// The volume.
        path: PathBuf,
        /// Which.
        volume: VolumeId,
    },
    /// A volume cannot be looked at, and is none that may be absent.
    #[error("the volume {} cannot be used: {reason}", path.display())]
    Unreadable {
        /// The volume.
        path: PathBuf,
        /// Why.
        reason: String,
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
    /// Two volumes hold metadata, and no roster tells which is in use.
    #[error("{} and {} both hold metadata; move away the directory meta that is the older copy", one.display(), other.display())]
    TwoMetadata {
        /// A volume.
        one: PathBuf,
        /// Another.
        other: PathBuf,
    },
    /// Too few replicas of the metadata are there to know that nothing acknowledged is missing.
    #[error(
        "the metadata is on {voters} volumes, of which {needed} must be there, and these are not: {}. Mount them and \
         start again. Nothing was written",
        missing.join(", ")
    )]
    NoQuorum {
        /// Volumes with a replica.
        voters: usize,
        /// How many must be there.
        needed: usize,
        /// Where the others should be, and what is wrong with each.
        missing: Vec<String>,
    },
    /// More copies than volumes.
    #[error(
        "{replicas} copies need {replicas} volumes, and {volumes} belong; lower --replicas, or add volumes first"
    )]
    TooFewVolumes {
        /// Copies of each part.
        replicas: usize,
        /// Volumes that belong.
        volumes: usize,
    },
}

/// Decides. At least one volume is given.
pub(super) fn plan(observed: &[Observed]) -> Result<Plan, Refusal> {
    observed.iter().filter(|one| one.is_given).try_for_each(check_usable)?;
    check_unlike(observed)?;
    let deployment = one_deployment(observed)?;
    match newest_roster(observed, deployment) {
        Some(roster) if roster.revision > 0 => open(observed, roster.clone()).map(Plan::Open),
        Some(roster) => Ok(Plan::Form(form(observed, deployment.or(Some(roster.deployment))))),
        None => without_roster(observed, deployment),
    }
}

/// A new deployment, or one of the first release, which had no rosters.
fn without_roster(observed: &[Observed], deployment: Option<DeploymentId>) -> Result<Plan, Refusal> {
    let metadata = one_metadata(observed)?;
    if deployment.is_none() {
        return Ok(Plan::Form(form(observed, None)));
    }
    let is_formatted = |number: usize| matches!(observed[number].found, Found::Formatted { .. });
    match metadata {
        Some(metadata) if is_formatted(metadata) => Ok(Plan::Adopt(metadata)),
        Some(_) => Ok(Plan::Form(form(observed, deployment))),
        // An absent disk explains why there is no metadata, so it is named first.
        None => Err(match observed.iter().find(|one| !matches!(one.found, Found::Formatted { .. })) {
            Some(absent) => stranger(absent),
            None => Refusal::NoMetadata,
        }),
    }
}

fn form(observed: &[Observed], deployment: Option<DeploymentId>) -> Form {
    let given = || (0..observed.len()).filter(|number| observed[*number].is_given);
    // Those that hold metadata already come first: an earlier try may have seen another order.
    let mut voters: Vec<usize> = given().collect();
    voters.sort_by_key(|number| !observed[*number].has_metadata);
    voters.truncate(VOTERS_MAX);
    let unformatted = |number: &usize| !matches!(observed[*number].found, Found::Formatted { .. });
    let mut format: Vec<usize> = given().filter(unformatted).collect();
    if let Some(place) = format.iter().position(|number| voters.first() == Some(number)) {
        format[place..].rotate_left(1);
    }
    Form { deployment, voters, format }
}

/// What belongs and is there, and what is not.
fn open(observed: &[Observed], mut roster: Roster) -> Result<Open, Refusal> {
    observed.iter().filter(|one| one.is_given).try_for_each(|one| check_belongs(one, &roster))?;
    let (mut present, mut absent) = (Vec::new(), Vec::new());
    let deployment = roster.deployment;
    for member in roster.members.iter_mut().filter(|member| member.belongs()) {
        let itself = Found::Formatted { volume: member.volume, deployment };
        match observed.iter().position(|one| one.found == itself) {
            Some(number) => {
                member.path.clone_from(&observed[number].path);
                present.push(number);
            }
            None => {
                let there = observed.iter().find(|one| one.path == member.path);
                let reason =
                    there.map_or_else(|| "it was not looked at".to_owned(), |one| one.found.to_string());
                absent.push(Absent { volume: member.volume, path: member.path.clone(), reason });
            }
        }
    }
    let is_awaited = |one: &Observed| absent.iter().any(|absent| absent.path == one.path);
    if let Some(one) = observed.iter().find(|one| one.is_given && !one.found.is_volume() && !is_awaited(one))
    {
        return Err(match &one.found {
            Found::Unreadable(reason) => {
                Refusal::Unreadable { path: one.path.clone(), reason: reason.clone() }
            }
            _ => stranger(one),
        });
    }
    check_metadata(observed, &roster, &present, &absent)?;
    Ok(Open { roster, present, absent })
}

/// A given directory must be one of the deployment's volumes, or have been.
fn check_belongs(one: &Observed, roster: &Roster) -> Result<(), Refusal> {
    let path = one.path.clone();
    match one.found {
        Found::Formatted { volume, .. } => match roster.member(volume) {
            None => Err(Refusal::Unlisted { path }),
            Some(member) if !member.belongs() => Err(Refusal::Removed { path, volume }),
            Some(_) => Ok(()),
        },
        // It was a volume in use once, or its roster would not be so new.
        _ if one.roster.as_ref().is_some_and(|own| own.revision > 0) => Err(Refusal::Nameless { path }),
        _ => Ok(()),
    }
}

/// Replicas of the metadata enough that one of them has everything that was acknowledged.
fn check_metadata(
    observed: &[Observed],
    roster: &Roster,
    present: &[usize],
    absent: &[Absent],
) -> Result<(), Refusal> {
    let voters = roster.voters().count();
    let needed = voters - voters / 2;
    let mut missing = Vec::new();
    for member in roster.voters() {
        let there = present.iter().find(|number| observed[**number].path == member.path);
        let reason = match (there, absent.iter().find(|one| one.volume == member.volume)) {
            (Some(number), _) if observed[*number].has_metadata => continue,
            (_, Some(absent)) => &absent.reason,
            _ => "its directory meta is gone",
        };
        missing.push(format!("{} ({reason})", member.path.display()));
    }
    if voters == 0 {
        return Err(Refusal::NoMetadata);
    }
    match voters - missing.len() >= needed {
        true => Ok(()),
        false => Err(Refusal::NoQuorum { voters, needed, missing }),
    }
}

fn stranger(one: &Observed) -> Refusal {
    Refusal::Stranger { path: one.path.clone(), is_missing: one.found == Found::Missing }
}

fn newest_roster(observed: &[Observed], deployment: Option<DeploymentId>) -> Option<&Roster> {
    let rosters = observed.iter().filter_map(|one| one.roster.as_ref());
    let ours = rosters.filter(|roster| deployment.is_none_or(|deployment| deployment == roster.deployment));
    ours.max_by_key(|roster| roster.revision)
}

fn check_usable(observed: &Observed) -> Result<(), Refusal> {
    let path = observed.path.clone();
    match &observed.found {
        Found::Foreign(entry) => Err(Refusal::Foreign { path, entry: entry.clone() }),
        Found::Nameless => Err(Refusal::Nameless { path }),
        Found::Missing | Found::Unformatted | Found::Unreadable(_) | Found::Formatted { .. } => Ok(()),
    }
}

/// No volume is given twice.
fn check_unlike(observed: &[Observed]) -> Result<(), Refusal> {
    let ids: Vec<(VolumeId, &PathBuf)> = observed
        .iter()
        .filter(|one| one.is_given)
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
    for one in observed.iter().filter(|one| one.is_given) {
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
