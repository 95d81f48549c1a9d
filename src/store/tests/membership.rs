//! Volumes that come, go, change places and are given up.

use std::path::Path;

use super::*;
use crate::volume::Roster;

#[expect(clippy::disallowed_methods, reason = "an operator moves disks about")]
fn rename(from: &Path, to: &Path) {
    std::fs::rename(from, to).unwrap();
}

fn lose(path: &Path) {
    std::fs::remove_dir_all(path).unwrap();
}

impl Fixture {
    fn root(&self, number: usize) -> PathBuf {
        self.directory.path().join(format!("disk{number}"))
    }

    fn status(&self, number: usize) -> VolumeStatus {
        let id = VolumeId::from_bytes([number as u8; 16]);
        self.store.volumes().into_iter().find(|volume| volume.id == id).unwrap()
    }

    async fn look(&self) {
        self.store.look_after_volumes().await.unwrap();
    }

    /// Part files of a directory, wherever it is.
    fn parts_in(&self, root: &Path) -> Vec<BlobId> {
        Volume::open(Arc::new(RealDisk), root).unwrap().list(None, 10_000).unwrap()
    }

    fn roster_in(&self, root: &Path) -> Roster {
        Roster::read(&RealDisk, root).unwrap().unwrap()
    }

    async fn put_many(&self, bucket: &Bucket, prefix: &str, count: usize) {
        for number in 0..count {
            self.put(bucket, &format!("{prefix}{number}"), &body(number as u64, 40_000)).await;
        }
    }
}

#[tokio::test]
async fn a_new_volume_takes_copies_and_survives_a_restart() {
    let fixture = Fixture::new(2, 2);
    let bucket = fixture.bucket("bucket").await;
    let path = fixture.directory.path().join("new/disk");
    let mut changes = fixture.store.membership_changes();
    let started = fixture.store.volumes()[0].since;
    let id = fixture.store.add_volume(&path).await.unwrap();
    assert!(changes.has_changed().unwrap());
    let added = fixture.store.volumes().into_iter().find(|volume| volume.id == id).unwrap();
    assert!(added.since > started, "it came later than the server started");
    changes.mark_unchanged();
    fixture.put_many(&bucket, "k", 12).await;
    assert!(!fixture.parts_in(&path).is_empty(), "of 12 blobs on three volumes none came to the new one");
    for number in 0..2 {
        let roster = fixture.roster_in(&fixture.root(number));
        assert_eq!(roster.revision, 2);
        assert_eq!(roster.member(id).unwrap().path, path);
    }
    assert_eq!(fixture.roster_in(&path), fixture.roster_in(&fixture.root(0)));
    let status = fixture.store.volumes();
    assert_eq!((status.len(), status[2].id, status[2].health), (3, id, VolumeHealth::Healthy));
    for number in 0..12 {
        assert!(fixture.get(&bucket, &format!("k{number}")).await.unwrap() == body(number, 40_000));
    }
}

#[tokio::test]
async fn what_cannot_become_a_volume_is_refused_and_left_alone() {
    let fixture = Fixture::new(2, 2);
    let top = fixture.directory.path();
    std::fs::create_dir_all(top.join("home/thesis")).unwrap();
    let other = Identity {
        volume_id: VolumeId::from_bytes([77; 16]),
        deployment_id: DeploymentId::from_bytes([78; 16]),
        created: Timestamp::from_secs(1),
    };
    Volume::format(Arc::new(RealDisk), &top.join("other"), other).unwrap();
    let cases = [
        (top.join("home"), "thesis"),
        (top.join("other"), "already"),
        (fixture.root(1), "is there"),
        (fixture.root(1).join("inside"), "lies within"),
        (top.to_owned(), "lies within it"),
    ];
    for (path, part) in cases {
        let refused = fixture.store.add_volume(&path).await.unwrap_err();
        assert!(
            matches!(refused, MembershipError::Path { .. }) && refused.to_string().contains(part),
            "{refused}"
        );
    }
    assert!(!fixture.root(1).join("inside").exists());
    assert_eq!(fixture.store.volumes().len(), 2);
}

/// A volume that a change had formatted before it failed can be added again.
#[tokio::test]
async fn an_addition_that_was_cut_off_can_be_repeated() {
    let fixture = Fixture::new(1, 1);
    let path = fixture.directory.path().join("new");
    let identity = Identity {
        volume_id: VolumeId::from_bytes([77; 16]),
        deployment_id: DeploymentId::from_bytes([9; 16]),
        created: Timestamp::from_secs(1),
    };
    Volume::format(Arc::new(RealDisk), &path, identity).unwrap();
    assert_eq!(fixture.store.add_volume(&path).await.unwrap(), VolumeId::from_bytes([77; 16]));
}

#[tokio::test]
async fn a_drained_volume_takes_no_copies_and_can_go_when_it_is_empty() {
    let fixture = Fixture::new(3, 2);
    let bucket = fixture.bucket("bucket").await;
    fixture.put_many(&bucket, "old", 9).await;
    let (id, root) = (VolumeId::from_bytes([2; 16]), fixture.root(2));
    let held = fixture.parts_in(&root).len();
    assert!(held > 0);
    let refused = fixture.store.remove_volume(id, false).await.unwrap_err();
    assert!(matches!(refused, MembershipError::Active(_)), "{refused}");
    let refused = fixture.store.remove_volume(id, true).await.unwrap_err();
    assert!(matches!(refused, MembershipError::Answers(_)), "{refused}");
    fixture.store.drain_volume(id, false).await.unwrap();
    assert_eq!(fixture.status(2).state, VolumeState::Draining);
    fixture.put_many(&bucket, "new", 9).await;
    assert_eq!(fixture.parts_in(&root).len(), held);
    // What it has is read still.
    for number in 0..9 {
        assert!(fixture.get(&bucket, &format!("old{number}")).await.unwrap() == body(number, 40_000));
    }
    assert!(fixture.repairs().is_empty());
    let refused = fixture.store.remove_volume(id, false).await.unwrap_err();
    assert!(matches!(refused, MembershipError::Needed { .. }), "{refused}");
    // As if its copies had moved.
    for blob in fixture.parts_in(&root) {
        let shard = format!("blobs/{:02x}/{blob}", blob.as_bytes()[0]);
        let to = (0..2).map(|number| fixture.root(number).join(&shard)).find(|path| !path.exists()).unwrap();
        rename(&root.join(&shard), &to);
    }
    fixture.store.remove_volume(id, false).await.unwrap();
    assert_eq!(fixture.store.volumes().len(), 2);
    assert_eq!(fixture.roster_in(&fixture.root(0)).member(id).unwrap().state, VolumeState::Removed);
    let refused = fixture.store.undrain_volume(id).await.unwrap_err();
    assert!(matches!(refused, MembershipError::Unknown(_)));
}

#[tokio::test]
async fn copies_keep_their_places() {
    let fixture = Fixture::new(2, 2);
    let refused = fixture.store.drain_volume(VolumeId::from_bytes([1; 16]), false).await.unwrap_err();
    assert!(matches!(refused, MembershipError::TooFewLeft { active: 1, replicas: 2 }), "{refused}");
    assert_eq!(fixture.status(1).state, VolumeState::Active);
    let refused = fixture.store.drain_volume(VolumeId::from_bytes([50; 16]), false).await.unwrap_err();
    assert!(matches!(refused, MembershipError::Unknown(_)));
}

/// A disk that vanishes is absent, nothing is written to its place, and it is used again when it is back.
#[tokio::test]
async fn a_volume_may_vanish_and_come_back() {
    let fixture = Fixture::new(3, 3);
    let bucket = fixture.bucket("bucket").await;
    fixture.put(&bucket, "before", &body(1, LARGE)).await;
    let (root, away) = (fixture.root(1), fixture.directory.path().join("away"));
    rename(&root, &away);
    std::fs::create_dir(&root).unwrap();
    fixture.look().await;
    assert_eq!(fixture.status(1).health, VolumeHealth::Absent);
    assert!(fixture.status(1).reason.unwrap().contains("mounted"));
    fixture.put(&bucket, "meanwhile", &body(2, LARGE)).await;
    assert!(fixture.get(&bucket, "before").await.unwrap() == body(1, LARGE));
    assert_eq!(fixture.repairs().len(), 1, "the copy that is missing is written down");
    fixture.look().await;
    assert_eq!(std::fs::read_dir(&root).unwrap().count(), 0, "something was written below the mount");
    std::fs::remove_dir(&root).unwrap();
    rename(&away, &root);
    let mut changes = fixture.store.membership_changes();
    fixture.look().await;
    assert_eq!(fixture.status(1).health, VolumeHealth::Healthy);
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    fixture.put(&bucket, "after", &body(3, LARGE)).await;
    assert_eq!(fixture.parts_in(&root).len(), 2);
}

/// Whatever else is at the place of an absent volume is left alone.
#[tokio::test]
async fn a_foreign_or_swapped_disk_is_recognised() {
    let fixture = Fixture::new(3, 3);
    let (root, away) = (fixture.root(2), fixture.directory.path().join("away"));
    rename(&root, &away);
    fixture.look().await;
    for (volume, deployment, part) in [(2, 8, "another deployment"), (40, 9, "another volume")] {
        let identity = Identity {
            volume_id: VolumeId::from_bytes([volume; 16]),
            deployment_id: DeploymentId::from_bytes([deployment; 16]),
            created: Timestamp::from_secs(1),
        };
        Volume::format(Arc::new(RealDisk), &root, identity).unwrap();
        fixture.look().await;
        let status = fixture.status(2);
        assert_eq!(status.health, VolumeHealth::Absent);
        assert!(status.reason.as_ref().unwrap().contains(part), "{status:?}");
        assert!(!root.join("lock").exists() && !root.join("holdall-roster.json").exists());
        lose(&root);
    }
    // Also when it changes places with another one while the server runs.
    rename(&away, &root);
    fixture.look().await;
    assert_eq!(fixture.status(2).health, VolumeHealth::Healthy);
    rename(&root, &away);
    rename(&fixture.root(1), &root);
    rename(&away, &fixture.root(1));
    fixture.look().await;
    assert_eq!(fixture.status(1).health, VolumeHealth::Absent);
    assert_eq!(fixture.status(2).health, VolumeHealth::Absent);
    assert!(fixture.status(2).reason.unwrap().contains("another volume"));
}

#[tokio::test]
async fn a_lost_volume_is_replaced_at_its_own_path() {
    let fixture = Fixture::new(3, 2);
    let bucket = fixture.bucket("bucket").await;
    fixture.put_many(&bucket, "k", 9).await;
    let (old, root) = (VolumeId::from_bytes([2; 16]), fixture.root(2));
    let before: Vec<BlobId> = fixture.parts_in(&root);
    lose(&root);
    fixture.look().await;
    let refused = fixture.store.remove_volume(old, false).await.unwrap_err();
    assert!(matches!(refused, MembershipError::Silent(_)), "{refused}");
    let new = fixture.store.replace_volume(old, &root).await.unwrap();
    assert_ne!(new, old);
    // What was at home on the old one is at home on the new one, and nothing else moves.
    let members = fixture.store.parts.members();
    for blob in before {
        assert!(members.order(blob).take(2).any(|slot| slot.id() == new));
    }
    // A majority has the roster; the others get it now.
    fixture.look().await;
    let roster = fixture.roster_in(&root);
    assert_eq!(roster.member(old).unwrap().state, VolumeState::Removed);
    assert_eq!(roster.member(new).unwrap().place, old);
    assert_eq!(fixture.store.volumes()[2].health, VolumeHealth::Healthy);
    for number in 0..9 {
        assert!(fixture.get(&bucket, &format!("k{number}")).await.unwrap() == body(number, 40_000));
    }
}

#[tokio::test]
async fn a_volume_that_is_there_is_replaced_by_draining_it() {
    let fixture = Fixture::new(3, 2);
    let old = VolumeId::from_bytes([2; 16]);
    let refused = fixture.store.replace_volume(old, &fixture.root(2)).await.unwrap_err();
    assert!(refused.to_string().contains("is there"), "{refused}");
    let new = fixture.store.replace_volume(old, &fixture.directory.path().join("new")).await.unwrap();
    assert_eq!(fixture.status(2).state, VolumeState::Draining);
    assert_eq!(fixture.store.volumes()[3].id, new);
    fixture.store.undrain_volume(old).await.unwrap();
    // Both have points now.
    let members = fixture.store.parts.members();
    assert_eq!(members.order(BlobId::from_bytes([1; 16])).count(), 4);
}

#[tokio::test]
async fn an_absent_volume_can_be_given_up() {
    let fixture = Fixture::new(3, 2);
    let id = VolumeId::from_bytes([2; 16]);
    let away = fixture.directory.path().join("away");
    rename(&fixture.root(2), &away);
    fixture.look().await;
    fixture.store.remove_volume(id, true).await.unwrap();
    rename(&away, &fixture.root(2));
    fixture.look().await;
    assert_eq!(fixture.store.volume_ids().len(), 2, "it came back on its own");
    let refused = fixture.store.add_volume(&fixture.root(2)).await.unwrap_err();
    assert!(refused.to_string().contains("already"), "{refused}");
}

/// Half of the volumes are no majority: nothing changes, also not at the next start.
#[tokio::test]
async fn a_change_without_a_majority_is_refused() {
    let fixture = Fixture::new(4, 2);
    for number in 2..4 {
        rename(&fixture.root(number), &fixture.directory.path().join(format!("away{number}")));
    }
    fixture.look().await;
    let refused = fixture.store.drain_volume(VolumeId::from_bytes([1; 16]), false).await.unwrap_err();
    assert!(matches!(refused, MembershipError::TooFew { acks: 2, members: 4, needed: 3 }), "{refused}");
    assert_eq!(fixture.status(1).state, VolumeState::Active);
    let roster = fixture.roster_in(&fixture.root(0));
    assert!(roster.belonging().all(|member| member.state == VolumeState::Active), "{roster:?}");
    for number in 2..4 {
        rename(&fixture.directory.path().join(format!("away{number}")), &fixture.root(number));
    }
    fixture.look().await;
    fixture.store.drain_volume(VolumeId::from_bytes([1; 16]), false).await.unwrap();
    assert_eq!(fixture.roster_in(&fixture.root(0)).revision, fixture.roster_in(&fixture.root(3)).revision);
}

/// Copies follow the volumes when nobody chose their number; and what is away for long is out until it is back.
#[tokio::test]
async fn the_number_of_copies_grows_and_absent_volumes_go_out() {
    let Fixture { store, volumes, meta, directory, .. } = Fixture::new(1, 1);
    drop(store);
    let metrics = Arc::new(Metrics::new().unwrap());
    let machine = Machine { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy), metrics };
    let settings =
        Settings { replicas: 3, inline_limit: 32 << 10, upload_memory_bytes: 64 << 20, threads: 2 };
    let out_after = std::time::Duration::ZERO;
    let found = Found { is_fixed: false, out_after, ..Found::from(volumes.clone()) };
    let store = Arc::new(Store::new(meta.clone(), found, machine, settings).unwrap());
    let fixture = Fixture { store, volumes, meta, directory, replicas: 3 };
    for number in 1..5 {
        assert_eq!(fixture.store.parts.members().replicas(), number.min(3));
        fixture.store.add_volume(&fixture.root(number)).await.unwrap();
    }
    let bucket = fixture.bucket("bucket").await;
    rename(&fixture.root(4), &fixture.directory.path().join("away"));
    fixture.look().await;
    assert!(fixture.store.volumes()[4].is_out);
    fixture.put_many(&bucket, "k", 20).await;
    assert!(fixture.repairs().is_empty(), "the others are its home now");
    assert_eq!(fixture.store.parts.members().order(BlobId::from_bytes([1; 16])).count(), 4);
    rename(&fixture.directory.path().join("away"), &fixture.root(4));
    fixture.look().await;
    assert!(!fixture.store.volumes()[4].is_out);
    assert_eq!(fixture.store.parts.members().order(BlobId::from_bytes([1; 16])).count(), 5);
}

/// Where the number of copies follows the volumes, draining most of them must not lower it unasked.
#[tokio::test]
async fn a_drain_that_leaves_fewer_copies_is_refused_without_force() {
    let Fixture { store, volumes, meta, directory, .. } = Fixture::new(4, 1);
    drop(store);
    let metrics = Arc::new(Metrics::new().unwrap());
    let machine = Machine { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy), metrics };
    let settings =
        Settings { replicas: 3, inline_limit: 32 << 10, upload_memory_bytes: 64 << 20, threads: 2 };
    let found = Found { is_fixed: false, ..Found::from(volumes.clone()) };
    let store = Arc::new(Store::new(meta.clone(), found, machine, settings).unwrap());
    let fixture = Fixture { store, volumes, meta, directory, replicas: 3 };
    let ids = fixture.store.volume_ids();
    let copies = || fixture.store.parts.members().replicas();
    fixture.store.drain_volume(ids[3], false).await.unwrap();
    assert_eq!(copies(), 3);
    let refused = fixture.store.drain_volume(ids[2], false).await.unwrap_err();
    assert!(matches!(refused, MembershipError::FewerCopies { active: 2, now: 3, then: 2 }), "{refused}");
    assert_eq!((fixture.status(2).state, copies()), (VolumeState::Active, 3));
    // What is drained already lowers nothing, and leaves no fewer when it goes.
    fixture.store.drain_volume(ids[3], false).await.unwrap();
    fixture.store.remove_volume(ids[3], false).await.unwrap();
    assert_eq!(copies(), 3);
    fixture.store.drain_volume(ids[2], true).await.unwrap();
    assert_eq!(copies(), 2);
    fixture.store.undrain_volume(ids[2]).await.unwrap();
    // With another volume it goes without.
    fixture.store.add_volume(&fixture.directory.path().join("new")).await.unwrap();
    fixture.store.drain_volume(ids[2], false).await.unwrap();
    assert_eq!(copies(), 3);
}
