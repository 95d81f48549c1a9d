//! What can be found wrong: each kind with how bad it is, and what the server does about it by itself.

use std::collections::BTreeMap;

use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Bytes or rows are gone, or will be.
    Loss,
    /// All is there, in fewer copies than there should be.
    Degraded,
    /// Space is taken by what nobody can reach.
    Leak,
    /// Neither bytes nor space: a row that is not exact.
    Cosmetic,
}

impl Severity {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Degraded => "degraded",
            Self::Leak => "leak",
            Self::Cosmetic => "cosmetic",
        }
    }
}

macro_rules! kinds {
    ($($kind:ident $severity:ident $what:literal, $remedy:literal;)*) => {
        /// What was found. The worst come first.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind { $(#[doc = $what] $kind,)* }

        impl Kind {
            /// How bad it is.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$kind => Severity::$severity,)* }
            }

            /// What it is, in words.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$kind => $what,)* }
            }

            /// What the server does about it by itself, or what an operator can do.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$kind => $remedy,)* }
            }
        }
    };
}

kinds! {
    BlobLost Loss "no good copy of a blob that rows name",
        "nothing: restore the object from a backup, or bring back a disk that holds a copy";
    BlobOther Loss "a blob is not what its row says",
        "nothing: reads of the object fail or end early; restore it from a backup";
    InlineLost Loss "an inline body or list of parts is gone",
        "nothing: restore the object from a backup";
    InlineDamaged Loss "an inline body or list of parts is damaged",
        "another metadata replica may still be good; otherwise restore the object from a backup";
    InlineOther Loss "an inline body is not what its row says",
        "nothing: restore the object from a backup";
    RowDamaged Loss "a row cannot be read",
        "another metadata replica may still be good; otherwise restore the object from a backup";
    ObjectWrong Loss "a row of an object contradicts itself",
        "nothing: reads of the object may fail; please report it, it is a defect";
    ReferenceMissing Loss "a row names a blob without a reference",
        "the sweep would take the blob for an orphan: do not start the server, and report it, it is a defect";
    BucketUncounted Loss "a bucket without counters",
        "nothing: writes into the bucket are refused; report it, it is a defect";
    VolumeAbsent Degraded "a volume is not there",
        "its copies are made anew elsewhere when it stays away; mount its disk, or replace the volume";
    VolumeUnreadable Degraded "a directory of a volume cannot be read",
        "its copies are made anew elsewhere; look at the disk";
    ReplicaDamaged Degraded "a metadata replica cannot be read",
        "it is built anew from a sound one while the server runs";
    ReplicaDiverged Degraded "a metadata replica went another way than the others",
        "it is built anew from a sound one while the server runs";
    ReplicaBehind Degraded "a metadata replica is behind",
        "it catches up when the server starts";
    ReplicaDiffers Degraded "a metadata replica has other rows at the same commit",
        "nothing: move its directory meta away, and the server builds it anew";
    BlobShort Degraded "a blob has fewer good copies than it should, and is queued for repair",
        "the repair job copies it";
    BlobShortUnknown Degraded "a blob has fewer good copies than it should, and nobody knows it yet",
        "the next census or scrub finds it, and the repair job copies it";
    CopyBad Degraded "a copy is damaged or cannot be read",
        "the scrub, or the next read, finds it; it is replaced from a good copy";
    CopiesDiffer Degraded "good copies of a blob differ from each other",
        "nothing: compare them with the object's ETag, and remove the wrong one";
    Orphan Leak "a part file that no row names",
        "the sweep removes it when it is a day old";
    ReferenceStray Leak "a reference of a row that does not name the blob",
        "nothing: the blob is never given back; report it, it is a defect";
    InlineStray Leak "inline bodies that no row names",
        "nothing: they take room in the metadata; report it, it is a defect";
    PartStray Leak "a part of an upload that does not exist",
        "nothing: its bytes are never given back; report it, it is a defect";
    UploadStray Leak "an upload whose bucket was deleted, or that has ended and still holds parts",
        "the sweep gives its parts back";
    ObjectStray Leak "an object in a bucket that does not exist",
        "nothing: nobody can reach it; report it, it is a defect";
    UsageWrong Cosmetic "counters of a bucket are not exact",
        "nothing: the numbers shown are wrong; report it, it is a defect";
    UsageStray Cosmetic "counters of a bucket that does not exist",
        "nothing; it does no harm";
    RepairStale Cosmetic "a blob is queued for repair that needs none",
        "the repair job drops the row";
    CopySurplus Cosmetic "a blob has more copies than it should",
        "the rebalance job removes those that are not at home";
    OwnerUnreadable Cosmetic "a part file does not say whose it is",
        "nothing; only a rebuild of lost metadata would miss it";
    RowUnknown Cosmetic "a row of a kind that this release does not write",
        "nothing; a later release may have written it";
    Stranger Cosmetic "a file among the part files that is none",
        "nothing: it is never read or removed";
}

/// Findings, counted by kind, with the first few of each in words.
pub(super) struct Findings {
    examples_max: usize,
    groups: BTreeMap<Kind, Group>,
}

/// All findings of one kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub(super) count: u64,
    pub(super) examples: Vec<String>,
}

impl Findings {
    pub(super) fn new(examples_max: usize) -> Self {
        Self { examples_max, groups: BTreeMap::new() }
    }

    /// Adds one; it is put into words only when it will be shown.
    pub(super) fn add(&mut self, kind: Kind, example: impl FnOnce() -> String) {
        let group = self.groups.entry(kind).or_default();
        group.count += 1;
        if group.examples.len() < self.examples_max {
            group.examples.push(example());
        }
    }

    /// Adds some that are known by number alone.
    pub(super) fn add_unnamed(&mut self, kind: Kind, count: u64) {
        if count > 0 {
            self.groups.entry(kind).or_default().count += count;
        }
    }

    /// Takes those of another collection.
    pub(super) fn merge(&mut self, other: Findings) {
        for (kind, group) in other.groups {
            let mine = self.groups.entry(kind).or_default();
            mine.count += group.count;
            let room = self.examples_max.saturating_sub(mine.examples.len());
            mine.examples.extend(group.examples.into_iter().take(room));
        }
    }

    pub(super) fn count(&self, kind: Kind) -> u64 {
        self.groups.get(&kind).map_or(0, |group| group.count)
    }

    pub(super) fn into_groups(self) -> BTreeMap<Kind, Group> {
        self.groups
    }
}
