#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
//! The whole walk over a real store, without a socket: what clients send, and what they get back.

mod buckets;
mod forms;
mod multipart;
mod objects;
mod refusals;

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody as _;
use actix_web::test::TestRequest;

use super::pipeline::Pipeline;
use crate::auth::RequestHead;
use crate::auth::Secret;
use crate::auth::Settings;
use crate::auth::Verifier;
use crate::auth::sign;
use crate::auth::sign::Credentials;
use crate::auth::sign::SignedPayload;
use crate::ops::RootCredentials;
use crate::ops::Service;
use crate::s3::xml::read::Element;
use crate::s3::xml::read::parse;
use crate::store::tests::Fixture;
use crate::sys::clock::Clock as _;
use crate::sys::clock::SystemClock;
use crate::sys::entropy::SystemEntropy;
use crate::sys::metrics::Metrics;

const ACCESS_KEY: &str = "AKIAEXAMPLE";
const HOST: &str = "localhost:9000";

/// A server in a directory of its own, and a client that signs.
struct Server {
    pipeline: Pipeline,
    _fixture: Fixture,
}

/// What came back.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    closes: bool,
}

impl Server {
    fn new() -> Self {
        let fixture = Fixture::new(1, 1);
        let root = RootCredentials { access_key: ACCESS_KEY.to_owned(), secret_key: secret() };
        let settings = crate::ops::Settings { region: "us-east-1".to_owned(), any_region: true };
        let service = Service::new(Arc::clone(&fixture.store), Arc::new(SystemClock), root, settings);
        let verifier = Verifier::new(Settings { region: "us-east-1".to_owned(), any_region: true });
        let domains = ["S3.example.com".to_owned()];
        let metrics = Arc::new(Metrics::new().unwrap());
        let pipeline = Pipeline::new(Arc::new(service), verifier, &domains, metrics, Arc::new(SystemEntropy));
        Self { pipeline, _fixture: fixture }
    }

    /// A server with the bucket `bkt`.
    async fn with_bucket() -> Self {
        let server = Self::new();
        assert_eq!(server.send("PUT", "/bkt", &[], b"").await.status, 200);
        server
    }

    /// Sends a request that is signed in its headers.
    async fn send(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.send_as(SignedPayload::of(body), method, uri, headers, body).await
    }

    /// The same with another word about its payload.
    async fn send_as(
        &self,
        payload: SignedPayload,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let head = Head::new(method, uri, headers);
        let signed = sign::sign_head(&credentials(), &head.head(), payload, SystemClock.now());
        let added: Vec<(&str, &str)> =
            signed.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let length = body.len().to_string();
        let all = [headers, &added, &[("host", HOST), ("content-length", length.as_str())]].concat();
        self.raw(method, uri, &all, body).await
    }

    /// Sends a request that is signed in its query.
    async fn presigned(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let head = Head::new(method, uri, &[]);
        let query = sign::presign(&credentials(), &head.head(), Duration::from_secs(60), SystemClock.now());
        let uri = format!("{}?{query}", head.path);
        let length = body.len().to_string();
        let all = [headers, &[("host", HOST), ("content-length", length.as_str())]].concat();
        self.raw(method, &uri, &all, body).await
    }

    /// Sends exactly this.
    async fn raw(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = TestRequest::with_uri(uri).method(method.parse().unwrap());
        for header in headers {
            request = request.append_header(*header);
        }
        // actix adds a length to whatever payload is set.
        let request = if body.is_empty() { request } else { request.set_payload(body.to_vec()) };
        let (request, payload) = request.to_http_parts();
        let response = self.pipeline.serve(request, payload).await;
        let status = response.status().as_u16();
        let closes = !response.head().keep_alive();
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = response.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect();
        let body = response.into_body();
        let size = body.size();
        let body = actix_web::body::to_bytes(body).await.map_err(|_| "cut off").unwrap().to_vec();
        if method != "HEAD" && status != 304 {
            assert_eq!(size, actix_web::body::BodySize::Sized(body.len() as u64));
        }
        Answer { status, headers, body, closes }
    }
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    fn xml(&self) -> Element {
        parse(&self.body).unwrap()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The text of the first element of this name under the root.
    fn element(&self, name: &str) -> String {
        self.xml().text_of(name).unwrap_or_else(|| panic!("no {name} in {}", self.text())).to_owned()
    }

    /// Status and code of a refusal.
    fn refusal(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), Some("application/xml"), "{}", self.text());
        (self.status, self.element("Code"))
    }
}

/// A head to sign.
struct Head<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Head<'a> {
    fn new(method: &'a str, uri: &'a str, headers: &[(&'a str, &'a str)]) -> Self {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let signed = headers.iter().filter(|(name, _)| name.starts_with("x-amz-"));
        let mut headers: Vec<(&str, &[u8])> = signed.map(|(name, value)| (*name, value.as_bytes())).collect();
        headers.push(("host", HOST.as_bytes()));
        Self { method, path, query, headers }
    }

    fn head(&self) -> RequestHead<'_> {
        RequestHead { method: self.method, path: self.path, query: self.query, headers: &self.headers }
    }
}

fn secret() -> Secret {
    Secret::new("an example of a secret".to_owned())
}

fn credentials() -> Credentials {
    Credentials { access_key: ACCESS_KEY.to_owned(), secret: secret(), region: "us-east-1".to_owned() }
}
