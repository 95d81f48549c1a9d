//! Makes a deployment of new volumes, and gives one of the first release its roster.
//!
//! Every step can be cut off and is done again by the next start: see [`super::plan`].

use std::sync::Arc;

use super::Error;
use super::observe::plain;
use super::plan::Form;
use super::plan::Found;
use super::plan::Observed;
use super::plan::Refusal;
use super::roster;
use super::volumes::Locks;
use super::volumes::Opened;
use super::volumes::Start;
use crate::base::DeploymentId;
use crate::base::VolumeId;
use crate::volume::Identity;
use crate::volume::Member;
use crate::volume::Roster;
use crate::volume::Volume;

/// Forms a deployment, or goes on where an earlier start was cut off.
pub(super) fn form(
    start: &Start<'_>,
    observed: &[Observed],
    plan: &Form,
    mut locks: Locks,
) -> Result<Opened, Error> {
    let mut members = Vec::new();
    for one in observed.iter().filter(|one| one.is_given) {
        members.push(member(start, one)?);
    }
    for number in &plan.voters {
        members[*number].metadata = true;
    }
    let deployment = plan.deployment.unwrap_or_else(|| DeploymentId::from_bytes(start.random()));
    let mut forming = Roster::forming(deployment, members);
    let voters = || plan.voters.iter().map(|number| &observed[*number].path);
    if observed.iter().any(|one| one.is_given && one.has_metadata) {
        let meta = start.open_metadata(&forming, voters())?;
        if let Some(deployment) = meta.deployment()? {
            forming.deployment = deployment;
        }
        if let Some(nameless) = plan.format.first()
            && roster::exists(&meta)?
        {
            return Err(Refusal::Nameless { path: observed[*nameless].path.clone() }.into());
        }
    }
    for number in &plan.format {
        let path = &observed[*number].path;
        Volume::prepare(start.disk.as_ref(), path, &forming)?;
        let identity = Identity {
            volume_id: forming.members[*number].volume,
            deployment_id: forming.deployment,
            created: start.machine.clock.now(),
        };
        Volume::format(Arc::clone(start.disk), path, identity)?;
    }
    let others = (0..forming.members.len()).filter(|number| !plan.voters.contains(number));
    let order: Vec<usize> = plan.voters.iter().copied().chain(others).collect();
    let mut volumes = Vec::new();
    for number in order {
        volumes.push(locks.open(start.disk, &observed[number].path)?);
    }
    let meta = start.open_metadata(&forming, voters())?;
    roster::mark(&meta)?;
    let formed = Roster { revision: 1, ..forming };
    for volume in &volumes {
        volume.write_roster(&formed)?;
    }
    let disk = Arc::clone(start.disk);
    Ok(Opened { roster: formed, volumes, absent: Vec::new(), meta: Arc::new(meta), is_new: true, disk })
}

/// Writes the roster of a deployment of the first release: the volumes that were given and those of its last start.
pub(super) fn adopt(start: &Start<'_>, observed: &[Observed], metadata: usize) -> Result<(), Error> {
    let mut members = Vec::new();
    for one in observed.iter().filter(|one| matches!(one.found, Found::Formatted { .. })) {
        let mut member = member(start, one)?;
        member.metadata = one.path == observed[metadata].path;
        members.push(member);
    }
    let Found::Formatted { deployment, .. } = observed[metadata].found else {
        return Err(Refusal::NoMetadata.into());
    };
    let mut adopted = Roster { revision: 1, ..Roster::forming(deployment, members) };
    let known = {
        let meta = start.open_metadata(&adopted, std::iter::once(&observed[metadata].path))?;
        roster::read_first_release(&meta)?
    };
    let average = adopted.members.iter().map(|member| member.capacity_bytes).max().unwrap_or(0);
    for (volume, path) in known {
        if adopted.member(volume).is_none() {
            // How large the disk of an absent volume is can be found out when it is back.
            let now = start.machine.clock.now();
            adopted.members.push(Member::new(volume, plain(&path), average, now));
        }
    }
    for one in observed.iter().filter(|one| matches!(one.found, Found::Formatted { .. })) {
        Volume::open(Arc::clone(start.disk), &one.path)?.write_roster(&adopted)?;
    }
    tracing::info!(volumes = adopted.members.len(), "the volumes have rosters from now on");
    Ok(())
}

/// A volume given, with its id or, while it has none, a new one.
fn member(start: &Start<'_>, one: &Observed) -> Result<Member, Error> {
    let id = match one.found {
        Found::Formatted { volume, .. } => volume,
        _ => VolumeId::from_bytes(start.random()),
    };
    let failed = |error| Error::Directory { path: one.path.clone(), error };
    let space = start.disk.space(&one.path).map_err(failed)?;
    Ok(Member::new(id, one.path.clone(), space.total_bytes, start.machine.clock.now()))
}

impl Start<'_> {
    fn random(&self) -> [u8; 16] {
        let mut random = [0; 16];
        self.machine.entropy.fill(&mut random);
        random
    }
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
