//! A store with something of everything in it, and damage done to copies of it.

use std::path::Path;
use std::path::PathBuf;
use std::sync::OnceLock;

use holdall::base::BlobId;
use holdall::config::Config;
use holdall::meta::Durability;
use holdall::meta::Key;
use holdall::meta::Transaction;
use holdall::meta::keys;
use holdall::meta::records::Layout;
use holdall::meta::records::Object;
use holdall::server::check;
use holdall::server::check::Kind;
use holdall::server::check::Options;
use holdall::server::check::Report;
use holdall::server::check::Watch;
use holdall::sys::machine::Machine;
use tempfile::TempDir;

use crate::rig::Outcome;
use crate::rig::Rig;
use crate::rig::body;

pub const VOLUMES: usize = 3;
const COPIES: usize = 2;

/// Nobody looks.
pub struct Blind;

impl Watch for Blind {
    fn stage(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn read(&self, _: u64) {}
}

pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// A directory with three volumes.
pub struct Scene {
    pub directory: TempDir,
}

impl Scene {
    /// Something of everything: small, large, empty, of few parts and of many, copied, overwritten, deleted, and an upload
    /// that is open.
    pub fn new() -> Self {
        static TEMPLATE: OnceLock<TempDir> = OnceLock::new();
        let template = TEMPLATE.get_or_init(|| {
            let directory = tempfile::tempdir().unwrap();
            block_on(fill(directory.path())).unwrap();
            directory
        });
        let directory = tempfile::tempdir().unwrap();
        copy_tree(template.path(), directory.path());
        Self { directory }
    }

    pub fn config(&self) -> Config {
        let mut config = Config::defaults(&Machine::observe());
        config.memory.budget_bytes = 64 << 20;
        config.storage.volumes = (0..VOLUMES).map(|number| self.volume(number)).collect();
        config.storage.replicas = Some(COPIES);
        config
    }

    pub fn volume(&self, number: usize) -> PathBuf {
        self.directory.path().join(format!("disk{number}"))
    }

    pub fn try_check(&self, deep: bool) -> Result<Report, String> {
        let options = Options { deep, examples_max: 5 };
        check::run(&self.config(), options, &Blind).map_err(|error| error.to_string())
    }

    /// Kinds and numbers of what is found.
    pub fn found(&self, deep: bool) -> Vec<(Kind, u64)> {
        let report = self.try_check(deep).unwrap();
        let mut found: Vec<_> = report.findings.iter().map(|finding| (finding.kind, finding.count)).collect();
        found.sort();
        found
    }

    /// Checks that exactly this is found, whether or not every block is read.
    pub fn expect(&self, expected: &[(Kind, u64)]) {
        for deep in [false, true] {
            assert_eq!(self.found(deep), expected, "deep: {deep}; {:#?}", self.try_check(deep));
        }
    }

    pub fn rig(&self) -> Rig {
        block_on(Rig::open(self.directory.path(), VOLUMES as u8, COPIES, Durability::Strict)).unwrap()
    }

    /// Changes rows behind the store's back.
    pub fn write(&self, change: impl FnOnce(&Rig, &mut Transaction)) {
        let rig = self.rig();
        let mut transaction = Transaction::new();
        change(&rig, &mut transaction);
        rig.meta.commit(transaction).unwrap();
    }

    /// The blob of an object in one piece.
    pub fn blob(&self, key: &str) -> BlobId {
        blob(&self.rig(), key)
    }

    /// Where the copies of a blob are.
    pub fn copies(&self, blob: BlobId) -> Vec<PathBuf> {
        let path = |number| {
            let shard = format!("blobs/{:02x}", blob.as_bytes()[0]);
            self.volume(number).join(shard).join(blob.to_string())
        };
        (0..VOLUMES).map(path).filter(|path| path.exists()).collect()
    }

    /// Where copies of a blob could be and are not.
    pub fn elsewhere(&self, blob: BlobId) -> PathBuf {
        let there = self.copies(blob);
        let volume =
            (0..VOLUMES).find(|number| !there.iter().any(|copy| copy.starts_with(self.volume(*number))));
        let shard = format!("blobs/{:02x}", blob.as_bytes()[0]);
        self.volume(volume.unwrap()).join(shard).join(blob.to_string())
    }
}

pub fn row(rig: &Rig, key: &str) -> Key {
    keys::current(rig.bucket.record.id, key)
}

pub fn object(rig: &Rig, key: &str) -> Object {
    block_on(rig.object(key)).unwrap().unwrap().record
}

pub fn blob(rig: &Rig, key: &str) -> BlobId {
    match object(rig, key).body.layout {
        Layout::Blob(id) | Layout::Inline(id) | Layout::Manifest { id, .. } => id,
        layout => panic!("{key} is {layout:?}"),
    }
}

async fn fill(directory: &Path) -> Outcome<()> {
    let rig = Rig::open(directory, VOLUMES as u8, COPIES, Durability::Strict).await?;
    rig.put("empty", b"").await?;
    rig.put("small", &body(1, 2_000)).await?;
    rig.put("tiny\0 key", &body(2, 1)).await?;
    rig.put("large", &body(3, 200_000)).await?;
    rig.put("other", &body(4, 70_000)).await?;
    rig.copy("other", "copy").await?;
    for (key, parts) in [("few", vec![5_000, 100, 0]), ("many", [vec![3; 17], vec![6_000]].concat())] {
        let id = rig.begin(key).await?;
        for (number, length) in (1..).zip(parts) {
            assert!(rig.part(key, &id, number, &body(u64::from(number) + 100, length)).await?);
        }
        assert!(rig.complete(key, &id).await?);
    }
    rig.put("rewritten", &body(5, 9_000)).await?;
    rig.put("rewritten", &body(6, 9_000)).await?;
    rig.tidy_up().await?;
    // What jobs have not done yet is no damage.
    rig.put("deleted", &body(7, 9_000)).await?;
    rig.delete("deleted").await?;
    let open = rig.begin("open").await?;
    rig.part("open", &open, 3, &body(8, 9_000)).await?;
    rig.part("open", &open, 7, &body(9, 10)).await?;
    let aborted = rig.begin("aborted").await?;
    rig.part("aborted", &aborted, 1, &body(10, 9_000)).await?;
    rig.abort("aborted", &aborted).await?;
    Ok(())
}

pub fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_tree(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}
