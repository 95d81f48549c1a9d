//! What the admin API sees and changes: the store and the jobs, in the words of its documents.

use std::sync::Arc;
use std::sync::Weak;

use crate::admin;
use crate::admin::Answer;
use crate::admin::Change;
use crate::admin::Kind;
use crate::admin::Refusal;
use crate::admin::wire;
use crate::auth::Key;
use crate::auth::Keys;
use crate::auth::Secret;
use crate::base::Identity;
use crate::base::Timestamp;
use crate::base::VolumeId;
use crate::jobs::Board;
use crate::jobs::Command;
use crate::jobs::JobStatus;
use crate::meta::ReplicaStatus;
use crate::meta::Role;
use crate::s3::date;
use crate::store;
use crate::store::MembershipError;
use crate::store::Store;
use crate::store::VolumeStatus;
use crate::volume::VOTERS_MAX;

/// The store and the jobs of a running server.
pub(super) struct Control {
    /// The listener must not keep the store open: its threads end after the store is closed.
    store: Weak<Store>,
    board: Arc<Board>,
}

impl Control {
    pub(super) fn new(store: &Arc<Store>, board: Arc<Board>) -> Self {
        Self { store: Arc::downgrade(store), board }
    }

    fn store(&self) -> Result<Arc<Store>, Refusal> {
        self.store.upgrade().ok_or_else(|| Refusal::new(Kind::Unavailable, "the server is stopping"))
    }
}

impl admin::Control for Control {
    fn volumes(&self) -> Answer<'_, Vec<wire::Volume>> {
        Box::pin(async { Ok(self.store()?.volumes().into_iter().map(volume_document).collect()) })
    }

    fn redundancy(&self) -> Answer<'_, wire::Redundancy> {
        Box::pin(async {
            let redundancy = self.store()?.redundancy().await;
            redundancy.map(redundancy_document).map_err(|error| store_refusal(&error))
        })
    }

    fn metadata_replicas_max(&self) -> usize {
        VOTERS_MAX
    }

    fn jobs(&self) -> Result<Vec<wire::Job>, Refusal> {
        Ok(self.board.list().into_iter().map(job_document).collect())
    }

    fn command(&self, job: &str, command: Command) -> Result<(), Refusal> {
        self.board.command(job, command).map_err(|error| Refusal::new(Kind::Unknown, error.to_string()))
    }

    fn change(&self, change: Change) -> Answer<'_, VolumeId> {
        Box::pin(async move {
            let store = self.store()?;
            let changed = match change {
                Change::Add(path) => store.add_volume(&path).await,
                Change::Drain(id, force) => store.drain_volume(id, force).await.map(|()| id),
                Change::Undrain(id) => store.undrain_volume(id).await.map(|()| id),
                Change::Remove(id, force) => store.remove_volume(id, force).await.map(|()| id),
                Change::Replace(id, path) => store.replace_volume(id, &path).await,
            };
            changed.map_err(|error| membership_refusal(&error))
        })
    }
}

fn membership_refusal(error: &MembershipError) -> Refusal {
    let kind = match error {
        MembershipError::Unknown(_) => Kind::Unknown,
        MembershipError::Path { .. }
        | MembershipError::Needed { .. }
        | MembershipError::Active(_)
        | MembershipError::Silent(_)
        | MembershipError::Answers(_)
        | MembershipError::TooFewLeft { .. }
        | MembershipError::FewerCopies { .. }
        | MembershipError::Metadata(_)
        | MembershipError::TooFew { .. } => Kind::Conflict,
        MembershipError::Store(error) => return store_refusal(error),
    };
    Refusal::new(kind, error.to_string())
}

fn store_refusal(error: &store::Error) -> Refusal {
    let kind = match error {
        store::Error::Unavailable { .. } | store::Error::Overloaded | store::Error::NoSpace => {
            Kind::Unavailable
        }
        _ => Kind::Internal,
    };
    Refusal::new(kind, error.to_string())
}

fn optional(at: Option<Timestamp>) -> Option<String> {
    at.map(date::iso)
}

fn volume_document(status: VolumeStatus) -> wire::Volume {
    wire::Volume {
        id: status.id.to_string(),
        path: status.path.display().to_string(),
        state: status.state.name().to_owned(),
        health: status.health.name().to_owned(),
        since: Some(date::iso(status.since)),
        reason: status.reason,
        replaced_elsewhere: status.is_out,
        capacity_bytes: status.capacity_bytes,
        available_bytes: status.available_bytes,
        metadata: status.metadata.map(replica_document),
        progress: None,
    }
}

fn replica_document(status: ReplicaStatus) -> wire::Replica {
    let mut replica = wire::Replica {
        role: String::new(),
        voter: status.voter,
        commit: status.commit,
        behind: None,
        done_bytes: None,
        total_bytes: None,
        reason: None,
    };
    let role = match status.role {
        Role::Leader => "leader",
        Role::Follower => "follower",
        Role::Lagging { behind } => {
            replica.behind = Some(behind);
            "lagging"
        }
        Role::Rebuilding { done_bytes, total_bytes } => {
            (replica.done_bytes, replica.total_bytes) = (Some(done_bytes), Some(total_bytes));
            "rebuilding"
        }
        Role::Failed { reason } => {
            replica.reason = Some(reason);
            "failed"
        }
        Role::Absent => "absent",
    };
    role.clone_into(&mut replica.role);
    replica
}

fn job_document(status: JobStatus) -> wire::Job {
    wire::Job {
        name: status.name.to_owned(),
        state: status.state.name().to_owned(),
        rate_bytes_per_second: status.rate_bytes_per_second,
        done_bytes: status.done_bytes,
        total_bytes: status.total_bytes,
        done_items: status.done_items,
        total_items: status.total_items,
        started: optional(status.started),
        eta_seconds: status.eta_seconds,
        last_finished: optional(status.last_finished),
        last_error: status.last_error,
    }
}

fn redundancy_document(redundancy: store::Redundancy) -> wire::Redundancy {
    wire::Redundancy {
        replicas: redundancy.replicas as u64,
        queued: redundancy.queued(),
        blobs_by_copies: redundancy.blobs_by_copies,
        queue_by_missing: redundancy.queue_by_missing,
        lost: redundancy.lost,
        misplaced_copies: redundancy.misplaced_copies,
        quarantined_files: redundancy.quarantined_files,
        last_census: optional(redundancy.last_census),
        last_scrub: redundancy.last_scrub.map(|scrub| wire::Scrub {
            began: date::iso(scrub.began),
            ended: date::iso(scrub.ended),
            files: scrub.files,
            bytes: scrub.bytes,
            bad: scrub.bad,
            unread: scrub.unread,
        }),
    }
}

/// The one key there is.
pub(super) struct RootKey {
    pub(super) access_key: String,
    pub(super) secret_key: Secret,
}

impl Keys for RootKey {
    fn find(&self, access_key: &str) -> Option<Key> {
        (access_key == self.access_key).then(|| Key {
            secret: self.secret_key.clone(),
            identity: Identity::Root { access_key: self.access_key.clone() },
        })
    }
}
