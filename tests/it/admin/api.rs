//! The API of the whole server: every answer is held to `docs/openapi.json`.

use serde_json::Value;

use super::schema::Description;
use crate::harness::client::Client;
use crate::harness::process::Process;
use crate::harness::raw::Reply;

const DOCUMENT: &str = include_str!("../../../docs/openapi.json");

struct Api {
    client: Client,
    description: Description,
}

impl Api {
    fn new(process: &Process) -> Self {
        Self { client: process.admin(), description: Description::parse(DOCUMENT) }
    }

    fn ask(&self, method: &str, target: &str, body: &str) -> (u16, Value) {
        let mut ask = self.client.ask(method, target);
        if !body.is_empty() {
            ask = ask.header("content-type", "application/json").body(body);
        }
        let reply: Reply = ask.send();
        let text = String::from_utf8(reply.body.clone()).unwrap();
        let kind = reply.header("content-type").unwrap_or_default();
        let path = target.split('?').next().unwrap();
        let wrong = self.description.judge((method, path), (reply.status, kind, &text));
        assert!(wrong.is_empty(), "{wrong:#?}\n{text}");
        (reply.status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    fn get(&self, target: &str) -> Value {
        let (status, value) = self.ask("GET", target, "");
        assert_eq!(status, 200, "{target}: {value}");
        value
    }
}

#[test]
fn everything_that_can_be_read_is_as_described() {
    let process = Process::start(3, &[]);
    let api = Api::new(&process);
    assert_eq!(process.s3().put("/bucket", "").status, 200);
    assert_eq!(process.s3().put("/bucket/key", vec![7; 300_000]).status, 200);
    let volumes = api.get("/admin/v1/volumes")["volumes"].as_array().unwrap().clone();
    assert_eq!(volumes.len(), 3);
    for (number, volume) in volumes.iter().enumerate() {
        assert_eq!(volume["path"], process.volume(number).to_str().unwrap());
        let one = api.get(&format!("/admin/v1/volumes/{}", volume["id"].as_str().unwrap()));
        assert_eq!(
            (&one["id"], &one["state"], &one["health"]),
            (&volume["id"], &"active".into(), &"healthy".into())
        );
        assert!(one["available_bytes"].is_u64(), "{one}");
    }
    assert!(volumes.iter().any(|volume| volume["metadata"]["role"] == "leader"), "{volumes:?}");
    for job in api.get("/admin/v1/jobs")["jobs"].as_array().unwrap() {
        let name = job["name"].as_str().unwrap();
        assert_eq!(api.get(&format!("/admin/v1/jobs/{name}"))["name"], name);
    }
    let redundancy = api.get("/admin/v1/redundancy");
    assert_eq!((&redundancy["replicas"], &redundancy["queued"]), (&3.into(), &0.into()));
    assert_eq!(api.get("/admin/v1/status")["redundancy"]["replicas"], 3);
    for page in ["/health/live", "/health/ready", "/metrics", "/admin/v1/openapi.json"] {
        assert_eq!(api.ask("GET", page, "").0, 200);
    }
}

#[test]
fn what_stands_against_a_change_is_a_conflict() {
    let process = Process::start(3, &[]);
    let api = Api::new(&process);
    let volumes = api.get("/admin/v1/volumes");
    let first = volumes["volumes"][0]["id"].as_str().unwrap();
    let place = |path: &str| serde_json::json!({ "path": path }).to_string();
    let conflicts = [
        ("POST", "/admin/v1/volumes".to_owned(), place(process.volume(1).to_str().unwrap())),
        ("POST", "/admin/v1/volumes".to_owned(), place("/proc/holdall")),
        // It answers, and force is for what does not.
        ("DELETE", format!("/admin/v1/volumes/{first}?force=true"), String::new()),
    ];
    for (method, target, body) in conflicts {
        let (status, error) = api.ask(method, &target, &body);
        assert_eq!((status, &error["code"]), (409, &"Conflict".into()), "{target}: {error}");
    }
    let nobody = "0".repeat(32);
    assert_eq!(api.ask("POST", &format!("/admin/v1/volumes/{nobody}/drain"), "").0, 404);
    assert_eq!(api.ask("DELETE", &format!("/admin/v1/volumes/{nobody}"), "").0, 404);
}
