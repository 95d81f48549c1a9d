//! Signature Version 4 in the Authorization header, for many requests of one key.
//!
//! What does not change between requests is kept: the signing key of the day with its padding already hashed, and
//! the date of the second.

use hmac::Hmac;
use hmac::KeyInit as _;
use hmac::Mac as _;
use sha2::Digest as _;
use sha2::Sha256;

use crate::base::Sha256Digest;
use crate::base::Timestamp;
use crate::s3::date;

type HmacSha256 = Hmac<Sha256>;

const SIGNED_HEADERS: &str = "host;x-amz-content-sha256;x-amz-date";
const UNSIGNED_PAYLOAD: &[u8] = b"UNSIGNED-PAYLOAD";

/// Whose requests these are.
#[derive(Clone)]
pub struct Credentials {
    /// Access key.
    pub access_key: String,
    /// Secret key.
    pub secret_key: String,
}

/// What of a request the signature covers, beside its time.
pub struct Signed<'a> {
    /// Method.
    pub method: &'a str,
    /// Path, encoded.
    pub path: &'a str,
    /// Query, encoded and in canonical order, without `?`.
    pub query: &'a str,
    /// Host header.
    pub host: &'a str,
    /// SHA-256 of the body; `None` leaves it unsigned.
    pub payload: Option<&'a Sha256Digest>,
}

/// Signs requests of one access key in one region.
pub struct Signer {
    credentials: Credentials,
    region: String,
    second: u64,
    amz_date: String,
    scope: String,
    key: Option<HmacSha256>,
    canonical: Vec<u8>,
}

impl Signer {
    /// A signer for the service `s3` in `region`.
    pub fn new(credentials: Credentials, region: &str) -> Self {
        Self {
            credentials,
            region: region.to_owned(),
            second: u64::MAX,
            amz_date: String::new(),
            scope: String::new(),
            key: None,
            canonical: Vec::with_capacity(512),
        }
    }

    /// Appends the three header lines that carry the signature to `head`.
    pub fn sign(&mut self, request: &Signed<'_>, now: Timestamp, head: &mut Vec<u8>) {
        self.set_time(now);
        let mut payload_hex = [0; 64];
        let payload = match request.payload {
            None => UNSIGNED_PAYLOAD,
            Some(digest) => {
                write_hex(digest, &mut payload_hex);
                &payload_hex
            }
        };
        let canonical = &mut self.canonical;
        canonical.clear();
        for line in [request.method, request.path, request.query] {
            canonical.extend_from_slice(line.as_bytes());
            canonical.push(b'\n');
        }
        for part in ["host:", request.host, "\nx-amz-content-sha256:"] {
            canonical.extend_from_slice(part.as_bytes());
        }
        canonical.extend_from_slice(payload);
        for part in ["\nx-amz-date:", &self.amz_date, "\n\n", SIGNED_HEADERS, "\n"] {
            canonical.extend_from_slice(part.as_bytes());
        }
        canonical.extend_from_slice(payload);
        let mut canonical_hex = [0; 64];
        write_hex(&Sha256::digest(&*canonical).into(), &mut canonical_hex);

        let mut signature_hex = [0; 64];
        if let Some(mut mac) = self.key.clone() {
            for part in ["AWS4-HMAC-SHA256\n", &self.amz_date, "\n", &self.scope, "\n"] {
                mac.update(part.as_bytes());
            }
            mac.update(&canonical_hex);
            write_hex(&mac.finalize().into_bytes().into(), &mut signature_hex);
        }
        head.extend_from_slice(b"x-amz-content-sha256: ");
        head.extend_from_slice(payload);
        let parts = [
            "\r\nx-amz-date: ",
            &self.amz_date,
            "\r\nauthorization: AWS4-HMAC-SHA256 Credential=",
            &self.credentials.access_key,
            "/",
            &self.scope,
            ", SignedHeaders=",
            SIGNED_HEADERS,
            ", Signature=",
        ];
        for part in parts {
            head.extend_from_slice(part.as_bytes());
        }
        head.extend_from_slice(&signature_hex);
        head.extend_from_slice(b"\r\n");
    }

    fn set_time(&mut self, now: Timestamp) {
        if self.second == now.as_secs() {
            return;
        }
        self.second = now.as_secs();
        self.amz_date = date::amz(now);
        let day = &self.amz_date[..8];
        if !self.scope.starts_with(day) {
            self.scope = format!("{day}/{}/s3/aws4_request", self.region);
            let first = format!("AWS4{}", self.credentials.secret_key);
            let mut key = mac(first.as_bytes());
            for part in [day, &self.region, "s3", "aws4_request"] {
                key = key.and_then(|mut step| {
                    step.update(part.as_bytes());
                    mac(&step.finalize().into_bytes())
                });
            }
            self.key = key;
        }
    }
}

/// A key of any length is taken by HMAC (RFC 2104), so this is never `None`.
fn mac(key: &[u8]) -> Option<HmacSha256> {
    HmacSha256::new_from_slice(key).ok()
}

fn write_hex(digest: &Sha256Digest, out: &mut [u8; 64]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, place) in digest.iter().zip(out.chunks_exact_mut(2)) {
        place[0] = DIGITS[usize::from(byte >> 4)];
        place[1] = DIGITS[usize::from(byte & 15)];
    }
}

#[cfg(test)]
#[path = "signer_tests.rs"]
mod tests;
