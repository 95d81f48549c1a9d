//! What each endpoint of the API does.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use parking_lot::Mutex;
use serde::Serialize;

use super::Shown;
use super::body;
use super::control::Change;
use super::endpoints::Operation;
use super::judge;
use super::judge::Asked;
use super::judge::Cause;
use super::refusal::Kind;
use super::refusal::Refusal;
use super::wire;
use crate::base::VolumeId;
use crate::jobs::Command;
use crate::s3::date;

/// The longest path of a volume, in bytes: what Linux takes.
const PATH_BYTES_MAX: usize = 4095;

/// Changes of membership that were asked for since the server started.
pub(super) type Changes = Mutex<BTreeMap<VolumeId, Asked>>;

/// A request of the API that was let in, its body read.
pub(super) struct Call<'a> {
    pub shown: &'a Shown,
    pub operation: Operation,
    /// What stands in the path's braces.
    pub parameter: &'a str,
    pub query: &'a str,
    pub body: Vec<u8>,
}

impl<'a> Call<'a> {
    /// Takes the request apart.
    pub(super) fn new(
        shown: &'a Shown,
        request: &'a HttpRequest,
        operation: Operation,
        parameter: &'a str,
        body: Vec<u8>,
    ) -> Self {
        Self { shown, operation, parameter, query: request.uri().query().unwrap_or_default(), body }
    }

    /// Does what is asked.
    pub(super) async fn answer(&self) -> Result<HttpResponse, Refusal> {
        self.check_shape()?;
        match self.operation {
            Operation::Live | Operation::Ready | Operation::Metrics | Operation::Document => {
                Err(Refusal::new(Kind::Internal, "this page asks for no credentials"))
            }
            Operation::Status => self.status().await,
            Operation::Redundancy => Ok(json(StatusCode::OK, &self.shown.control.redundancy().await?)),
            Operation::ListVolumes => {
                Ok(json(StatusCode::OK, &wire::Volumes { volumes: self.volumes().await? }))
            }
            Operation::GetVolume => Ok(json(StatusCode::OK, &self.volume(&self.id()?.to_string()).await?)),
            Operation::AddVolume
            | Operation::RemoveVolume
            | Operation::DrainVolume
            | Operation::UndrainVolume
            | Operation::ReplaceVolume => self.change().await,
            Operation::ListJobs => Ok(json(StatusCode::OK, &wire::Jobs { jobs: self.shown.control.jobs()? })),
            Operation::GetJob => Ok(json(StatusCode::OK, &self.job()?)),
            Operation::StartJob => self.command(StatusCode::ACCEPTED, Command::Start),
            Operation::PauseJob => self.command(StatusCode::OK, Command::Pause),
            Operation::ResumeJob => self.command(StatusCode::OK, Command::Resume),
            Operation::SetJobRate => {
                let rate: wire::Rate = body::parse(&self.body)?;
                self.command(StatusCode::OK, Command::Rate(rate.bytes_per_second))
            }
        }
    }

    /// Nothing is obeyed by half: a parameter or a body that means nothing here is refused.
    fn check_shape(&self) -> Result<(), Refusal> {
        if !self.operation.takes_body() && !self.body.is_empty() {
            return Err(Refusal::invalid("this request takes no body"));
        }
        let takes_force = matches!(self.operation, Operation::RemoveVolume | Operation::DrainVolume);
        if !takes_force && !self.query.is_empty() {
            return Err(Refusal::invalid("this request takes no parameters"));
        }
        Ok(())
    }

    async fn status(&self) -> Result<HttpResponse, Refusal> {
        let redundancy = self.shown.control.redundancy().await?;
        let volumes = self.volumes().await?;
        let jobs = self.shown.control.jobs()?;
        let mut reasons = judge::reasons(&redundancy, &volumes, &jobs);
        reasons.extend(judge::short_of_metadata(&volumes, self.shown.control.metadata_replicas_max()));
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let healthy = reasons.is_empty();
        Ok(json(StatusCode::OK, &wire::Status { version, healthy, reasons, redundancy, volumes, jobs }))
    }

    async fn volumes(&self) -> Result<Vec<wire::Volume>, Refusal> {
        let mut volumes = self.shown.control.volumes().await?;
        let asked = self.shown.changes.lock().clone();
        let is_changing = |volume: &wire::Volume| volume.state == "draining";
        if asked.is_empty() && !volumes.iter().any(is_changing) {
            return Ok(volumes);
        }
        let redundancy = self.shown.control.redundancy().await?;
        let jobs = self.shown.control.jobs()?;
        for volume in &mut volumes {
            let asked = volume.id.parse().ok().and_then(|id: VolumeId| asked.get(&id));
            volume.progress = judge::progress(volume, asked, &jobs, &redundancy);
        }
        Ok(volumes)
    }

    async fn volume(&self, id: &str) -> Result<wire::Volume, Refusal> {
        let volumes = self.volumes().await?;
        volumes.into_iter().find(|volume| volume.id == id).ok_or_else(|| no_volume(id))
    }

    async fn change(&self) -> Result<HttpResponse, Refusal> {
        let (change, cause, status) = match self.operation {
            Operation::AddVolume => (Change::Add(self.place()?), Cause::Moved, StatusCode::CREATED),
            Operation::DrainVolume => {
                (Change::Drain(self.id()?, self.force()?), Cause::Moved, StatusCode::ACCEPTED)
            }
            Operation::UndrainVolume => (Change::Undrain(self.id()?), Cause::Moved, StatusCode::ACCEPTED),
            Operation::ReplaceVolume => {
                (Change::Replace(self.id()?, self.place()?), Cause::Replaced, StatusCode::ACCEPTED)
            }
            _ => (Change::Remove(self.id()?, self.force()?), Cause::Moved, StatusCode::NO_CONTENT),
        };
        let asked = Asked { cause, at: date::iso(self.shown.door.now()) };
        let control = Arc::clone(&self.shown.control);
        // On its own: a client that goes away must not leave a change half made.
        let changed = actix_web::rt::spawn(async move { control.change(change).await }).await;
        let lost =
            |_| Err(Refusal::new(Kind::Internal, "the change was cut off; look at the list of volumes"));
        let id = changed.unwrap_or_else(lost)?;
        if status == StatusCode::NO_CONTENT {
            self.shown.changes.lock().remove(&id);
            return Ok(HttpResponse::NoContent().finish());
        }
        self.shown.changes.lock().insert(id, asked);
        let mut response = json(status, &self.volume(&id.to_string()).await?);
        if let Ok(location) = header::HeaderValue::from_str(&format!("/admin/v1/volumes/{id}")) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        Ok(response)
    }

    fn job(&self) -> Result<wire::Job, Refusal> {
        let found = self.shown.control.jobs()?.into_iter().find(|job| job.name == self.parameter);
        found.ok_or_else(|| Refusal::unknown(format!("there is no job {:?}", self.parameter)))
    }

    fn command(&self, status: StatusCode, command: Command) -> Result<HttpResponse, Refusal> {
        self.job()?;
        self.shown.control.command(self.parameter, command)?;
        tracing::info!(job = self.parameter, ?command, "an operator commands");
        Ok(json(status, &self.job()?))
    }

    fn id(&self) -> Result<VolumeId, Refusal> {
        self.parameter.parse().map_err(|_| no_volume(self.parameter))
    }

    fn force(&self) -> Result<bool, Refusal> {
        match self.query {
            "" | "force=false" => Ok(false),
            "force=true" => Ok(true),
            _ => Err(Refusal::invalid("the one parameter is force, and it is true or false")),
        }
    }

    fn place(&self) -> Result<PathBuf, Refusal> {
        let wire::Place { path } = body::parse(&self.body)?;
        if !path.starts_with('/') || path.contains('\0') || path.len() > PATH_BYTES_MAX {
            return Err(Refusal::invalid("path must be an absolute path on the server's machine"));
        }
        Ok(PathBuf::from(path))
    }
}

fn no_volume(id: &str) -> Refusal {
    Refusal::unknown(format!("there is no volume {id:?} in this deployment"))
}

/// A document.
pub(super) fn json(status: StatusCode, document: &impl Serialize) -> HttpResponse {
    match serde_json::to_vec(document) {
        Ok(bytes) => HttpResponse::build(status)
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(bytes),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
