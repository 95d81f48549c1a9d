//! Signing keys: derived from a secret for one day, region and service, and cached with their HMAC state.

use std::sync::Arc;

use hmac::Hmac;
use hmac::KeyInit as _;
use hmac::Mac as _;
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use sha2::Digest as _;
use sha2::Sha256;
use zeroize::Zeroize as _;

use super::Secret;
use crate::base::Sha256Digest;

/// The length of SHA-256's input block; HMAC pads its key with zeros to it (RFC 2104).
const BLOCK: usize = 64;

/// How many signing keys are kept. One access key needs one per day and region it signs for.
const CACHE_ENTRIES: usize = 1024;

/// A signature in its only written form: 64 lower-case hexadecimal digits.
pub(super) type Signature = [u8; 64];

/// What signs within one scope.
#[derive(Clone)]
pub(super) struct SigningKey(Hmac<Sha256>);

/// A credential scope without the access key: what a signing key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Scope<'a> {
    /// `YYYYMMDD`.
    pub date: &'a str,
    /// Such as `us-east-1`.
    pub region: &'a str,
    /// `s3`.
    pub service: &'a str,
}

impl Scope<'_> {
    /// The form of the string to sign: `date/region/service/aws4_request`.
    pub(super) fn text(&self) -> String {
        [self.date, self.region, self.service, TERMINAL].join("/")
    }
}

/// What ends every credential scope.
pub(super) const TERMINAL: &str = "aws4_request";

impl SigningKey {
    /// Derives the key
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html#signing-request-intro>).
    pub(super) fn derive(secret: &Secret, scope: &Scope<'_>) -> Self {
        let mut first = Vec::with_capacity(4 + secret.expose().len());
        first.extend_from_slice(b"AWS4");
        first.extend_from_slice(secret.expose().as_bytes());
        let mut key = keyed(&first);
        first.zeroize();
        for part in [scope.date, scope.region, scope.service, TERMINAL] {
            let mut digest = digest(key, part.as_bytes());
            key = keyed(&digest);
            digest.zeroize();
        }
        Self(key)
    }

    /// The signature of `message`.
    pub(super) fn sign(&self, message: &[u8]) -> Signature {
        hex_digest(&digest(self.0.clone(), message))
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let keyed = Hmac::<Sha256>::new(&block.into());
    block.zeroize();
    keyed
}

fn digest(mut key: Hmac<Sha256>, message: &[u8]) -> Sha256Digest {
    key.update(message);
    key.finalize().into_bytes().into()
}

/// A digest as lower-case hexadecimal digits.
pub(super) fn hex_digest(digest: &Sha256Digest) -> Signature {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0_u8; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(digest) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    text
}

/// The digits as text.
pub(super) fn text(signature: &Signature) -> &str {
    // Only hexadecimal digits are ever in it.
    std::str::from_utf8(signature).unwrap_or_default()
}

/// The signing keys in use. Bounded; holds keys of requests that verified, so that strangers cannot fill it.
pub(super) struct KeyCache(Cache<Entry, (Secret, Arc<SigningKey>)>);

#[derive(PartialEq, Eq, Hash)]
struct Entry {
    access_key: Box<str>,
    date: Box<str>,
    region: Box<str>,
    service: Box<str>,
}

/// The borrowed form of [`Entry`]: the same fields in the same order, so that both hash alike.
#[derive(Hash)]
struct Wanted<'a> {
    access_key: &'a str,
    scope: Scope<'a>,
}

impl Equivalent<Entry> for Wanted<'_> {
    fn equivalent(&self, entry: &Entry) -> bool {
        *self.access_key == *entry.access_key
            && *self.scope.date == *entry.date
            && *self.scope.region == *entry.region
            && *self.scope.service == *entry.service
    }
}

impl KeyCache {
    pub(super) fn new() -> Self {
        Self(Cache::new(CACHE_ENTRIES))
    }

    /// The key for `scope`, and whether it was cached. An entry of an older secret does not count: after a rotation
    /// the old secret signs nothing any more.
    pub(super) fn find(
        &self,
        access_key: &str,
        secret: &Secret,
        scope: Scope<'_>,
    ) -> (Arc<SigningKey>, bool) {
        if let Some((of, key)) = self.0.get(&Wanted { access_key, scope })
            && of.matches(secret)
        {
            return (key, true);
        }
        (Arc::new(SigningKey::derive(secret, &scope)), false)
    }

    /// Keeps a key that has verified a request.
    pub(super) fn keep(&self, access_key: &str, secret: &Secret, scope: Scope<'_>, key: Arc<SigningKey>) {
        let entry = Entry {
            access_key: access_key.into(),
            date: scope.date.into(),
            region: scope.region.into(),
            service: scope.service.into(),
        };
        self.0.insert(entry, (secret.clone(), key));
    }
}
