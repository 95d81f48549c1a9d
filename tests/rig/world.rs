//! A store on a simulated disk and the model of what it must answer, walked through the same steps.
//!
//! Metadata is a real RocksDB, in memory where the machine has such a file system; it is not behind the simulated
//! disk and never fails here. So a request that fails has changed nothing, and the model holds that against the store.
//!
//! What may be lost is bounded as in an atlas of faults: bytes are only destroyed while another sound copy of each blob
//! is left. Whatever the store then fails to answer is its own fault.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use holdall::base::BlobId;
use holdall::base::UploadId;
use holdall::meta::Durability;
use holdall::meta::Meta;
use holdall::meta::ReplicaStatus;
use holdall::meta::Role;
use holdall::store::Machine;
use holdall::store::Outcome as Restored;
use holdall::store::VolumeHealth;
use holdall::store::VolumeStatus;
use holdall::sys::clock::SystemClock;
use holdall::sys::disk::Disk;
use holdall::sys::disk::Lasts;
use holdall::sys::disk::NewFile;
use holdall::sys::disk::SimDisk;
use holdall::sys::entropy::SeededEntropy;
use holdall::sys::metrics::Metrics;
use holdall::volume::Volume;

use super::Dice;
use super::Outcome;
use super::Rig;
use super::client::Answer;
use super::client::BUCKETS;
use super::client::Client;
use super::client::KEYS;
use super::client::Place;
use super::client::Request;
use super::failure::Failure;
use super::failure::Kind;
use super::model::Model;
use super::open_meta;
use super::open_volumes;

const EIO: i32 = 5;

/// Volumes, copies of each blob, and replicas of the metadata.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub volumes: u8,
    pub replicas: usize,
    pub metas: usize,
}

/// One step of a trace.
#[derive(Debug, Clone)]
pub enum Step {
    Ask(Request),
    /// The reclaimer settles what it finds.
    Reclaim,
    /// The sweep passes over every volume, and forgets uploads that ended.
    Sweep,
    /// Everything on the repair queue is restored, as far as that can be done now.
    Repair,
    /// The server ends and starts again; with `true` the database is opened anew too.
    Restart(bool),
    /// The power goes between two requests; the seed says what of the unsynced is kept.
    Cut(u64),
    /// The power goes at this operation of the disks while a request is served.
    CutWithin(usize, Request, u64),
    /// A volume answers with errors.
    Break(usize),
    /// A volume does not answer.
    Hang(usize),
    /// A volume loses everything, when no blob has its last sound copy there. It is formatted at the next start.
    Lose(usize),
    /// The server ends, and starts again without one of three replicas of the metadata, when the others are up to date.
    LoseMeta(usize),
    /// One file is damaged, when its blob has another sound copy. Nobody knows of it.
    Rot(u64),
    /// The same of this object, and it is on the repair queue.
    Damage(Place),
    /// All volumes answer again.
    Mend,
    /// Everything is mended, all jobs run to the end, and the books are balanced.
    Settle,
}

/// Why the two differ.
pub type Verdict = Result<(), String>;

pub struct World {
    pub disk: SimDisk,
    pub model: Model,
    rig: Option<Rig>,
    meta: Option<Arc<Meta>>,
    machine: Machine,
    shape: Shape,
    client: Client,
    /// Volumes that fail now.
    faulty: BTreeSet<usize>,
    /// Those of them that fail until they are formatted.
    lost: BTreeSet<usize>,
    /// Volumes that failed at some time since the start, so that the store may still pass them over.
    troubled: BTreeSet<usize>,
    /// Whether one of them does not answer at all.
    hangs: bool,
    /// Whether any copy may be missing.
    degraded: bool,
    /// How often what happened, for the reader of a long run.
    pub tally: BTreeMap<&'static str, usize>,
    /// Damage is found from outside and not by the jobs: for tests that settle all the time.
    pub is_hasty: bool,
    /// A volume apart, whose judgement of a part file is that of any read.
    judge: (SimDisk, Volume),
    directory: tempfile::TempDir,
}

pub fn root(volume: usize) -> PathBuf {
    PathBuf::from(format!("/disk{volume}"))
}

/// In memory where the machine has such a file system.
fn scratch_directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

impl World {
    /// An empty store of this shape, with every bucket.
    pub async fn new(shape: Shape, seed: u64) -> Self {
        let directory = scratch_directory();
        let metrics = Arc::new(Metrics::new().unwrap());
        let entropy = Arc::new(SeededEntropy::new(seed));
        let machine = Machine { clock: Arc::new(SystemClock), entropy, metrics };
        let mut world = Self {
            disk: SimDisk::default(),
            model: Model::default(),
            rig: None,
            meta: None,
            machine,
            shape,
            client: Client::default(),
            faulty: BTreeSet::new(),
            lost: BTreeSet::new(),
            troubled: BTreeSet::new(),
            hangs: false,
            degraded: false,
            tally: BTreeMap::new(),
            is_hasty: false,
            judge: judge(),
            directory,
        };
        world.start(true, &mut |_| 1).await.unwrap();
        for bucket in 0..BUCKETS.len() {
            world.walk(&Step::Ask(Request::CreateBucket(bucket))).await.unwrap();
        }
        world
    }

    pub fn rig(&self) -> &Rig {
        self.rig.as_ref().expect("a world between two steps has a store")
    }

    /// Takes a step. What fails must have an excuse, and is held to have changed nothing.
    pub async fn walk(&mut self, step: &Step) -> Verdict {
        match step {
            // Jobs wait for a volume as long as it may take to answer, and nobody waits for them.
            Step::Reclaim | Step::Sweep | Step::Repair if self.hangs => Ok(()),
            Step::Ask(_) | Step::Reclaim | Step::Sweep | Step::Repair => match self.attempt(step).await {
                Ok(verdict) => verdict,
                Err(failure) => self.excuse(step, &failure).await,
            },
            Step::Restart(anew) => self.restart(*anew, &mut |_| 1).await,
            Step::Cut(seed) => self.cut(*seed).await,
            Step::CutWithin(at, request, seed) => {
                let step = Step::Ask(request.clone());
                self.disk.inject(*at, EIO, Lasts::Everywhere);
                self.degraded = true;
                match self.attempt(&step).await {
                    Ok(verdict) => verdict?,
                    Err(_) if self.disk.has_failed() => self.tally("requests cut off"),
                    Err(failure) => self.excuse(&step, &failure).await?,
                }
                self.cut(*seed).await
            }
            Step::Break(volume) => {
                self.tally("volumes broken");
                self.trouble(*volume);
                self.disk.break_root(&root(volume % self.count()), EIO);
                Ok(())
            }
            Step::Hang(volume) => {
                if self.faulty.is_empty() {
                    self.tally("volumes hung");
                    self.trouble(*volume);
                    self.hangs = true;
                    self.disk.hang_root(&root(volume % self.count()));
                }
                Ok(())
            }
            Step::Lose(volume) => self.lose(volume % self.count()).await,
            Step::LoseMeta(number) => self.lose_meta(*number).await,
            Step::Rot(seed) => self.rot(*seed).await,
            Step::Damage(place) => self.damage(*place).await.map_err(|failure| failure.text),
            Step::Mend => {
                self.disk.mend();
                self.hangs = false;
                self.faulty = self.lost.clone();
                Ok(())
            }
            Step::Settle => self.settle().await,
        }
    }

    /// A step that the store takes, when it does not fail.
    pub async fn attempt(&mut self, step: &Step) -> Outcome<Verdict> {
        match step {
            Step::Ask(request) => self.try_ask(request).await,
            Step::Reclaim => self.rig().reclaim().await.map(Ok),
            Step::Repair => self.repair().await,
            Step::Sweep => {
                self.rig().sweep().await?;
                self.rig().forget_ended().await?;
                self.model.forget_ended();
                Ok(Ok(()))
            }
            step => Ok(Box::pin(self.walk(step)).await),
        }
    }

    /// Removes what was put aside as bad, which would only grow.
    pub fn clear_quarantine(&self) {
        let kept = |path: &PathBuf| path.components().any(|name| name.as_os_str() == "quarantine");
        for path in self.disk.paths().into_iter().filter(kept) {
            self.disk.remove(&path).unwrap();
        }
    }

    /// From now on, copies may be missing.
    pub fn degraded(&mut self) {
        self.degraded = true;
    }

    fn count(&self) -> usize {
        usize::from(self.shape.volumes)
    }

    fn tally(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    fn trouble(&mut self, volume: usize) {
        self.faulty.insert(volume % self.count());
        self.troubled.insert(volume % self.count());
        self.degraded = true;
    }

    /// Asks both, when the store has an answer.
    async fn try_ask(&mut self, request: &Request) -> Outcome<Verdict> {
        let rig = self.rig.as_ref().expect("a world between two steps has a store");
        let (answer, begun) = self.client.answer(rig, request).await?;
        let expected = self.client.expected(&mut self.model, request, begun);
        let text = |answer: &Answer| format!("{answer:?}").chars().take(300).collect::<String>();
        let differ = || format!("{} instead of {}", text(&answer), text(&expected));
        Ok(if answer == expected { Ok(()) } else { Err(differ()) })
    }

    async fn at(&self, bucket: usize) -> Outcome<Option<Rig>> {
        self.rig().at(BUCKETS[bucket]).await
    }

    /// Whether a failure is one that the faults explain.
    async fn excuse(&mut self, step: &Step, failure: &Failure) -> Verdict {
        let excused = match step {
            Step::Ask(Request::Get(place, ..)) => {
                matches!(failure.kind, Kind::Unavailable | Kind::Damaged) && !self.is_readable(*place).await
            }
            Step::Ask(Request::Put(..) | Request::Part(..)) => {
                let spare = self.shape.replicas - (self.shape.replicas / 2 + 1);
                failure.kind == Kind::Unavailable && self.troubled.len() > spare
            }
            Step::Reclaim | Step::Sweep => failure.kind == Kind::Unavailable && !self.troubled.is_empty(),
            _ => false,
        };
        if excused {
            self.tally("excused failures");
            return Ok(());
        }
        Err(format!("failed without a reason: {failure}"))
    }

    /// Whether every blob of an object has a sound copy on a volume that answers. One that failed too often in a row is
    /// asked again only when a probe has found it well, which may be some seconds after it was mended.
    async fn is_readable(&self, (bucket, key): Place) -> bool {
        let rig = self.at(bucket).await.unwrap().unwrap();
        let Some(object) = rig.object(KEYS[key]).await.unwrap() else { return true };
        let blobs = rig.blobs_of(&object).await.unwrap();
        let rests =
            |volume: &VolumeStatus| matches!(volume.health, VolumeHealth::Failed | VolumeHealth::Probing);
        let resting: Vec<_> = rig.store.volumes().into_iter().filter(rests).map(|volume| volume.id).collect();
        let answering =
            |volume: &usize| !self.faulty.contains(volume) && !resting.contains(&rig.volumes[*volume].id());
        blobs.iter().all(|blob| self.sound_copies(*blob).iter().any(answering))
    }

    /// A power cut.
    pub async fn cut(&mut self, seed: u64) -> Verdict {
        self.tally("power cuts");
        // A surplus copy whose removal was not synced comes back.
        self.degraded = true;
        let mut dice = Dice(seed | 1);
        // Half of the cuts keep nothing that was not synced, as a disk without a cache of its own does.
        let keeps = dice.below(2) == 1;
        let anew = dice.below(16) == 0;
        self.restart(anew, &mut |bound| if keeps { dice.below(bound as u64) as usize } else { 0 }).await
    }

    /// Ends the store, starts it on what is left of the disks, and looks at everything.
    pub async fn restart(&mut self, anew: bool, choose: &mut dyn FnMut(usize) -> usize) -> Verdict {
        self.start(anew, choose).await?;
        self.compare().await
    }

    /// Ends the store and starts it on what is left of the disks, every one of which answers again.
    async fn start(&mut self, anew: bool, choose: &mut dyn FnMut(usize) -> usize) -> Verdict {
        self.rig = None;
        self.disk.mend();
        self.disk = self.disk.reboot(choose);
        if anew {
            self.close_meta();
        }
        let opened = self.open().await;
        self.rig = Some(opened.map_err(|failure| format!("the start failed: {failure}"))?);
        self.hangs = false;
        self.faulty.clear();
        self.lost.clear();
        self.troubled.clear();
        Ok(())
    }

    fn close_meta(&mut self) {
        let Some(meta) = self.meta.take() else { return };
        // A thread of the store that ended may still hold it.
        while Arc::strong_count(&meta) > 1 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn meta_path(&self, number: usize) -> PathBuf {
        self.directory.path().join(format!("meta{number}"))
    }

    async fn lose_meta(&mut self, number: usize) -> Verdict {
        let replicas = self.meta.as_ref().map(|meta| meta.replicas()).unwrap_or_default();
        let current = |status: &ReplicaStatus| matches!(status.role, Role::Leader | Role::Follower);
        if replicas.len() < 3 || !replicas.iter().all(current) {
            return Ok(());
        }
        self.tally("metadata replicas lost");
        self.rig = None;
        self.close_meta();
        std::fs::remove_dir_all(self.meta_path(number % replicas.len()))
            .map_err(|error| error.to_string())?;
        self.restart(true, &mut |_| 1).await
    }

    async fn open(&mut self) -> Outcome<Rig> {
        let meta = match &self.meta {
            Some(meta) => Arc::clone(meta),
            None => {
                let paths: Vec<PathBuf> =
                    (0..self.shape.metas).map(|number| self.meta_path(number)).collect();
                open_meta(&paths, Durability::Relaxed, &self.machine)?
            }
        };
        self.meta = Some(Arc::clone(&meta));
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let volumes = open_volumes(&disk, Path::new("/"), self.shape.volumes)?;
        Rig::over(meta, volumes, self.shape.replicas, self.machine.clone()).await
    }

    /// Compares everything a client could see, byte by byte, and the counters.
    pub async fn compare(&self) -> Verdict {
        let model = &self.model;
        for (number, bucket) in BUCKETS.iter().enumerate() {
            let rig = self.at(number).await.map_err(|failure| failure.text)?;
            let found =
                self.contents(rig.as_ref()).await.map_err(|failure| format!("{bucket}: {failure}"))?;
            let expected = model.buckets.get(*bucket).map(|objects| {
                let uploads = self.client.open_uploads(model, number).unwrap_or_default();
                (objects.iter().map(|(key, bytes)| (key.clone(), bytes.to_vec())).collect(), uploads)
            });
            if found != expected {
                return Err(differences(bucket, &found, &expected));
            }
        }
        Ok(())
    }

    async fn contents(&self, rig: Option<&Rig>) -> Outcome<Option<Contents>> {
        let Some(rig) = rig else { return Ok(None) };
        rig.check_usage().await?;
        let mut objects = BTreeMap::new();
        for (key, size) in rig.all().await? {
            let bytes = rig.get(&key, 0..u64::MAX).await.map_err(|failure| format!("{key:?}: {failure}"))?;
            let bytes = bytes.ok_or_else(|| format!("{key:?} is listed and cannot be found"))?;
            if bytes.len() as u64 != size {
                return Err(format!("{key:?} is listed with {size} bytes and has {}", bytes.len()).into());
            }
            objects.insert(key, bytes);
        }
        Ok(Some((objects, rig.uploads().await?)))
    }

    async fn repair(&self) -> Outcome<Verdict> {
        for (blob, outcome) in self.rig().repair().await? {
            // A volume that fails is no error of a repair; what is left undone must be its doing.
            let excused = !self.troubled.is_empty() || self.disk.has_failed();
            if !matches!(outcome, Restored::Whole | Restored::Unnamed) && !excused {
                return Ok(Err(format!("repair leaves {blob} {outcome:?}")));
            }
        }
        Ok(Ok(()))
    }

    async fn settle(&mut self) -> Verdict {
        if !self.troubled.is_empty() {
            self.restart(false, &mut |_| 1).await?;
        }
        self.compare().await?;
        self.rig().tidy_up().await.map_err(|failure| format!("tidying up: {failure}"))?;
        self.model.forget_ended();
        self.restore_all().await.map_err(|failure| failure.text)
    }

    /// Census, scrub and repair to their ends; then every blob has all its copies, sound, and no file is left that is not
    /// one of them.
    async fn restore_all(&mut self) -> Outcome<()> {
        let (named, replicas) = (self.named().await?, self.shape.replicas);
        if self.degraded {
            match self.is_hasty {
                true => self.find_damage(&named)?,
                false => {
                    self.rig().take_census().await?;
                    self.rig().scrub().await?;
                }
            }
            self.repair().await??;
            for blob in &named {
                // What lies where it does not belong is nothing that is missing.
                self.rig().restore(*blob).await?;
            }
            self.degraded = false;
        }
        self.rig().check_files(&named, replicas, true)?;
        match named.iter().find(|blob| self.sound_copies(**blob).len() != replicas) {
            Some(blob) => {
                Err(format!("of {blob}, sound copies are on {:?}", self.sound_copies(*blob)).into())
            }
            None => Ok(()),
        }
    }

    /// What census and scrub would find, without their way through every directory.
    fn find_damage(&self, named: &BTreeSet<BlobId>) -> Outcome<()> {
        for blob in named {
            let sound = self.sound_copies(*blob).len();
            if sound < self.shape.replicas {
                self.rig().file_repair(*blob, self.shape.replicas - sound)?;
            }
        }
        Ok(())
    }

    /// Every blob that anything names.
    pub async fn named(&self) -> Outcome<BTreeSet<BlobId>> {
        let mut named = BTreeSet::new();
        for bucket in 0..BUCKETS.len() {
            if let Some(rig) = self.at(bucket).await? {
                named.extend(rig.named().await?);
            }
        }
        Ok(named)
    }

    async fn lose(&mut self, volume: usize) -> Verdict {
        let named = self.named().await.map_err(|failure| failure.text)?;
        let elsewhere = |blob: &BlobId| self.sound_copies(*blob).iter().any(|other| *other != volume);
        if named.iter().all(elsewhere) {
            self.tally("volumes lost");
            self.trouble(volume);
            self.lost.insert(volume);
            self.disk.lose_root(&root(volume));
        }
        Ok(())
    }

    async fn rot(&mut self, seed: u64) -> Verdict {
        let mut dice = Dice(seed | 1);
        let named: Vec<BlobId> = self.named().await.map_err(|failure| failure.text)?.into_iter().collect();
        if !named.is_empty() {
            self.rot_copy(dice.one_of(&named), &mut dice);
        }
        Ok(())
    }

    async fn damage(&mut self, (bucket, key): Place) -> Outcome<()> {
        let rig = self.at(bucket).await?.ok_or("no bucket")?;
        let object = rig.object(KEYS[key]).await?.ok_or("no object")?;
        for blob in rig.blobs_of(&object).await? {
            self.rot_copy(blob, &mut Dice(9));
            rig.file_repair(blob, 1)?;
        }
        Ok(())
    }

    fn rot_copy(&mut self, blob: BlobId, dice: &mut Dice) {
        let sound = self.sound_copies(blob);
        if sound.len() > 1 {
            self.degraded = true;
            self.tally("copies rotted");
            let path = part_path(dice.one_of(&sound), blob);
            self.disk.corrupt(&path, |bytes| match dice.below(4) {
                0 => bytes.truncate(dice.below(bytes.len() as u64) as usize),
                1 => bytes.extend_from_slice(&[0; 80]),
                _ => {
                    let at = dice.below(bytes.len() as u64) as usize;
                    bytes[at] ^= 1 << dice.below(8);
                }
            });
        }
    }

    /// The volumes on which a whole and sound copy of a blob lies, whether or not they answer.
    pub fn sound_copies(&self, blob: BlobId) -> Vec<usize> {
        let sound = |volume: &usize| {
            let bytes = self.disk.bytes(&part_path(*volume, blob));
            bytes.is_some_and(|bytes| self.is_sound(blob, &bytes))
        };
        (0..self.count()).filter(sound).collect()
    }

    fn is_sound(&self, blob: BlobId, bytes: &[u8]) -> bool {
        let (disk, volume) = &self.judge;
        let path = part_path(0, blob);
        disk.create(&path, NewFile::default()).unwrap().write_at(bytes, 0).unwrap();
        let read = volume.open_part(blob).and_then(|reader| {
            let whole = 0..reader.footer().length;
            reader.read_verified(whole, &mut Vec::new())
        });
        disk.remove(&path).unwrap();
        read.is_ok()
    }
}

fn judge() -> (SimDisk, Volume) {
    let disk = SimDisk::default();
    let volumes = open_volumes(&(Arc::new(disk.clone()) as Arc<dyn Disk>), Path::new("/"), 1).unwrap();
    let volume = Arc::into_inner(volumes.into_iter().next().unwrap()).unwrap();
    (disk, volume)
}

type Contents = (BTreeMap<String, Vec<u8>>, Vec<(String, UploadId)>);

fn differences(bucket: &str, found: &Option<Contents>, expected: &Option<Contents>) -> String {
    let (Some(found), Some(expected)) = (found, expected) else {
        return format!("{bucket} exists: {}, expected: {}", found.is_some(), expected.is_some());
    };
    let keys: BTreeSet<&String> = found.0.keys().chain(expected.0.keys()).collect();
    let differ = keys.into_iter().filter(|key| found.0.get(*key) != expected.0.get(*key));
    let length = |contents: &Contents, key: &String| contents.0.get(key).map(Vec::len);
    let differ: Vec<_> = differ.map(|key| (key, length(found, key), length(expected, key))).collect();
    let (open, known) = (&found.1, &expected.1);
    format!("{bucket}: key, found bytes, expected bytes {differ:?}; uploads {open:?}, expected {known:?}")
}

fn part_path(volume: usize, blob: BlobId) -> PathBuf {
    root(volume).join("blobs").join(format!("{:02x}", blob.as_bytes()[0])).join(blob.to_string())
}
