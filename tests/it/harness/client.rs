//! An S3 client that signs what it sends, and hides nothing of the reply.

use std::net::SocketAddr;
use std::time::Duration;

use holdall::auth::ChunkSigner;
use holdall::auth::RequestHead;
use holdall::auth::Secret;
use holdall::auth::sign;
use holdall::auth::sign::Credentials;
use holdall::auth::sign::SignedPayload;
use holdall::base::Timestamp;
use holdall::sys::clock::Clock as _;
use holdall::sys::clock::SystemClock;

use super::raw::Raw;
use super::raw::Reply;

/// Who asks, and where.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    credentials: Credentials,
}

/// A request under construction.
pub struct Ask<'a> {
    client: &'a Client,
    method: &'a str,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    payload: Option<SignedPayload>,
    anonymous: bool,
    now: Timestamp,
}

impl Client {
    /// A client with these keys, for us-east-1.
    pub fn new(address: SocketAddr, access_key: &str, secret_key: &str) -> Self {
        let credentials = Credentials {
            access_key: access_key.to_owned(),
            secret: Secret::new(secret_key.to_owned()),
            region: "us-east-1".to_owned(),
        };
        Self { address, credentials }
    }

    /// Begins a request; `target` is path and query as they are sent, already encoded.
    pub fn ask<'a>(&'a self, method: &'a str, target: &str) -> Ask<'a> {
        Ask {
            client: self,
            method,
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            payload: None,
            anonymous: false,
            now: SystemClock.now(),
        }
    }

    /// GET.
    pub fn get(&self, target: &str) -> Reply {
        self.ask("GET", target).send()
    }

    /// HEAD.
    pub fn head(&self, target: &str) -> Reply {
        self.ask("HEAD", target).send()
    }

    /// PUT.
    pub fn put(&self, target: &str, body: impl Into<Vec<u8>>) -> Reply {
        self.ask("PUT", target).body(body).send()
    }

    /// DELETE.
    pub fn delete(&self, target: &str) -> Reply {
        self.ask("DELETE", target).send()
    }

    /// The target of a presigned request.
    pub fn presign(&self, method: &str, target: &str, expires: Duration) -> String {
        let (path, query) = split(target);
        let host = self.address.to_string();
        let headers = [("host", host.as_bytes())];
        let head = RequestHead { method, path, query, headers: &headers };
        format!("{path}?{}", sign::presign(&self.credentials, &head, expires, SystemClock.now()))
    }
}

impl Ask<'_> {
    /// With a header; `x-amz-*` ones are signed.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// With a body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// With another word about the payload than its SHA-256.
    pub const fn payload(mut self, payload: SignedPayload) -> Self {
        self.payload = Some(payload);
        self
    }

    /// Without a signature.
    pub const fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }

    /// As if it were sent at `now`.
    pub const fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// Sends it on a connection of its own.
    pub fn send(self) -> Reply {
        let mut raw = Raw::connect(self.client.address);
        self.send_on(&mut raw)
    }

    /// Sends it on an open connection.
    pub fn send_on(self, raw: &mut Raw) -> Reply {
        raw.send(self.head());
        // The server may refuse before it has read everything.
        let _ = raw.try_send(&self.body);
        if self.method == "HEAD" { raw.reply_to_head() } else { raw.reply() }
    }

    /// The head as it is sent.
    pub fn head(&self) -> String {
        self.signed().0
    }

    /// The head as it is sent, and what signs the chunks behind it.
    pub fn signed(&self) -> (String, Option<ChunkSigner>) {
        let mut chunks = None;
        let (path, query) = split(&self.target);
        let mut headers = vec![("host".to_owned(), self.client.address.to_string())];
        headers.extend(self.headers.iter().cloned());
        if !self.anonymous {
            let signed: Vec<(&str, &[u8])> = headers
                .iter()
                .filter(|(name, _)| name == "host" || name.starts_with("x-amz-") || name == "content-md5")
                .map(|(name, value)| (name.as_str(), value.as_bytes()))
                .collect();
            let head = RequestHead { method: self.method, path, query, headers: &signed };
            let payload = self.payload.unwrap_or_else(|| SignedPayload::of(&self.body));
            let signature = sign::sign_head(&self.client.credentials, &head, payload, self.now);
            chunks = Some(signature.chunks);
            headers.extend(signature.headers.into_iter().map(|(name, value)| (name.to_owned(), value)));
        }
        let framed = headers.iter().any(|(name, _)| name == "content-length" || name == "transfer-encoding");
        if !framed && (!self.body.is_empty() || ["PUT", "POST"].contains(&self.method)) {
            headers.push(("content-length".to_owned(), self.body.len().to_string()));
        }
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        (format!("{} {} HTTP/1.1\r\n{lines}\r\n", self.method, self.target), chunks)
    }
}

fn split(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}
