//! What can be asked for: one table, which `docs/openapi.json` describes (a test compares the two), and the search in
//! it. Pure.

/// What an endpoint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Live,
    Ready,
    Metrics,
    Document,
    Status,
    Redundancy,
    ListVolumes,
    AddVolume,
    GetVolume,
    RemoveVolume,
    DrainVolume,
    UndrainVolume,
    ReplaceVolume,
    ListJobs,
    GetJob,
    StartJob,
    PauseJob,
    ResumeJob,
    SetJobRate,
}

impl Operation {
    /// Whether it shows nothing of what is stored and changes nothing, and so asks for no credentials.
    pub(super) const fn is_open(self) -> bool {
        matches!(self, Self::Live | Self::Ready | Self::Metrics | Self::Document)
    }

    /// Whether it takes a JSON document.
    pub(super) const fn takes_body(self) -> bool {
        matches!(self, Self::AddVolume | Self::ReplaceVolume | Self::SetJobRate)
    }
}

/// A method on a path. A segment in braces stands for any text.
pub(super) struct Endpoint {
    pub method: &'static str,
    pub path: &'static str,
    pub operation: Operation,
}

const fn endpoint(method: &'static str, path: &'static str, operation: Operation) -> Endpoint {
    Endpoint { method, path, operation }
}

/// Every endpoint there is. HEAD is taken wherever GET is.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    endpoint("GET", "/health/live", Operation::Live),
    endpoint("GET", "/health/ready", Operation::Ready),
    endpoint("GET", "/metrics", Operation::Metrics),
    endpoint("GET", "/admin/v1/openapi.json", Operation::Document),
    endpoint("GET", "/admin/v1/status", Operation::Status),
    endpoint("GET", "/admin/v1/redundancy", Operation::Redundancy),
    endpoint("GET", "/admin/v1/volumes", Operation::ListVolumes),
    endpoint("POST", "/admin/v1/volumes", Operation::AddVolume),
    endpoint("GET", "/admin/v1/volumes/{id}", Operation::GetVolume),
    endpoint("DELETE", "/admin/v1/volumes/{id}", Operation::RemoveVolume),
    endpoint("POST", "/admin/v1/volumes/{id}/drain", Operation::DrainVolume),
    endpoint("POST", "/admin/v1/volumes/{id}/undrain", Operation::UndrainVolume),
    endpoint("POST", "/admin/v1/volumes/{id}/replace", Operation::ReplaceVolume),
    endpoint("GET", "/admin/v1/jobs", Operation::ListJobs),
    endpoint("GET", "/admin/v1/jobs/{name}", Operation::GetJob),
    endpoint("POST", "/admin/v1/jobs/{name}/start", Operation::StartJob),
    endpoint("POST", "/admin/v1/jobs/{name}/pause", Operation::PauseJob),
    endpoint("POST", "/admin/v1/jobs/{name}/resume", Operation::ResumeJob),
    endpoint("PUT", "/admin/v1/jobs/{name}/rate", Operation::SetJobRate),
];

/// What a path and a method lead to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// An operation, and the text that stands in the path's braces.
    Operation(Operation, &'a str),
    /// The path takes these methods only, as the header Allow lists them.
    WrongMethod(String),
    /// Nothing.
    Nothing,
}

/// Looks up a request. `path` is as sent: what would have to be decoded is no name of ours.
pub(super) fn find<'a>(method: &str, path: &'a str) -> Found<'a> {
    let method = if method == "HEAD" { "GET" } else { method };
    let mut allowed = Vec::new();
    for endpoint in ENDPOINTS {
        let Some(parameter) = fits(endpoint.path, path) else { continue };
        if endpoint.method == method {
            return Found::Operation(endpoint.operation, parameter);
        }
        allowed.push(if endpoint.method == "GET" { "GET, HEAD" } else { endpoint.method });
    }
    if allowed.is_empty() { Found::Nothing } else { Found::WrongMethod(allowed.join(", ")) }
}

/// The text in the place of the braces when the path has the form of the template; empty when there are none.
fn fits<'a>(template: &str, path: &'a str) -> Option<&'a str> {
    let (mut expected, mut given) = (template.split('/'), path.split('/'));
    let mut parameter = "";
    loop {
        match (expected.next(), given.next()) {
            (None, None) => return Some(parameter),
            (Some(segment), Some(text)) if segment.starts_with('{') && !text.is_empty() => parameter = text,
            (Some(segment), Some(text)) if segment == text => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
#[path = "endpoints_tests.rs"]
mod tests;
