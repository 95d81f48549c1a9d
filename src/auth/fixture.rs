//! What the tests of this room share: the key pair of AWS's documentation, and a request that can be bent.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::AuthError;
use super::Authenticated;
use super::Identity;
use super::Key;
use super::Keys;
use super::RequestHead;
use super::Secret;
use super::Settings;
use super::Verifier;
use super::canonical;
use super::canonical::Covered;
use super::payload::UNSIGNED_PAYLOAD;
use super::sign;
use super::sign::Credentials;
use super::sign::SignedPayload;
use super::signing_key::Scope;
use super::signing_key::SigningKey;
use super::signing_key::text;
use crate::base::Timestamp;
use crate::s3::date;

pub const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// One key pair.
pub struct OneKey;

impl Keys for OneKey {
    fn find(&self, access_key: &str) -> Option<Key> {
        (access_key == ACCESS_KEY).then(|| Key { secret: secret(), identity: root() })
    }
}

pub fn secret() -> Secret {
    Secret::new(SECRET_KEY.to_owned())
}

pub fn root() -> Identity {
    Identity::Root { access_key: ACCESS_KEY.to_owned() }
}

pub fn credentials() -> Credentials {
    Credentials { access_key: ACCESS_KEY.to_owned(), secret: secret(), region: "us-east-1".to_owned() }
}

pub fn lenient() -> Verifier {
    Verifier::new(Settings { region: "us-east-1".to_owned(), any_region: true })
}

pub fn strict() -> Verifier {
    Verifier::new(Settings { region: "us-east-1".to_owned(), any_region: false })
}

/// A point in time in the form of version 4.
pub fn at(text: &str) -> Timestamp {
    date::parse_amz(text).unwrap()
}

/// A request that owns its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Request {
    pub fn new(method: &str, path: &str, query: &str, headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.collect(),
        }
    }

    /// Signs it in its headers.
    pub fn signed(mut self, payload: SignedPayload, now: Timestamp) -> Self {
        let added = self.with_head(|head| sign::sign_head(&credentials(), head, payload, now).headers);
        self.headers.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())));
        self
    }

    /// Sets or adds a header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        match self.headers.iter_mut().find(|(given, _)| given == name) {
            Some((_, place)) => *place = value.as_bytes().to_vec(),
            None => self.headers.push((name.to_owned(), value.as_bytes().to_vec())),
        }
        self
    }

    /// Takes a header away.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(given, _)| given != name);
        self
    }

    pub fn header(&self, name: &str) -> String {
        let value = self.headers.iter().find(|(given, _)| given == name).unwrap();
        String::from_utf8(value.1.clone()).unwrap()
    }

    /// Replaces text in the `authorization` header.
    pub fn edited(self, from: &str, to: &str) -> Self {
        let value = self.header("authorization");
        assert!(value.contains(from), "{from} is not in {value}");
        let value = value.replacen(from, to, 1);
        self.with("authorization", &value)
    }

    pub fn with_head<T>(&self, f: impl FnOnce(&RequestHead<'_>) -> T) -> T {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        f(&RequestHead { method: &self.method, path: &self.path, query: &self.query, headers: &headers })
    }

    pub fn authenticate(&self, verifier: &Verifier, now: Timestamp) -> Result<Authenticated, AuthError> {
        self.with_head(|head| verifier.authenticate(head, &OneKey, now))
    }

    /// Who it is from, by a lenient verifier.
    pub fn identity(&self, now: Timestamp) -> Result<Identity, AuthError> {
        self.authenticate(&lenient(), now).map(|authenticated| authenticated.identity().clone())
    }

    /// The code it is refused with, by a lenient verifier; panics when it is not.
    pub fn refusal(&self, now: Timestamp) -> AuthError {
        self.identity(now).expect_err("a refusal")
    }
}

/// Signs by hand what no signer writes: `time` as it stands in the string to sign, and only `headers`.
pub fn signature(request: &Request, time: &str, headers: &[&str]) -> String {
    let scope = Scope { date: &time[..8], region: "us-east-1", service: "s3" };
    let covered = Covered { headers, payload: UNSIGNED_PAYLOAD, accept_encoding: None };
    let message = request.with_head(|head| {
        canonical::string_to_sign(time, &scope.text(), &canonical::request(head, &covered))
    });
    text(&SigningKey::derive(&secret(), &scope).sign(&message)).to_owned()
}

/// The text of an element of the error document.
pub fn extra<'a>(error: &'a AuthError, element: &str) -> &'a str {
    &error.extra.iter().find(|(name, _)| *name == element).expect(element).1
}
