//! Where data lives, and the work that looks after it.

use std::path::PathBuf;
use std::time::Duration;

use super::Config;
use super::braces;
use super::given::Given;

/// Copies of each part when nobody chose: enough to lose a disk and still have a majority.
const REPLICAS_DEFAULT_MAX: usize = 3;

/// Where data lives, and in how many copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Directories, each on a disk of its own; `./data`. `{1...4}` in a path has been expanded.
    pub volumes: Vec<PathBuf>,
    /// Copies of each part; unset for the smaller of 3 and the number of volumes at any time. Read it through
    /// [`Storage::copies`].
    pub replicas: Option<usize>,
    /// Whether a write is acknowledged only when it would survive a power cut; true. Otherwise the last seconds
    /// before one may be lost.
    pub strict: bool,
    /// Bodies up to this many bytes live with their metadata, 0 to 256 KiB; 32 KiB.
    pub inline_limit: usize,
    /// How long a volume may be away before its copies are made elsewhere, 10 s to 30 days; 10 minutes.
    pub volume_out_after: Duration,
}

impl Storage {
    /// Copies of each part when there are volumes enough.
    pub fn copies(&self) -> usize {
        self.replicas.unwrap_or(REPLICAS_DEFAULT_MAX)
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            volumes: vec![PathBuf::from("./data")],
            replicas: None,
            strict: true,
            inline_limit: 32 << 10,
            volume_out_after: Duration::from_secs(600),
        }
    }
}

/// Background work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jobs {
    /// Rest between two searches for part files that a crash left behind, 1 minute to 30 days; 6 h.
    pub sweep_interval: Duration,
    /// In which time every copy is read and verified, 1 hour to 1 year; 7 d.
    pub scrub_interval: Duration,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            sweep_interval: Duration::from_secs(6 * 3600),
            scrub_interval: Duration::from_secs(7 * 86_400),
        }
    }
}

/// The volumes, with every range in their paths written out. A malformed range is left to [`super::load`], which can
/// say what is wrong with it.
pub(super) fn apply_volumes(config: &mut Config, given: &Given) -> Option<()> {
    let mut volumes = Vec::new();
    for text in given.list() {
        volumes.extend(braces::expand(text).ok()?.into_iter().map(PathBuf::from));
    }
    let usable = !volumes.is_empty() && volumes.iter().all(|path| !path.as_os_str().is_empty());
    usable.then(|| config.storage.volumes = volumes)
}
