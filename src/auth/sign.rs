//! Signing of outgoing requests, as a client does it: in headers, and in the query.

use std::time::Duration;

use sha2::Digest as _;
use sha2::Sha256;

use super::ChunkSigner;
use super::RequestHead;
use super::Secret;
use super::canonical;
use super::canonical::Covered;
use super::payload::UNSIGNED_PAYLOAD;
use super::signing_key::Scope;
use super::signing_key::SigningKey;
use super::signing_key::hex_digest;
use super::signing_key::text;
use crate::base::Sha256Digest;
use crate::base::Timestamp;
use crate::s3::date;

/// What requests are signed with.
#[derive(Clone)]
pub struct Credentials {
    /// The access key id.
    pub access_key: String,
    /// The secret access key.
    pub secret: Secret,
    /// The region the signature is for.
    pub region: String,
}

/// What a signature says about the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedPayload {
    /// Nothing.
    Unsigned,
    /// Its SHA-256.
    Sha256(Sha256Digest),
    /// That it is framed as aws-chunked, with a signature for each chunk.
    SignedChunks {
        /// A signed trailer follows.
        trailer: bool,
    },
    /// That it is framed as aws-chunked, unsigned, with a trailer.
    UnsignedChunks,
}

impl SignedPayload {
    /// The SHA-256 of a body that is at hand.
    pub fn of(body: &[u8]) -> Self {
        Self::Sha256(Sha256::digest(body).into())
    }

    fn word(self) -> String {
        match self {
            Self::Unsigned => UNSIGNED_PAYLOAD.to_owned(),
            Self::Sha256(digest) => text(&hex_digest(&digest)).to_owned(),
            Self::SignedChunks { trailer: false } => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD".to_owned(),
            Self::SignedChunks { trailer: true } => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER".to_owned(),
            Self::UnsignedChunks => "STREAMING-UNSIGNED-PAYLOAD-TRAILER".to_owned(),
        }
    }
}

/// A signed request head.
pub struct SignedHead {
    /// The headers to add: names in lower case, and values.
    pub headers: Vec<(&'static str, String)>,
    /// Signs the chunks of the body, for a payload of signed chunks.
    pub chunks: ChunkSigner,
}

/// Signs a request in its headers. `head` holds the path and query as they will be sent, and the headers to sign:
/// `host` and every `x-amz-*` header there will be, except the two of this function.
///
/// The returned headers are `x-amz-date`, `x-amz-content-sha256` and `authorization`.
pub fn sign_head(
    credentials: &Credentials,
    head: &RequestHead<'_>,
    payload: SignedPayload,
    now: Timestamp,
) -> SignedHead {
    let time = date::amz(now);
    let word = payload.word();
    let mut headers: Vec<(&str, &[u8])> = head.headers.to_vec();
    headers.push(("x-amz-date", time.as_bytes()));
    headers.push(("x-amz-content-sha256", word.as_bytes()));
    let names = sorted_names(&headers);
    let scope = scope(credentials, &time);
    let key = SigningKey::derive(&credentials.secret, &scope);
    let head = RequestHead { headers: &headers, ..*head };
    let covered = Covered { headers: &names, payload: &word, accept_encoding: None };
    let request = canonical::request(&head, &covered);
    let signature = key.sign(&canonical::string_to_sign(&time, &scope.text(), &request));
    let authorization = format!(
        "{} Credential={}/{}, SignedHeaders={}, Signature={}",
        canonical::ALGORITHM,
        credentials.access_key,
        scope.text(),
        names.join(";"),
        text(&signature)
    );
    let chunks = ChunkSigner::new(key.into(), &time, &scope.text(), signature);
    let headers =
        vec![("x-amz-date", time), ("x-amz-content-sha256", word), ("authorization", authorization)];
    SignedHead { headers, chunks }
}

/// Signs a request in its query; returns the whole query to send. `head` is as for [`sign_head`]; `expires` counts in
/// whole seconds, up to seven days.
pub fn presign(
    credentials: &Credentials,
    head: &RequestHead<'_>,
    expires: Duration,
    now: Timestamp,
) -> String {
    let time = date::amz(now);
    let scope = scope(credentials, &time);
    let names = sorted_names(head.headers);
    let mut query = head.query.to_owned();
    for (name, value) in [
        ("X-Amz-Algorithm", canonical::ALGORITHM),
        ("X-Amz-Credential", &format!("{}/{}", credentials.access_key, scope.text())),
        ("X-Amz-Date", &time),
        ("X-Amz-Expires", &expires.as_secs().to_string()),
        ("X-Amz-SignedHeaders", &names.join(";")),
    ] {
        push_parameter(&mut query, name, value);
    }
    let head = RequestHead { query: &query, ..*head };
    let covered = Covered { headers: &names, payload: UNSIGNED_PAYLOAD, accept_encoding: None };
    let request = canonical::request(&head, &covered);
    let key = SigningKey::derive(&credentials.secret, &scope);
    let signature = key.sign(&canonical::string_to_sign(&time, &scope.text(), &request));
    push_parameter(&mut query, "X-Amz-Signature", text(&signature));
    query
}

fn scope<'a>(credentials: &'a Credentials, time: &'a str) -> Scope<'a> {
    Scope { date: time.get(..8).unwrap_or_default(), region: &credentials.region, service: "s3" }
}

fn sorted_names<'a>(headers: &[(&'a str, &[u8])]) -> Vec<&'a str> {
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn push_parameter(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
    query.push_str(&encoded(value));
}

/// `text` with every byte but letters, digits, `-`, `.`, `_` and `~` percent-encoded, for a name or value of a query.
/// Encode the segments of a path with it one by one.
pub fn encoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 16);
    text.bytes().for_each(|byte| canonical::push_encoded(byte, &mut out));
    // Encoding leaves ASCII alone.
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
