//! Signatures of chunks: each covers its chunk and the signature before it, the first one the request's.

use std::sync::Arc;

use sha2::Digest as _;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::signing_key::Signature;
use super::signing_key::SigningKey;
use super::signing_key::hex_digest;
use super::signing_key::text;
use crate::base::Sha256Digest;

/// SHA-256 of no bytes, a fixed line of every chunk's string to sign.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The signature of a chunk or trailer is not what its bytes give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the chunk signature does not match")]
pub struct SignatureMismatch;

/// Computes the signatures of one body's chunks while their bytes pass; it never holds a chunk
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>).
pub struct ChunkSigner {
    key: Arc<SigningKey>,
    /// The lines after the algorithm: time and scope, each with its line feed.
    time_and_scope: String,
    previous: Signature,
    chunk: Sha256,
}

impl ChunkSigner {
    /// Begins after the signature of the request's head. `time` is the time of the string to sign.
    pub(super) fn new(key: Arc<SigningKey>, time: &str, scope: &str, seed: Signature) -> Self {
        Self { key, time_and_scope: format!("{time}\n{scope}\n"), previous: seed, chunk: Sha256::new() }
    }

    /// Takes the next bytes of the chunk.
    pub fn update(&mut self, bytes: &[u8]) {
        self.chunk.update(bytes);
    }

    /// Ends the chunk and checks what the client signed it with; the next chunk then continues from it. The chunk
    /// without bytes ends the body.
    pub fn check(&mut self, signature: &[u8]) -> Result<(), SignatureMismatch> {
        let expected = self.sign();
        if expected.ct_eq(signature).into() { Ok(()) } else { Err(SignatureMismatch) }
    }

    /// Ends the chunk and gives its signature, for a client that signs.
    pub fn finish(&mut self) -> String {
        text(&self.sign()).to_owned()
    }

    /// Checks the signature of the trailer: `lines` are its headers as `name:value`, each with a line feed, in the
    /// order of their names.
    pub fn check_trailer(&mut self, lines: &[u8], signature: &[u8]) -> Result<(), SignatureMismatch> {
        let expected = self.sign_trailer(lines);
        if expected.ct_eq(signature).into() { Ok(()) } else { Err(SignatureMismatch) }
    }

    /// The signature of the trailer, for a client that signs. `lines` as for [`Self::check_trailer`].
    pub fn finish_trailer(&mut self, lines: &[u8]) -> String {
        text(&self.sign_trailer(lines)).to_owned()
    }

    fn sign(&mut self) -> Signature {
        let digest: Sha256Digest = self.chunk.finalize_reset().into();
        let hash = hex_digest(&digest);
        self.sign_text("AWS4-HMAC-SHA256-PAYLOAD", &[EMPTY_SHA256, "\n", text(&hash)])
    }

    fn sign_trailer(&mut self, lines: &[u8]) -> Signature {
        let hash = hex_digest(&Sha256::digest(lines).into());
        self.sign_text("AWS4-HMAC-SHA256-TRAILER", &[text(&hash)])
    }

    fn sign_text(&mut self, algorithm: &str, end: &[&str]) -> Signature {
        let mut message = String::with_capacity(320);
        for piece in [algorithm, "\n", &self.time_and_scope, text(&self.previous), "\n"].iter().chain(end) {
            message.push_str(piece);
        }
        self.previous = self.key.sign(message.as_bytes());
        self.previous
    }
}

#[cfg(test)]
#[path = "chunk_tests.rs"]
mod tests;
