//! The one door: every request comes in through [`Verifier`], whichever way it is authenticated.

use std::sync::Arc;

use subtle::ConstantTimeEq as _;

use super::AuthError;
use super::ChunkSigner;
use super::Key;
use super::Keys;
use super::Payload;
use super::RequestHead;
use super::canonical;
use super::canonical::Covered;
use super::claim;
use super::claim::Authorization;
use super::claim::Credential;
use super::claim::Time;
use super::claim::Way;
use super::payload::Declared;
use super::payload::UNSIGNED_PAYLOAD;
use super::presigned::Parameters;
use super::refusal;
use super::signing_key::KeyCache;
use super::signing_key::SigningKey;
use crate::base::Identity;
use crate::base::Timestamp;
use crate::s3::error_code::ErrorCode;

/// What the operator chose about authentication.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The region this server says it is, such as `us-east-1`.
    pub region: String,
    /// Take signatures for any region, as a server of one region that clients reach under any name. Default: true.
    pub any_region: bool,
}

/// Checks signatures. One for the whole server: it holds the cache of signing keys.
pub struct Verifier {
    settings: Settings,
    signing_keys: KeyCache,
}

/// Proof that a request is from whom it says, or from nobody in particular. Only [`Verifier`] makes it.
pub struct Authenticated {
    identity: Identity,
    payload: Payload,
}

impl Authenticated {
    /// Who is calling.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What the body must be held to.
    pub fn into_payload(self) -> Payload {
        self.payload
    }
}

/// A signature to check, and all it is said to cover.
struct Claim<'a> {
    way: Way,
    credential: Credential<'a>,
    signature: &'a str,
    /// Sorted.
    signed_headers: Vec<&'a str>,
    time: &'a str,
    /// The value of `x-amz-content-sha256` or what stands for it.
    payload: &'a str,
}

impl Verifier {
    /// A verifier with an empty cache.
    pub fn new(settings: Settings) -> Self {
        Self { settings, signing_keys: KeyCache::new() }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Finds out who sent a request: by its `Authorization` header, by its query, or nobody in particular.
    ///
    /// # Errors
    /// What S3 answers (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>); never a 5xx.
    pub fn authenticate(
        &self,
        head: &RequestHead<'_>,
        keys: &dyn Keys,
        now: Timestamp,
    ) -> Result<Authenticated, AuthError> {
        let query = Parameters::parse(head.query)?;
        match (authorization(head)?, query.authenticates()) {
            (Some(value), false) => self.by_header(head, value, keys, now),
            (None, true) => self.by_query(head, &query, keys, now),
            (None, false) => {
                let declared = declared_header(head)?.map(Declared::parse).transpose()?;
                let payload = declared.unwrap_or(Declared::Unsigned).anonymous()?;
                Ok(Authenticated { identity: Identity::Anonymous, payload })
            }
            (Some(value), true) => Err(refusal::two_mechanisms(value)),
        }
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>
    fn by_header(
        &self,
        head: &RequestHead<'_>,
        value: &str,
        keys: &dyn Keys,
        now: Timestamp,
    ) -> Result<Authenticated, AuthError> {
        let authorization = Authorization::parse(value)?;
        let credential = Credential::parse(authorization.credential, Way::Header, &self.settings)?;
        let payload = declared_header(head)?.ok_or_else(refusal::no_content_sha256)?;
        let declared = Declared::parse(payload)?;
        let given = match head.value("x-amz-date") {
            Some(given) => Some(given),
            None => head.value("date"),
        };
        let given = given.and_then(|given| std::str::from_utf8(given).ok()).ok_or_else(refusal::no_date)?;
        let time = Time::parse(given).ok_or_else(refusal::no_date)?;
        credential.check_day(&time.text, Way::Header)?;
        time.check_skew(given, now)?;
        let key = find(keys, &credential)?;
        let token = head.value("x-amz-security-token").is_some_and(|token| !token.is_empty());
        refusal::no_tokens(token)?;
        let claim = Claim {
            way: Way::Header,
            credential,
            signature: authorization.signature,
            signed_headers: claim::signed_headers(authorization.signed_headers),
            time: &time.text,
            payload,
        };
        self.verify(head, &claim, key, declared)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>
    fn by_query(
        &self,
        head: &RequestHead<'_>,
        query: &Parameters<'_>,
        keys: &dyn Keys,
        now: Timestamp,
    ) -> Result<Authenticated, AuthError> {
        if query.version2 {
            return Err(claim::unsupported());
        }
        let presigned = query.presigned()?;
        let credential = Credential::parse(presigned.credential, Way::Query, &self.settings)?;
        let expires = claim::parse_expires(presigned.expires)?;
        let time = Time::parse_presigned(presigned.date)?;
        credential.check_day(&time.text, Way::Query)?;
        time.check_expiry(expires, now)?;
        let payload = match (declared_header(head)?, query.content_sha256.as_deref()) {
            (Some(payload), _) | (None, Some(payload)) => payload,
            (None, None) => UNSIGNED_PAYLOAD,
        };
        let declared = Declared::parse(payload)?;
        let key = find(keys, &credential)?;
        let in_header = head.value("x-amz-security-token").is_some_and(|token| !token.is_empty());
        refusal::no_tokens(
            in_header || query.security_token.as_deref().is_some_and(|token| !token.is_empty()),
        )?;
        let claim = Claim {
            way: Way::Query,
            credential,
            signature: presigned.signature,
            signed_headers: claim::signed_headers(presigned.signed_headers),
            time: &time.text,
            payload,
        };
        self.verify(head, &claim, key, declared)
    }

    /// Checks that everything that counts is signed, and the signature itself.
    fn verify(
        &self,
        head: &RequestHead<'_>,
        claim: &Claim<'_>,
        key: Key,
        declared: Declared,
    ) -> Result<Authenticated, AuthError> {
        check_coverage(head, claim)?;
        let Credential { access_key, scope } = claim.credential;
        let (signing_key, cached) = self.signing_keys.find(access_key, &key.secret, scope);
        let scope_text = scope.text();
        let sign = |head: &RequestHead<'_>, accept_encoding| {
            let covered = Covered { headers: &claim.signed_headers, payload: claim.payload, accept_encoding };
            let request = canonical::request(head, &covered);
            let message = canonical::string_to_sign(claim.time, &scope_text, &request);
            (signing_key.sign(&message), message, request)
        };
        let (mut signature, message, request) = sign(head, None);
        let is_claimed = |signature: &[u8]| bool::from(signature.ct_eq(claim.signature.as_bytes()));
        if !is_claimed(signature.as_ref()) {
            let by_encoding =
                other_accept_encoding(head, &claim.signed_headers).map(|other| sign(head, Some(other)).0);
            let by_path =
                decoded_slashes(head.path).map(|path| sign(&RequestHead { path: &path, ..*head }, None).0);
            let forgiven = by_encoding.into_iter().chain(by_path).find(|other| is_claimed(other.as_ref()));
            signature =
                forgiven.ok_or_else(|| refusal::mismatch(access_key, claim.signature, &message, &request))?;
        }
        if !cached {
            self.signing_keys.keep(access_key, &key.secret, scope, Arc::clone(&signing_key));
        }
        let payload = declared.signed(|| ChunkSigner::new(signing_key, claim.time, &scope_text, signature));
        Ok(Authenticated { identity: key.identity, payload })
    }

    /// The key for a form's credential; forms are rare enough to derive it each time.
    pub(super) fn signing_key(&self, key: &Key, credential: &Credential<'_>) -> Arc<SigningKey> {
        self.signing_keys.find(credential.access_key, &key.secret, credential.scope).0
    }
}

/// The key of a credential, or the refusal of one that nobody has.
pub(super) fn find(keys: &dyn Keys, credential: &Credential<'_>) -> Result<Key, AuthError> {
    keys.find(credential.access_key).ok_or_else(|| {
        AuthError::of(ErrorCode::InvalidAccessKeyId).with("AWSAccessKeyId", credential.access_key)
    })
}

/// The value of the `Authorization` header; an empty one is none.
fn authorization<'a>(head: &RequestHead<'a>) -> Result<Option<&'a str>, AuthError> {
    let mut values = head.values("authorization");
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(Way::Header.malformed("the header must be given once."));
    }
    let value = std::str::from_utf8(first.unwrap_or_default())
        .map_err(|_| Way::Header.malformed("the header must be ASCII."))?;
    Ok(Some(value.trim()).filter(|value| !value.is_empty()))
}

/// The value of `x-amz-content-sha256`.
fn declared_header<'a>(head: &RequestHead<'a>) -> Result<Option<&'a str>, AuthError> {
    let mut values = head.values("x-amz-content-sha256");
    let (first, second) = (values.next(), values.next());
    // Twice would be signed as one joined value, which is none of the known ones.
    match (first.map(std::str::from_utf8), second) {
        (None, _) => Ok(None),
        (Some(Ok(value)), None) => Ok(Some(value.trim())),
        _ => Err(super::payload::invalid("")),
    }
}

/// Headers that a presigned request may bring unsigned: SDKs send them and leave them out of the signature, and they
/// change nothing about what the request does.
const UNSIGNED_IN_QUERY: [&str; 2] = ["x-amz-user-agent", "x-amz-checksum-mode"];

/// Whatever could change the meaning of a request must be signed: the host, and every `x-amz-*` header there is.
fn check_coverage(head: &RequestHead<'_>, claim: &Claim<'_>) -> Result<(), AuthError> {
    let signed = |name: &str| claim.signed_headers.contains(&name);
    let exempt = |name: &str| claim.way == Way::Query && UNSIGNED_IN_QUERY.contains(&name);
    let unsigned = |name: &str| name.starts_with("x-amz-") && !signed(name) && !exempt(name);
    let mut missing: Vec<&str> = if signed("host") { Vec::new() } else { vec!["host"] };
    missing.extend(head.headers.iter().map(|(name, _)| *name).filter(|name| unsigned(name)));
    if missing.is_empty() { Ok(()) } else { Err(refusal::not_signed(&missing)) }
}

/// What the client may have signed where a proxy replaced `Accept-Encoding`, which several SDKs sign. Nothing here
/// depends on that header, so taking either value lets nobody change what a request does.
fn other_accept_encoding(head: &RequestHead<'_>, signed_headers: &[&str]) -> Option<&'static str> {
    if !signed_headers.contains(&"accept-encoding") {
        return None;
    }
    match head.value("accept-encoding") {
        Some(b"identity") => Some("gzip"),
        _ => Some("identity"),
    }
}

/// The path as the AWS SDK for Java signs it: it sends `a/%2Fb` for `a//b`. Both name the same key of the same bucket
/// (an encoded slash elsewhere could move the border between the two, and stays a mismatch).
fn decoded_slashes(path: &str) -> Option<String> {
    let decoded = path.replace("/%2F", "//").replace("/%2f", "//");
    (decoded != path).then_some(decoded)
}

#[cfg(test)]
#[path = "verifier_tests.rs"]
mod tests;
