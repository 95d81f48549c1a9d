//! One replica: its database, and the thread that owns it.
//!
//! The thread opens the database, catches it up, applies the commits of the sequencer in order, and puts the replica
//! right after a fault; whatever hangs on a dead disk hangs here and nowhere else. It decides nothing: what it meets it
//! tells the sequencer, which says what to do next. Until then a replica that failed takes no more commits.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use crossbeam_channel::Receiver;
use crossbeam_channel::RecvTimeoutError;
use parking_lot::Mutex;
use parking_lot::RwLock;
use rocksdb::WriteBatch;
use rocksdb::WriteOptions;

use super::Error;
use super::ReplicaPlace;
use super::ReplicaStatus;
use super::Role;
use super::catch_up::CatchUp;
use super::catch_up::catch_up;
use super::db::Database;
use super::db::Setup;
use super::error::Fault;
use super::error::Kind;
use super::event::Event;
use super::event::Remedy;
use super::event::Work;
use super::event::Written;
use super::files;
use super::logs;
use super::rebuild::rebuild;
use super::records::Commit;
use super::set::Set;
use super::vote;
use crate::sys::disk::RealDisk;

/// Between two looks at what nobody asks for: old logs, a database to be opened.
const TICK: Duration = Duration::from_secs(2);
const TICK_BROKEN: Duration = Duration::from_millis(200);

/// Between two attempts to open a database, after the first.
const RETRY: Duration = Duration::from_secs(5);

/// How long a catch-up waits for a commit that the leader's log must have.
const LOG_MAX: Duration = Duration::from_secs(10);

/// Attempts to open after which a disk that takes writes is not believed to be the cause.
const ATTEMPTS_MAX: u32 = 3;

/// What a replica does, as its thread and the sequencer see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Activity {
    Follows,
    CatchesUp,
    Rebuilds { done_bytes: u64, total_bytes: u64 },
    Failed(String),
}

/// What others see of a replica.
pub(super) struct Replica {
    /// Its number, in this process.
    pub(super) slot: u64,
    pub(super) place: ReplicaPlace,
    pub(super) voter: AtomicBool,
    /// Whether it is being detached.
    pub(super) leaves: AtomicBool,
    database: RwLock<Option<Arc<Database>>>,
    /// The newest commit that is durable in it.
    applied: AtomicU64,
    /// Of writes that it was told and has not done.
    pub(super) queued_bytes: AtomicUsize,
    pub(super) activity: Mutex<Activity>,
}

impl Replica {
    pub(super) fn new(slot: u64, place: ReplicaPlace, voter: bool) -> Self {
        Self {
            slot,
            place,
            voter: AtomicBool::new(voter),
            leaves: AtomicBool::new(false),
            database: RwLock::default(),
            applied: AtomicU64::new(0),
            queued_bytes: AtomicUsize::new(0),
            activity: Mutex::new(Activity::CatchesUp),
        }
    }

    pub(super) fn database(&self) -> Option<Arc<Database>> {
        self.database.read().clone()
    }

    pub(super) fn set_applied(&self, number: u64) {
        self.applied.store(number, Ordering::Release);
    }

    pub(super) fn follows_up_to(&self, number: u64) -> bool {
        self.applied.load(Ordering::Acquire) >= number && *self.activity.lock() == Activity::Follows
    }

    pub(super) fn does(&self, activity: Activity) {
        *self.activity.lock() = activity;
    }

    pub(super) fn status(&self, leader: Option<u64>, newest: u64) -> ReplicaStatus {
        let commit = self.applied.load(Ordering::Acquire);
        let behind = newest.saturating_sub(commit);
        let role = match self.activity.lock().clone() {
            Activity::Failed(reason) => Role::Failed { reason },
            Activity::Rebuilds { done_bytes, total_bytes } => Role::Rebuilding { done_bytes, total_bytes },
            Activity::Follows if leader == Some(self.slot) => Role::Leader,
            Activity::Follows if behind <= BEHIND_MAX => Role::Follower,
            Activity::Follows | Activity::CatchesUp => Role::Lagging { behind },
        };
        let ReplicaPlace { name, path } = self.place.clone();
        ReplicaStatus { name, path, role, commit, voter: self.voter.load(Ordering::Relaxed) }
    }
}

/// A follower that is so many commits behind is still called one: two full groups are always under way.
const BEHIND_MAX: u64 = 2048;

/// The thread of a replica.
pub(super) struct Keeper {
    pub(super) replica: Arc<Replica>,
    pub(super) set: Arc<Set>,
    pub(super) setup: Arc<Setup>,
    pub(super) queue: Receiver<Work>,
    write: WriteOptions,
    /// The last commit in the database.
    last: Commit,
    /// Whether the writes in the queue are for it.
    follows: bool,
    /// When to open the database anew, if it is to be opened.
    reopen_at: Option<Instant>,
    attempts: u32,
    /// What readers still use.
    closing: Option<Arc<Database>>,
    /// Whether there was a database: an empty one must never take its place unnoticed.
    existed: bool,
    /// What said which volume this is, when it was seen first.
    identity: Option<Vec<u8>>,
    looked_after: Instant,
}

impl Keeper {
    pub(super) fn start(
        replica: Arc<Replica>,
        set: Arc<Set>,
        setup: Arc<Setup>,
        queue: Receiver<Work>,
    ) -> Result<JoinHandle<()>, Error> {
        let name = format!("meta-{}", replica.slot);
        let write = setup.write_options();
        let keeper = Self {
            replica,
            set,
            setup,
            queue,
            write,
            last: Commit::default(),
            follows: false,
            reopen_at: None,
            attempts: 0,
            closing: None,
            existed: false,
            identity: None,
            looked_after: Instant::now(),
        };
        let spawned = std::thread::Builder::new().name(name).spawn(move || keeper.run());
        spawned.map_err(|error| Error::stopped(error.to_string()))
    }

    fn run(mut self) {
        self.open();
        loop {
            let tick = if self.reopen_at.is_some() { TICK_BROKEN } else { TICK };
            match self.queue.recv_timeout(tick) {
                Ok(work) => self.work(work),
                Err(RecvTimeoutError::Timeout) => self.look_after(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // Under load the queue is never empty.
            if self.looked_after.elapsed() > TICK {
                self.look_after();
            }
        }
        self.replica.database.write().take();
    }

    fn work(&mut self, work: Work) {
        match work {
            Work::Write(written) => self.write(&written),
            Work::Row(key, answer) => {
                let read =
                    self.database().and_then(|database| Ok(database.row(&key)?.map(|row| row.to_vec())));
                let _ = answer.send(read);
            }
            Work::Promise(epoch) => match vote::promise(&RealDisk, &self.replica.place.path, epoch) {
                Ok(()) => self.set.tell(Event::Promised(self.replica.slot, epoch)),
                Err(error) => self.fail(error),
            },
            Work::Report => self.report(),
            Work::CatchUp => {
                if let Err(error) = self.catch_up() {
                    self.fail(error);
                }
            }
            Work::Join(commit) => match self.join(commit) {
                Ok(()) => {
                    self.follows = true;
                    self.set.tell(Event::CaughtUp(self.replica.slot));
                }
                Err(error) => self.fail(error),
            },
            Work::Reopen => {
                self.follows = false;
                self.reopen_at = Some(Instant::now());
                self.look_after();
            }
            Work::Rebuild(reason) => self.rebuild(&reason),
        }
    }

    fn database(&self) -> Result<Arc<Database>, Error> {
        self.replica.database().ok_or_else(|| Error::stopped("the replica is closed"))
    }

    fn write(&mut self, written: &Written) {
        self.replica.queued_bytes.fetch_sub(written.batch.len(), Ordering::Relaxed);
        if !self.follows {
            return;
        }
        if written.previous != self.last {
            return self.fail(Error::behind(self.place(), "its last commit is another"));
        }
        match self.apply(written) {
            Ok(()) => {
                self.last = written.commit;
                self.replica.set_applied(self.last.number);
                self.set.tell(Event::Applied(self.replica.slot, self.last));
            }
            Err(error) => self.fail(error),
        }
    }

    fn apply(&self, written: &Written) -> Result<(), Error> {
        hit("before_write", &self.replica)?;
        let database = self.database()?;
        let result = database.db.write_opt(WriteBatch::from_data(&written.batch), &self.write);
        result
            .map_err(|error| Error::rocksdb("commit", format!("number {}", written.commit.number), &error))?;
        hit("after_write", &self.replica)
    }

    /// From here on the sequencer says what to do.
    fn fail(&mut self, error: Error) {
        self.follows = false;
        let remedy = if error.fault() == Fault::Damage { Remedy::Rebuild } else { Remedy::Reopen };
        self.replica.does(Activity::Failed(error.to_string()));
        self.set.tell(Event::Failed(self.replica.slot, error, remedy));
    }

    fn report(&mut self) {
        self.follows = false;
        let standing = hit("before_report", &self.replica)
            .and_then(|()| self.database())
            .and_then(|database| database.standing());
        match standing {
            Ok(standing) => {
                self.last = standing.commit;
                self.replica.set_applied(self.last.number);
                self.replica.does(Activity::CatchesUp);
                self.set.tell(Event::Opened(self.replica.slot, standing));
            }
            Err(error) => self.fail(error),
        }
    }

    fn look_after(&mut self) {
        self.looked_after = Instant::now();
        let Some(at) = self.reopen_at else {
            // What is written into files that were removed, or are on a disk that was taken away, is not durable.
            if self.follows
                && let Err(error) = self.check_there()
            {
                return self.fail(error);
            }
            let keep = self.database().and_then(|database| logs::prune(&RealDisk, &database));
            return keep.unwrap_or_else(|error| tracing::debug!(%error, "old logs are not looked after"));
        };
        if Instant::now() < at {
            return;
        }
        self.reopen_at = Some(Instant::now() + if self.attempts == 0 { RETRY / 5 } else { RETRY });
        self.attempts += 1;
        // What is open still answers reads; it is given up when there is hope for something better.
        let writable = self.check_volume().and_then(|()| files::probe(&RealDisk, &self.replica.place.path));
        match writable {
            Ok(()) if self.close() => self.open(),
            Ok(()) => {
                tracing::warn!(replica = %self.place(), "readers still use it; it cannot be opened anew yet")
            }
            Err(error) => self.replica.does(Activity::Failed(error.to_string())),
        }
    }

    /// Whether the files are where they were.
    fn check_there(&mut self) -> Result<(), Error> {
        self.check_volume()?;
        match files::holds_database(&RealDisk, &self.replica.place.path) {
            true => Ok(()),
            false => Err(Error::corrupt(self.place(), "its files are gone")),
        }
    }

    /// Refuses another volume, or none, in the place of the one that was there.
    fn check_volume(&mut self) -> Result<(), Error> {
        // A disk that fails, or a process without a file to spare, is no other volume: writes will tell.
        let Ok(found) = files::identity(&RealDisk, &self.replica.place.path) else { return Ok(()) };
        if self.identity.is_none() {
            self.identity = found;
            return Ok(());
        }
        match found == self.identity {
            true => Ok(()),
            false => Err(Error::gone(self.place())),
        }
    }

    /// Opens the database and says how that went.
    fn open(&mut self) {
        let is_there = self.check_volume();
        let (slot, path) = (self.replica.slot, &self.replica.place.path);
        let opened = is_there.and_then(|()| files::tidy(&RealDisk, path)).and_then(|()| {
            if vote::is_damaged(&RealDisk, path) {
                return Err(Error::new("open", self.place(), Kind::Marked));
            }
            // RocksDB would take the directory for a new one, and remove the rows that its list of files does not name.
            let is_empty = !files::holds_database(&RealDisk, path);
            if is_empty && (self.existed || files::held_rows(&RealDisk, path)?) {
                return Err(Error::corrupt(self.place(), "its files are gone"));
            }
            Database::open(path, slot, &self.setup)
        });
        match opened {
            Ok(database) => {
                self.existed = true;
                *self.replica.database.write() = Some(Arc::new(database));
                (self.reopen_at, self.attempts) = (None, 0);
                self.report();
            }
            Err(error) => {
                self.replica.does(Activity::Failed(error.to_string()));
                self.reopen_at = Some(Instant::now() + RETRY);
                let error = match error.fault() {
                    // The disk takes writes, and still this cannot be read.
                    Fault::Io if self.attempts >= ATTEMPTS_MAX => {
                        Error::corrupt(error.to_string(), "unreadable")
                    }
                    _ => error,
                };
                self.set.tell(Event::Unopened(slot, error));
            }
        }
    }

    /// Closes the database, once nobody reads from it any more; `false` when that takes too long.
    pub(super) fn close(&mut self) -> bool {
        self.follows = false;
        self.set.leave(self.replica.slot);
        if let Some(open) = self.replica.database.write().take() {
            self.closing = Some(open);
        }
        let begun = Instant::now();
        while let Some(closing) = self.closing.take() {
            match Arc::try_unwrap(closing) {
                Ok(database) => drop(database),
                Err(used) => {
                    self.closing = Some(used);
                    if begun.elapsed() > RETRY {
                        return false;
                    }
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
        true
    }

    /// Applies the leader's log until what remains is little.
    fn catch_up(&mut self) -> Result<(), Error> {
        self.replica.does(Activity::CatchesUp);
        let database = self.database()?;
        self.last = database.last_commit()?;
        loop {
            let before = self.last.number;
            if !self.advance(&database)? {
                // Nobody leads now. It stands for election, or is told again to catch up.
                std::thread::sleep(TICK_BROKEN);
                self.report();
                return Ok(());
            }
            // A round that found less than a group or two leaves less than that.
            if self.last.number - before <= BEHIND_MAX {
                break;
            }
        }
        self.set.tell(Event::Near(self.replica.slot));
        Ok(())
    }

    /// Applies what the leader's log has now; `false` when there is no other that leads.
    fn advance(&mut self, database: &Database) -> Result<bool, Error> {
        let Some(leader) = self.set.leader().filter(|leader| leader.slot != self.replica.slot) else {
            return Ok(false);
        };
        let (set, replica) = (&self.set, &self.replica);
        let applied = |commit: Commit| {
            replica.set_applied(commit.number);
            set.check_open(replica).and_then(|()| set.check_leads(leader.slot))
        };
        match catch_up(&leader, database, self.last, &applied)? {
            CatchUp::At(commit) => self.last = commit,
            CatchUp::Impossible(why) => return Err(Error::behind(self.place(), why)),
        }
        Ok(true)
    }

    /// Catches up to exactly this commit.
    fn join(&mut self, commit: Commit) -> Result<(), Error> {
        let database = self.database()?;
        self.last = database.last_commit()?;
        let begun = Instant::now();
        let leads = self.set.leader().is_some_and(|leader| leader.slot == self.replica.slot);
        // The leader has what the sequencer knows, or more: alone, it is written by the sequencer itself.
        while self.last != commit && !leads {
            if self.last.number >= commit.number {
                return Err(Error::behind(self.place(), "it parted from the leader"));
            }
            if !self.advance(&database)? || begun.elapsed() > LOG_MAX {
                return Err(Error::behind(self.place(), "the leader's log cannot be read to its end"));
            }
            if self.last.number < commit.number {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        self.replica.set_applied(self.last.number);
        self.replica.does(Activity::Follows);
        Ok(())
    }

    fn rebuild(&mut self, reason: &Error) {
        tracing::warn!(replica = %self.place(), %reason, "the metadata replica is made anew");
        self.reopen_at = Some(Instant::now() + RETRY);
        if let Err(error) = self.check_volume() {
            return self.replica.does(Activity::Failed(error.to_string()));
        }
        self.replica.does(Activity::Rebuilds { done_bytes: 0, total_bytes: 0 });
        let path = &self.replica.place.path;
        if reason.is_new_damage() {
            vote::mark_damaged(&RealDisk, path, &reason.to_string());
        }
        self.existed = true;
        if !self.close() {
            return tracing::warn!(replica = %self.place(), "readers still use it; it cannot be made anew yet");
        }
        let rebuilt = self.check_volume().and_then(|()| rebuild(&self.replica, &self.set, &self.setup));
        match rebuilt {
            Ok(()) => {
                tracing::info!(replica = %self.place(), "the metadata replica has been made anew");
                self.open();
            }
            Err(error) => {
                tracing::warn!(replica = %self.place(), %error, "the metadata replica could not be made anew");
                self.replica.does(Activity::Failed(error.to_string()));
            }
        }
    }

    fn place(&self) -> String {
        self.replica.place.path.display().to_string()
    }
}

/// Passes the failpoints of a step: of any replica, and of this one.
#[cfg(feature = "failpoints")]
pub(super) fn hit(step: &str, replica: &Replica) -> Result<(), Error> {
    use crate::sys::failpoint::hit_fallible;
    let named = format!("meta::replica::{step}");
    let hit = hit_fallible(&named).and_then(|()| hit_fallible(&format!("{named}::{}", replica.place.name)));
    hit.map_err(|error| Error::io("commit", &replica.place.path, &error))
}

#[cfg(not(feature = "failpoints"))]
#[expect(clippy::unnecessary_wraps, reason = "with failpoints it fails")]
pub(super) const fn hit(_step: &str, _replica: &Replica) -> Result<(), Error> {
    Ok(())
}
