//! The listener with a server behind it that only remembers what it was asked.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod description;
pub mod fake;
mod operations;
mod pages;
mod refusals;
mod schema;

use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use super::Admin;
use super::Door;
use super::Shown;
use super::routes;
use super::start;
use crate::auth::RequestHead;
use crate::auth::Secret;
use crate::auth::Settings;
use crate::auth::Verifier;
use crate::auth::sign;
use crate::auth::sign::Credentials;
use crate::auth::sign::SignedPayload;
use crate::base::Timestamp;
use crate::sys::clock::ManualClock;
use crate::sys::metrics::Metrics;

use fake::Fake;
use fake::OneKey;
use schema::Description;

const ACCESS_KEY: &str = "root-key";
const SECRET_KEY: &str = "root-secret";
/// 2026-01-31T12:00:00Z.
const NOW: Timestamp = Timestamp::from_secs(1_769_860_800);

/// A listener, and what it shows.
struct Rig {
    address: SocketAddr,
    is_ready: Arc<AtomicBool>,
    clock: Arc<ManualClock>,
    fake: Arc<Fake>,
    description: Description,
    admin: Option<Admin>,
}

/// A request under construction: signed over everything, unless it is bent afterwards.
struct Ask {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    payload: Option<SignedPayload>,
    now: Timestamp,
    signed: bool,
}

/// What came back.
#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(given, _)| given.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn code(&self) -> String {
        self.json()["code"].as_str().unwrap().to_owned()
    }
}

impl Ask {
    fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            payload: None,
            now: NOW,
            signed: true,
        }
    }

    fn json(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.with("content-type", "application/json")
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn anonymous(mut self) -> Self {
        self.signed = false;
        self
    }

    fn payload(mut self, payload: SignedPayload) -> Self {
        self.payload = Some(payload);
        self
    }

    fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    fn split(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((&self.target, ""))
    }

    /// The headers that sign it, and those it has.
    fn headers(&self, address: SocketAddr, secret: &str) -> Vec<(String, String)> {
        let (path, query) = self.split();
        let mut headers = vec![("host".to_owned(), address.to_string())];
        headers.extend(self.headers.iter().cloned());
        if self.signed {
            let signed: Vec<(&str, &[u8])> =
                headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
            let head = RequestHead { method: &self.method, path, query, headers: &signed };
            let payload = self.payload.unwrap_or_else(|| SignedPayload::of(&self.body));
            let added = sign::sign_head(&credentials(secret), &head, payload, self.now).headers;
            headers.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
        }
        if !self.body.is_empty() {
            headers.push(("content-length".to_owned(), self.body.len().to_string()));
        }
        headers
    }
}

fn credentials(secret: &str) -> Credentials {
    Credentials {
        access_key: ACCESS_KEY.to_owned(),
        secret: Secret::new(secret.to_owned()),
        region: "us-east-1".to_owned(),
    }
}

impl Rig {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_ready = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&is_ready);
        let ready =
            move || if asked.load(Ordering::Relaxed) { Ok(()) } else { Err("the disk is gone".to_owned()) };
        let clock = Arc::new(ManualClock::new(NOW));
        let fake = Arc::new(Fake::default());
        let verifier = Verifier::new(Settings { region: "us-east-1".to_owned(), any_region: true });
        let door = Door::new(verifier, Box::new(OneKey), clock.clone());
        let metrics = Arc::new(Metrics::new().unwrap());
        let shown = Shown::new(metrics, Box::new(ready), door, fake.clone());
        let admin = Some(start(listener, shown).unwrap());
        let description = Description::parse(routes::DOCUMENT);
        Self { address, is_ready, clock, fake, description, admin }
    }

    /// Sends what is signed; every answer is held to the description.
    fn send(&self, ask: &Ask) -> Reply {
        self.send_with(ask, &ask.headers(self.address, SECRET_KEY))
    }

    fn send_with(&self, ask: &Ask, headers: &[(String, String)]) -> Reply {
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("{} {} HTTP/1.1\r\n{lines}connection: close\r\n\r\n", ask.method, ask.target);
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&ask.body);
        let reply = self.send_raw(&bytes);
        let (path, _) = ask.split();
        if ask.method != "HEAD" {
            let answer = (reply.status, reply.header("content-type"), reply.body.as_str());
            let wrong = self.description.judge((&ask.method, path), answer);
            assert!(wrong.is_empty(), "{wrong:#?}\n{reply:?}");
        }
        reply
    }

    fn send_raw(&self, bytes: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.address).unwrap();
        // The server may refuse before it has read everything.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn get(&self, target: &str) -> Reply {
        self.send(&Ask::new("GET", target))
    }

    fn post(&self, target: &str) -> Reply {
        self.send(&Ask::new("POST", target))
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(admin) = self.admin.take() {
            actix_rt::System::new().block_on(admin.stop()).unwrap();
        }
    }
}
