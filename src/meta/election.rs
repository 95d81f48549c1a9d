//! Electing a leader from what is durable, and opening an epoch, at the start and after a group found no majority.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use super::Error;
use super::event::Work;
use super::group::Group;
use super::keys;
use super::members::Member;
use super::members::Phase;
use super::records::Epoch;
use super::sequencer::Leading;
use super::sequencer::Sequencer;
use super::vote;
use super::vote::Standing;

/// How long voters that have said nothing are waited for when a quorum has: at the start, where logs are replayed, and
/// later.
const OPENING_MAX: Duration = Duration::from_secs(10);
const GATHERING_MAX: Duration = Duration::from_secs(2);

/// How long a start waits for voters without which there is no quorum: replaying a long log on a busy disk takes its time.
const REPLAY_MAX: Duration = Duration::from_secs(600);

/// Between two elections at the least.
const ELECTION_PAUSE: Duration = Duration::from_secs(1);

/// How long a start waits for the majority that commits need, once reads can be answered.
const MAJORITY_MAX: Duration = Duration::from_secs(5);

impl Sequencer {
    /// Asks all where they stand, to elect anew.
    pub(super) fn gather(&mut self, reason: Error) {
        self.leading = None;
        self.established = false;
        self.promising = None;
        self.set.set_stopped(true);
        self.elect_at = Instant::now() + ELECTION_PAUSE.saturating_sub(self.gathering.elapsed());
        self.gathering = Instant::now();
        self.reason = reason;
        for member in self.members.iter_mut().filter(|member| member.takes_writes()) {
            member.phase = Phase::Opening;
            member.tell(Work::Report);
        }
    }

    /// Elects a leader, when those that are there can tell what was acknowledged.
    pub(super) fn try_elect(&mut self) {
        if self.leading.is_some() || Instant::now() < self.elect_at {
            return;
        }
        // One that may have what readers have seen is worth more than an election that is over soon.
        let is_ahead = |member: &Member| {
            matches!(member.phase, Phase::Opening) && member.applied.number > self.last.number
        };
        let waits_long =
            self.opening.is_some() || self.members.iter().any(|member| member.voter && is_ahead(member));
        let patience = if waits_long { OPENING_MAX } else { GATHERING_MAX };
        let voters = || self.members.iter().filter(|member| member.voter);
        let waits = voters().any(|member| matches!(member.phase, Phase::Opening));
        if waits && self.gathering.elapsed() < patience {
            return;
        }
        let opened: Vec<(&Member, &Standing)> = voters().filter_map(standing).collect();
        let all_new = opened.iter().all(|(_, standing)| standing.is_new());
        let mut sound: Vec<_> =
            opened.into_iter().filter(|(_, standing)| all_new || !standing.is_new()).collect();
        // Where nothing was ever committed, one that is missing may have what the others lost.
        let needed = if all_new { self.voters } else { vote::read_quorum(self.voters) };
        if sound.len() < needed {
            if waits && self.opening.is_some() && self.gathering.elapsed() < REPLAY_MAX {
                return;
            }
            let error = self.no_quorum(sound.len(), needed);
            if let Some(opening) = self.opening.take() {
                let _ = opening.send(Err(error.clone()));
            }
            if self.reason.is_quorum() {
                self.reason = error;
            }
            return;
        }
        // Of equals, the first that nothing was said against.
        sound.sort_by_key(|(member, _)| member.suspect.is_some());
        let standings: Vec<&Standing> = sound.iter().map(|(_, standing)| *standing).collect();
        let Some(best) = vote::elect(&standings) else { return };
        let (slot, standing) = (sound[best].0.slot(), sound[best].1.clone());
        self.lead(slot, standing);
    }

    fn no_quorum(&self, sound: usize, needed: usize) -> Error {
        if let ([member], 1) = (&self.members[..], self.voters)
            && let Phase::Unopened(error) = &member.phase
        {
            return error.clone();
        }
        let mut missing: Vec<String> = Vec::new();
        for member in self.members.iter().filter(|member| member.voter) {
            let path = member.replica.place.path.display();
            match &member.phase {
                Phase::Opened(standing) if standing.is_new() => missing.push(format!("{path} is empty")),
                Phase::Opened(_) => {}
                Phase::Unopened(error) => missing.push(error.to_string()),
                _ => missing.push(format!("{path} does not answer")),
            }
        }
        let known = self.members.iter().filter(|member| member.voter).count();
        match self.voters - known {
            0 => {}
            1 => missing.push("the volume of another is not there".to_owned()),
            absent => missing.push(format!("the volumes of {absent} others are not there")),
        }
        let all = self.voters;
        let why = missing.join("; ");
        Error::quorum(format!("{sound} of {all} metadata replicas are sound, a start needs {needed}: {why}"))
    }

    /// Reads are answered from it, and the others follow it.
    fn lead(&mut self, slot: u64, standing: Standing) {
        let Some(member) = self.members.iter_mut().find(|member| member.slot() == slot) else { return };
        let Some(database) = member.replica.database() else { return };
        member.phase = Phase::Following;
        member.applied = standing.commit;
        member.tell(Work::Join(standing.commit));
        tracing::info!(replica = %database.path.display(), commit = standing.commit.number, "metadata leader");
        self.last = standing.commit;
        self.layout = standing.layout;
        self.usage.clear();
        self.set.publish(self.last.number);
        self.set.lead(Some(Arc::clone(&database)));
        // What caches hold may be of a group that is not in it.
        self.set.buckets_changed();
        self.leading = Some(Leading { slot, database, since: Instant::now() });
        let majority = self.members.iter().filter(|member| member.voter && member.takes_writes()).count();
        self.reason = self.below_majority(majority);
    }

    /// Opens an epoch, when a majority follows the leader.
    pub(super) fn try_establish(&mut self) {
        if self.established || self.leading.is_none() {
            return;
        }
        let following: Vec<u64> = self.voters_following().map(Member::slot).collect();
        self.reason = self.below_majority(following.len());
        if following.len() < vote::majority(self.voters) {
            return;
        }
        if self.voters == 1 {
            return self.commit_epoch(self.epoch + 1);
        }
        let epoch = self.promising.as_ref().map_or(self.epoch + 1, |(epoch, _)| *epoch);
        let (_, promised) = self.promising.get_or_insert_with(|| (epoch, Vec::new()));
        let asked: Vec<u64> = following.into_iter().filter(|slot| !promised.contains(slot)).collect();
        for slot in asked {
            if let Some(member) = self.member(slot) {
                member.tell(Work::Promise(epoch));
            }
        }
    }

    pub(super) fn promised(&mut self, slot: u64, epoch: u64) {
        let Some((asked, promised)) = &mut self.promising else { return };
        if *asked != epoch {
            return;
        }
        if !promised.contains(&slot) {
            promised.push(slot);
        }
        let promised = promised.clone();
        let following = self.voters_following().filter(|member| promised.contains(&member.slot())).count();
        if following >= vote::majority(self.voters) {
            self.commit_epoch(epoch);
        }
    }

    fn voters_following(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.voter && matches!(member.phase, Phase::Following))
    }

    fn commit_epoch(&mut self, epoch: u64) {
        self.promising = None;
        self.epoch = epoch;
        let mut group = Group::behind(self.last.number + 1);
        let row = self.put(&mut group, &keys::system("epoch"), &Epoch { number: epoch });
        if let Err(error) = row.and_then(|()| self.write(group)) {
            tracing::error!(%error, "metadata cannot be written yet");
            return self.gather(error);
        }
        self.established = true;
        self.set.set_stopped(false);
        tracing::info!(epoch, commit = self.last.number, "metadata takes commits");
    }

    /// What time brings: an election without those that are silent, a start without a majority.
    pub(super) fn look_after(&mut self) {
        if self.leading.is_none() {
            self.consider();
        }
        let Some(opening) = &self.opening else { return };
        let Some(leading) = &self.leading else { return };
        let may_follow = |member: &&Member| member.voter && !matches!(member.phase, Phase::Unopened(_));
        let possible = self.members.iter().filter(may_follow).count();
        if self.established
            || possible < vote::majority(self.voters)
            || leading.since.elapsed() >= MAJORITY_MAX
        {
            let _ = opening.send(Ok(()));
            self.opening = None;
        }
    }
}

fn standing(member: &Member) -> Option<(&Member, &Standing)> {
    match &member.phase {
        Phase::Opened(standing) => Some((member, standing)),
        _ => None,
    }
}
