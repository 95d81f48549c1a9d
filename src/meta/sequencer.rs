//! Group commit: one thread drains the waiting transactions, checks and numbers them in order, merges them into one
//! synced write per replica, and wakes all when the leader and a majority of the voters have it.
//!
//! A transaction alone waits for one sync; a hundred that arrive together share it. Expectations are checked against
//! the leader and against the rows of the transactions before it in the same group, so the outcome is as if each had
//! been written by itself. Every replica gets the same bytes in the same order. With one voter there is no other thread
//! in the way: the write happens here.
//!
//! After a group that found no majority its state is unknown: nothing more is committed until a leader has been
//! elected anew from what is durable, under a new epoch (`vote`).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;
use std::time::Instant;

use crossbeam_channel::Receiver;
use crossbeam_channel::RecvTimeoutError;
use rocksdb::WriteBatch;
use rocksdb::WriteOptions;

use super::CommitError;
use super::Error;
use super::committer::Done;
use super::committer::Start;
use super::committer::Waiting;
use super::db::Database;
use super::db::Setup;
use super::error::Fault;
use super::event::Event;
use super::event::Remedy;
use super::event::Work;
use super::event::Written;
use super::group::Group;
use super::keys;
use super::members::Member;
use super::records::Commit;
use super::records::Usage;
use super::replica::hit;
use super::set::Set;
use super::vote;
use crate::base::BucketId;
use crate::sys::failpoint::failpoint;
use crate::sys::metrics::Metrics;

/// Transactions and bytes in one write. Four mebibytes take a disk some milliseconds, as long as a sync may.
const GROUP_MAX: usize = 1024;
const GROUP_BYTES_MAX: usize = 4 << 20;

/// How often time is looked at while nothing happens.
const TICK: Duration = Duration::from_millis(250);

/// How long a leader may be silent when a majority has answered.
pub(super) const LEADER_SILENT_MAX: Duration = Duration::from_secs(1);

/// How long a majority may take. Shorter than what a client waits for, so that it hears that its write was not
/// acknowledged, and longer than a healthy disk ever takes.
const MAJORITY_MAX: Duration = Duration::from_secs(10);

/// The replica that reads and expectations are answered from.
pub(super) struct Leading {
    pub(super) slot: u64,
    pub(super) database: Arc<Database>,
    pub(super) since: Instant,
}

pub(super) struct Sequencer {
    pub(super) set: Arc<Set>,
    pub(super) setup: Arc<Setup>,
    pub(super) members: Vec<Member>,
    /// Voters, absent ones included.
    pub(super) voters: usize,
    pub(super) next_slot: u64,
    events: Receiver<Event>,
    metrics: Arc<Metrics>,
    write: WriteOptions,
    pub(super) leading: Option<Leading>,
    /// Whether a majority has committed the epoch, so that commits can be acknowledged.
    pub(super) established: bool,
    /// The highest epoch known.
    pub(super) epoch: u64,
    /// The epoch that voters are asked to promise, and those that have.
    pub(super) promising: Option<(u64, Vec<u64>)>,
    /// Since when standings are collected.
    pub(super) gathering: Instant,
    /// Not to elect before: what fails again and again must not do so without a pause.
    pub(super) elect_at: Instant,
    /// Why nothing is committed.
    pub(super) reason: Error,
    /// Who waits for the start.
    pub(super) opening: Option<mpsc::Sender<Result<(), Error>>>,
    /// What has to wait until the group is through.
    deferred: Vec<Event>,
    pub(super) last: Commit,
    /// How the leader's batches name families.
    pub(super) layout: Vec<u8>,
    /// Counters as of the last commit, of buckets that were asked for since the leader was elected.
    pub(super) usage: HashMap<BucketId, Usage>,
}

impl Sequencer {
    pub(super) fn new(start: Start<'_>, opening: mpsc::Sender<Result<(), Error>>) -> Result<Self, Error> {
        let Start { places, voters, setup, metrics, set, events } = start;
        let write = setup.write_options();
        let mut sequencer = Self {
            set,
            setup: Arc::new(setup),
            members: Vec::new(),
            voters: voters.max(places.len()),
            next_slot: 0,
            events,
            metrics,
            write,
            leading: None,
            established: false,
            epoch: 0,
            promising: None,
            gathering: Instant::now(),
            elect_at: Instant::now(),
            reason: Error::opening(),
            opening: Some(opening),
            deferred: Vec::new(),
            last: Commit::default(),
            layout: Vec::new(),
            usage: HashMap::new(),
        };
        for place in places {
            sequencer.add_member(place.clone(), true)?;
        }
        Ok(sequencer)
    }

    pub(super) fn run(mut self, queue: &Receiver<Waiting>) {
        // However this thread ends, nothing is acknowledged behind it.
        let _closes = Closes(Arc::clone(&self.set));
        let mut group = Vec::with_capacity(GROUP_MAX);
        loop {
            crossbeam_channel::select! {
                recv(queue) -> first => {
                    let Ok(first) = first else { break };
                    let mut bytes = first.transaction.bytes;
                    group.push(first);
                    while group.len() < GROUP_MAX
                        && bytes < GROUP_BYTES_MAX
                        && let Ok(next) = queue.try_recv()
                    {
                        bytes += next.transaction.bytes;
                        group.push(next);
                    }
                    self.commit(&mut group);
                }
                recv(self.events) -> event => {
                    if let Ok(event) = event {
                        self.on(event);
                    }
                }
                default(TICK) => {}
            }
            self.settle();
        }
        self.close();
    }

    /// What the end of a group, or time, brings.
    fn settle(&mut self) {
        loop {
            // What was put off comes before what came later; either may put off more.
            while !self.deferred.is_empty() {
                for event in std::mem::take(&mut self.deferred) {
                    self.on(event);
                }
            }
            match self.events.try_recv() {
                Ok(event) => self.on(event),
                Err(_) => break,
            }
        }
        self.look_after();
    }

    /// Checks, writes and answers a group.
    fn commit(&mut self, waiting: &mut Vec<Waiting>) {
        let begun = Instant::now();
        let refusal = self.refusal();
        let mut group = Group::behind(self.last.number);
        let mut answers: Vec<(Done, Result<u64, CommitError>)> = Vec::with_capacity(waiting.len());
        for Waiting { transaction, done } in waiting.drain(..) {
            let outcome = match &refusal {
                Some(error) => Err(CommitError::Unavailable(error.clone())),
                None => self.add(&mut group, transaction),
            };
            answers.push((done, outcome));
        }
        let committed = (group.number - self.last.number) as usize;
        let failure = if committed > 0 { self.write(group).err() } else { None };
        if let Some(error) = &failure {
            tracing::error!(%error, "metadata cannot be written; nothing is acknowledged until that is put right");
            self.gather(error.clone());
        }
        failpoint!("meta::commit::before_ack");
        self.metrics.commit_group(committed, begun.elapsed().as_secs_f64());
        for (done, outcome) in answers {
            match (&failure, outcome) {
                (Some(error), Ok(_)) => done(Err(CommitError::Unavailable(error.clone()))),
                (_, outcome) => done(outcome),
            }
        }
    }

    /// Why nothing can be committed now, if so.
    pub(super) fn refusal(&self) -> Option<Error> {
        if !self.established || self.leading.is_none() {
            return Some(self.reason.clone());
        }
        let there = self.members.iter().filter(|member| member.voter && member.takes_writes()).count();
        (there < vote::majority(self.voters)).then(|| self.below_majority(there))
    }

    pub(super) fn below_majority(&self, there: usize) -> Error {
        let (all, needed) = (self.voters, vote::majority(self.voters));
        Error::quorum(format!("{there} of {all} metadata replicas are there, a commit needs {needed}"))
    }

    /// One synced write per replica; then the rows are visible and the numbers published.
    pub(super) fn write(&mut self, mut group: Group) -> Result<(), Error> {
        for (bucket, usage) in std::mem::take(&mut group.usage) {
            let key = keys::usage(bucket);
            match usage {
                Some(usage) => self.put(&mut group, &key, &usage)?,
                None => group.batch.delete_cf(self.database()?.family(key.family())?, key.bytes()),
            }
            group.counted.push((bucket, usage));
        }
        let mut chain = crc32fast::Hasher::new_with_initial(self.last.chain);
        chain.update(group.batch.data());
        let commit = Commit { number: group.number, chain: chain.finalize() };
        self.put(&mut group, &keys::system("commit"), &commit)?;
        failpoint!("meta::commit::before_write", error).map_err(|error| Error::stopped(error.to_string()))?;
        self.replicate(commit, std::mem::take(&mut group.batch))?;
        failpoint!("meta::commit::after_write");
        self.last = commit;
        for (bucket, usage) in group.counted {
            match usage {
                Some(usage) => self.usage.insert(bucket, usage),
                None => self.usage.remove(&bucket),
            };
        }
        if group.touches_buckets {
            self.set.buckets_changed();
        }
        self.set.publish(commit.number);
        Ok(())
    }

    /// Makes a batch durable in the leader and in a majority of the voters.
    fn replicate(&mut self, commit: Commit, batch: WriteBatch) -> Result<(), Error> {
        if self.voters == 1 && self.members.len() == 1 {
            return self.write_here(commit, batch);
        }
        let batch = batch.data().to_vec();
        let written = Arc::new(Written { previous: self.last, commit, batch });
        for which in 0..self.members.len() {
            if !self.members[which].takes_writes() {
                continue;
            }
            if !self.members[which].send_write(&written) {
                let error = Error::stopped("it fell too far behind");
                // The queue it has is worked off first; then it says where it stands and catches up from the log.
                self.members[which].set_aside(&error);
                self.members[which].tell(Work::Report);
            }
        }
        self.wait_for_majority(commit)
    }

    fn write_here(&mut self, commit: Commit, batch: WriteBatch) -> Result<(), Error> {
        let database = Arc::clone(self.database()?);
        let written = hit("before_write", &self.members[0].replica).and_then(|()| {
            let written = database.db.write_opt(batch, &self.write);
            written.map_err(|error| Error::rocksdb("commit", format!("number {}", commit.number), &error))?;
            hit("after_write", &self.members[0].replica)
        });
        drop(database);
        let Err(error) = written else {
            self.members[0].applied = commit;
            self.members[0].replica.set_applied(commit.number);
            return Ok(());
        };
        let remedy = if error.fault() == Fault::Damage { Remedy::Rebuild } else { Remedy::Reopen };
        let slot = self.members[0].slot();
        self.members[0].set_aside(&error);
        self.deferred.push(Event::Failed(slot, error.clone(), remedy));
        Err(error)
    }

    pub(super) fn wait_for_majority(&mut self, commit: Commit) -> Result<(), Error> {
        let sent = Instant::now();
        let mut patience = LEADER_SILENT_MAX;
        loop {
            let voters = || self.members.iter().filter(|member| member.voter);
            let (durable, taking) = (
                voters().filter(|member| member.has(commit)).count(),
                voters().filter(|member| member.takes_writes()).count(),
            );
            let leader = self.leading.as_ref().and_then(|leading| self.member(leading.slot));
            let leader_takes = leader.is_some_and(Member::takes_writes);
            let leader_has = leader.is_some_and(|leader| leader.has(commit));
            let majority = vote::majority(self.voters);
            if durable >= majority {
                if leader_has {
                    return Ok(());
                }
                if (!leader_takes || sent.elapsed() >= LEADER_SILENT_MAX) && self.pass_lead(commit) {
                    return Ok(());
                }
                if sent.elapsed() >= MAJORITY_MAX {
                    return Err(Error::stopped(
                        "the replica that leads does not answer, and no other can lead",
                    ));
                }
            } else if taking < majority {
                return Err(self.below_majority(taking));
            } else if sent.elapsed() >= MAJORITY_MAX {
                self.set_silent_aside(commit);
                continue;
            } else {
                patience = if sent.elapsed() < LEADER_SILENT_MAX { LEADER_SILENT_MAX } else { MAJORITY_MAX };
            }
            let left = patience.saturating_sub(sent.elapsed()).max(Duration::from_millis(10));
            match self.events.recv_timeout(left) {
                Ok(event) => self.on_in_group(event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::stopped("its replicas have stopped"));
                }
            }
        }
    }

    /// Gives up those that have not made this commit durable in time.
    fn set_silent_aside(&mut self, commit: Commit) {
        for member in self.members.iter_mut().filter(|member| member.takes_writes()) {
            if member.applied != commit {
                member.set_aside(&Error::stopped("it does not answer"));
                member.tell(Work::Report);
            }
        }
    }

    /// While a group is under way, only what concerns it is heard.
    fn on_in_group(&mut self, event: Event) {
        match event {
            Event::Applied(slot, commit) => self.applied(slot, commit),
            Event::Failed(slot, ref error, _) => {
                if let Some(member) = self.member_mut(slot) {
                    member.set_aside(error);
                }
                self.deferred.push(event);
            }
            other => self.deferred.push(other),
        }
    }

    /// The database of the leader.
    pub(super) fn database(&self) -> Result<&Arc<Database>, Error> {
        let leading = self.leading.as_ref().ok_or_else(|| self.reason.clone())?;
        Ok(&leading.database)
    }

    pub(super) fn member(&self, slot: u64) -> Option<&Member> {
        self.members.iter().find(|member| member.slot() == slot)
    }

    pub(super) fn member_mut(&mut self, slot: u64) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.slot() == slot)
    }

    pub(super) fn applied(&mut self, slot: u64, commit: Commit) {
        if let Some(member) = self.member_mut(slot)
            && member.takes_writes()
        {
            member.applied = commit;
        }
    }
}

/// Says that nothing is acknowledged any more, when the sequencer's thread ends, by a panic too.
struct Closes(Arc<Set>);

impl Drop for Closes {
    fn drop(&mut self) {
        self.0.close();
    }
}
