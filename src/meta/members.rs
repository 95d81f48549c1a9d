//! The replicas as the sequencer sees them: who takes writes, who leads, and what is done about the others.
//!
//! Only a replica that follows counts for a majority, and it follows from a commit that it provably has: it catches up
//! from the leader's log, is told the exact commit to join at, and finds every later one in its queue.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use crossbeam_channel::Sender;

use super::Error;
use super::ReplicaPlace;
use super::event::Event;
use super::event::Remedy;
use super::event::Work;
use super::event::Written;
use super::records::Commit;
use super::replica::Activity;
use super::replica::Keeper;
use super::replica::Replica;
use super::sequencer::Leading;
use super::sequencer::Sequencer;
use super::vote;
use super::vote::Standing;

/// Bytes that may wait for one replica. More, and it is faster to let it catch up from the log.
const QUEUED_BYTES_MAX: usize = 64 << 20;

/// How long the lead stays where it is, whatever readers say.
const LEAD_MIN: Duration = Duration::from_secs(5);

/// How long the end waits for the threads of one replica: a dead disk may hold them for ever.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// What the sequencer knows of a replica.
#[derive(Debug)]
pub(super) enum Phase {
    /// It has yet to say where it stands.
    Opening,
    /// It has.
    Opened(Standing),
    /// It cannot be opened.
    Unopened(Error),
    CatchingUp,
    /// It was told to join at this commit, and gets all behind it.
    Joining(Commit),
    Following,
    Rebuilding,
    /// It is putting itself right, and will say so.
    Failed,
}

pub(super) struct Member {
    pub(super) replica: Arc<Replica>,
    pub(super) voter: bool,
    pub(super) phase: Phase,
    /// The last commit that it said to be durable.
    pub(super) applied: Commit,
    /// Whether damage was found in it since it was last built.
    pub(super) suspect: Option<Error>,
    queue: Option<Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Member {
    pub(super) fn slot(&self) -> u64 {
        self.replica.slot
    }

    pub(super) fn takes_writes(&self) -> bool {
        matches!(self.phase, Phase::Joining(_) | Phase::Following)
    }

    /// Whether it has everything up to this commit.
    pub(super) fn has(&self, commit: Commit) -> bool {
        self.takes_writes() && self.applied == commit
    }

    /// Tells it. When its thread has died it is as silent as on a dead disk.
    pub(super) fn tell(&self, work: Work) {
        if let Some(queue) = &self.queue {
            let _ = queue.send(work);
        }
    }

    /// Queues a write; `false` when too much is waiting.
    pub(super) fn send_write(&self, written: &Arc<Written>) -> bool {
        let bytes = written.batch.len();
        let waiting = self.replica.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        if waiting > 0 && waiting + bytes > QUEUED_BYTES_MAX {
            self.replica.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        self.tell(Work::Write(Arc::clone(written)));
        true
    }

    /// It gets no more writes until it has caught up.
    pub(super) fn set_aside(&mut self, error: &Error) {
        tracing::warn!(replica = %self.replica.place.path.display(), %error, "a metadata replica is set aside");
        self.phase = Phase::Failed;
        self.replica.does(Activity::Failed(error.to_string()));
    }
}

impl Sequencer {
    pub(super) fn add_member(&mut self, place: ReplicaPlace, voter: bool) -> Result<(), Error> {
        let replica = Arc::new(Replica::new(self.next_slot, place, voter));
        self.next_slot += 1;
        let (queue, work) = crossbeam_channel::unbounded();
        let (set, setup) = (Arc::clone(&self.set), Arc::clone(&self.setup));
        let thread = Keeper::start(Arc::clone(&replica), set, setup, work)?;
        self.set.add(Arc::clone(&replica));
        // Alone, its writes were made by the sequencer; now they go through its queue.
        if let Some(leader) = self.leading.as_ref().and_then(|leading| self.member(leading.slot)) {
            leader.tell(Work::Join(self.last));
        }
        self.members.push(Member {
            replica,
            voter,
            phase: Phase::Opening,
            applied: Commit::default(),
            suspect: None,
            queue: Some(queue),
            thread: Some(thread),
        });
        Ok(())
    }

    pub(super) fn on(&mut self, event: Event) {
        match event {
            Event::Opened(slot, standing) => {
                self.epoch = self.epoch.max(standing.epoch).max(standing.promise);
                self.set_phase(slot, Phase::Opened(standing));
                self.consider();
            }
            Event::Unopened(slot, error) => {
                tracing::warn!(%error, "a metadata replica cannot be opened");
                self.set_phase(slot, Phase::Unopened(error));
                self.consider();
            }
            Event::Promised(slot, epoch) => self.promised(slot, epoch),
            Event::Applied(slot, commit) => self.applied(slot, commit),
            Event::Near(slot) => self.join(slot),
            Event::CaughtUp(slot) => self.caught_up(slot),
            Event::Failed(slot, error, remedy) => self.failed(slot, error, remedy),
            Event::Silent(slot) => {
                let leads = |leading: &Leading| leading.slot == slot && leading.since.elapsed() >= LEAD_MIN;
                if self.leading.as_ref().is_some_and(leads) {
                    self.pass_lead(self.last);
                }
            }
            Event::Damaged(slot, error) => self.damaged(slot, error),
            Event::Attach(place, voter) => self.attach(place, voter),
            Event::Promote(name) => self.promote(&name),
            Event::Detach(name, answer) => {
                let _ = answer.send(self.detach(&name));
            }
        }
    }

    fn set_phase(&mut self, slot: u64, phase: Phase) {
        if let Some(member) = self.member_mut(slot) {
            member.phase = phase;
        }
    }

    /// Says what is to be done about those that wait for it.
    pub(super) fn consider(&mut self) {
        self.try_elect();
        let Some(leading) = &self.leading else { return };
        let leader = leading.slot;
        let layout = self.layout.clone();
        for member in self.members.iter_mut().filter(|member| member.slot() != leader) {
            let place = || member.replica.place.path.display().to_string();
            let reason = match &member.phase {
                Phase::Opened(standing) if member.suspect.is_none() && standing.layout == layout => {
                    // An empty one has to be copied, unless all of them are.
                    (standing.is_new() && self.last.number > 0).then(|| Error::behind(place(), "it is empty"))
                }
                Phase::Opened(_) => {
                    let differs = || Error::behind(place(), "its families are numbered in another way");
                    Some(member.suspect.clone().unwrap_or_else(differs))
                }
                Phase::Unopened(error) if error.fault() == super::error::Fault::Damage => Some(error.clone()),
                _ => continue,
            };
            match reason {
                Some(reason) => {
                    member.phase = Phase::Rebuilding;
                    member.suspect = None;
                    member.tell(Work::Rebuild(reason));
                }
                None => {
                    member.phase = Phase::CatchingUp;
                    member.tell(Work::CatchUp);
                }
            }
        }
        self.try_establish();
    }

    /// It has almost everything: from the next commit on it gets what the others get.
    fn join(&mut self, slot: u64) {
        let (leads, last) = (self.leading.is_some(), self.last);
        let Some(member) = self.member_mut(slot) else { return };
        match member.phase {
            Phase::CatchingUp if leads => {
                member.phase = Phase::Joining(last);
                member.tell(Work::Join(last));
            }
            Phase::CatchingUp => {
                member.phase = Phase::Opening;
                member.tell(Work::Report);
            }
            _ => {}
        }
    }

    fn caught_up(&mut self, slot: u64) {
        let Some(member) = self.member_mut(slot) else { return };
        if let Phase::Joining(commit) = member.phase {
            member.phase = Phase::Following;
            if member.applied.number < commit.number {
                member.applied = commit;
            }
            tracing::info!(replica = %member.replica.place.path.display(), "a metadata replica follows");
        }
        self.rebuild_damaged();
        self.try_establish();
    }

    fn failed(&mut self, slot: u64, error: Error, remedy: Remedy) {
        let Some(member) = self.member_mut(slot) else { return };
        member.set_aside(&error);
        if error.is_new_damage() {
            member.suspect = Some(error.clone());
        }
        if let Some((_, promised)) = &mut self.promising {
            promised.retain(|other| *other != slot);
        }
        let led = self.leading.as_ref().is_some_and(|leading| leading.slot == slot);
        if led && !self.pass_lead(self.last) {
            self.gather(error.clone());
        }
        let leads = self.leading.is_some();
        let Some(member) = self.member_mut(slot) else { return };
        match remedy {
            Remedy::Rebuild if leads => {
                member.phase = Phase::Rebuilding;
                member.suspect = None;
                member.tell(Work::Rebuild(error));
            }
            // Nobody to build it from: it may still be good enough.
            Remedy::Rebuild | Remedy::Reopen => member.tell(Work::Reopen),
        }
    }

    /// Somebody read bad bytes from it.
    fn damaged(&mut self, slot: u64, error: Error) {
        let Some(member) = self.member_mut(slot) else { return };
        if matches!(member.phase, Phase::Rebuilding | Phase::Failed | Phase::Unopened(_)) {
            return;
        }
        tracing::error!(%error, "a metadata replica is damaged");
        member.suspect = Some(error);
        self.rebuild_damaged();
    }

    /// Has those made anew in which damage was found, when others can do without them. Until then they take writes, which
    /// are as durable there as anywhere. (Of two voters neither can be done without: commits wait for the rebuild.)
    fn rebuild_damaged(&mut self) {
        let is_damaged = |member: &&Member| member.suspect.is_some() && member.takes_writes();
        let damaged: Vec<u64> = self.members.iter().filter(is_damaged).map(Member::slot).collect();
        for slot in damaged {
            let led = self.leading.as_ref().is_some_and(|leading| leading.slot == slot);
            if self.leading.is_none() || led && !self.pass_lead(self.last) {
                continue;
            }
            let others = |member: &&Member| member.voter && member.slot() != slot && member.takes_writes();
            let others = self.members.iter().filter(others).count();
            let spared = self.voters < 3 || others >= vote::majority(self.voters);
            let Some(member) = self.member_mut(slot) else { continue };
            if member.voter && !spared {
                continue;
            }
            if let Some(error) = member.suspect.take() {
                member.set_aside(&error);
                member.phase = Phase::Rebuilding;
                member.tell(Work::Rebuild(error));
            }
        }
    }

    /// Lets a voter that has everything up to `commit` lead instead; `false` when there is none.
    pub(super) fn pass_lead(&mut self, commit: Commit) -> bool {
        let from = self.leading.as_ref().map(|leading| leading.slot);
        let fit = |member: &&Member| {
            member.voter && Some(member.slot()) != from && member.suspect.is_none() && member.has(commit)
        };
        let Some(member) = self.members.iter().find(fit) else { return false };
        let Some(database) = member.replica.database() else { return false };
        tracing::warn!(replica = %database.path.display(), "another metadata replica leads now");
        self.set.lead(Some(Arc::clone(&database)));
        self.leading = Some(Leading { slot: member.slot(), database, since: Instant::now() });
        true
    }

    fn attach(&mut self, place: ReplicaPlace, voter: bool) {
        let known = self.members.iter().filter(|member| member.voter).count() + usize::from(voter);
        self.voters = self.voters.max(known);
        if let Err(error) = self.add_member(place, voter) {
            tracing::error!(%error, "a metadata replica cannot be added");
        }
    }

    fn promote(&mut self, name: &str) {
        let Some(member) = self.members.iter_mut().find(|member| member.replica.place.name == name) else {
            return;
        };
        if !member.voter {
            member.voter = true;
            member.replica.voter.store(true, Ordering::Relaxed);
            self.voters += 1;
        }
    }

    fn detach(&mut self, name: &str) -> Result<Option<JoinHandle<()>>, Error> {
        let known = self.members.iter().filter(|member| member.voter).count();
        let Some(which) = self.members.iter().position(|member| member.replica.place.name == name) else {
            let fewer = self.voters.saturating_sub(1).max(known).max(1);
            self.become_fewer(fewer)?;
            return Ok(None);
        };
        let slot = self.members[which].slot();
        let led = self.leading.as_ref().is_some_and(|leading| leading.slot == slot);
        if led && !self.pass_lead(self.last) {
            return Err(Error::stopped("the only metadata replica that can lead cannot leave"));
        }
        if self.members[which].voter {
            self.members[which].voter = false;
            if let Err(error) = self.become_fewer(self.voters.saturating_sub(1).max(1)) {
                self.members[which].voter = true;
                return Err(error);
            }
        }
        let mut member = self.members.remove(which);
        self.set.remove(slot);
        member.replica.leaves.store(true, Ordering::Release);
        member.queue = None;
        Ok(member.thread.take())
    }

    /// There are so many voters from here on. Of two, either may be alone at the next start: both must have everything
    /// before anybody believes that there are two.
    fn become_fewer(&mut self, voters: usize) -> Result<(), Error> {
        let before = std::mem::replace(&mut self.voters, voters);
        if (before, voters) != (3, 2) {
            return Ok(());
        }
        let all_have_it = match self.established {
            true => self.wait_for_majority(self.last),
            false => Err(self.reason.clone()),
        };
        if all_have_it.is_err() {
            self.voters = before;
        }
        all_have_it
    }

    pub(super) fn close(&mut self) {
        self.set.close();
        self.leading = None;
        self.set.lead(None);
        for member in &mut self.members {
            member.queue = None;
        }
        for member in &mut self.members {
            if let Some(thread) = member.thread.take() {
                join_within(thread, CLOSE_MAX);
            }
        }
    }
}

/// Waits for a thread, not for ever; `false` when it is still there.
pub(super) fn join_within(thread: JoinHandle<()>, span: Duration) -> bool {
    let begun = Instant::now();
    while !thread.is_finished() {
        if begun.elapsed() > span {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = thread.join();
    true
}
