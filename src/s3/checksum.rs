//! The checksums of S3: computed as bytes pass, compared as raw bytes, spoken as base64
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crc_fast::CrcAlgorithm;
use sha2::Digest as _;

/// A checksum algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum ChecksumAlgorithm {
    /// CRC-32 (ISO-HDLC), what most SDKs send by default.
    Crc32,
    /// CRC-32C (Castagnoli).
    Crc32c,
    /// CRC-64/NVME, what S3 computes when nobody asks for anything.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// How the checksum of a multipart object comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum ChecksumType {
    /// The checksum of the parts' checksums, with `-N` behind it.
    Composite,
    /// The checksum of all bytes.
    FullObject,
}

impl ChecksumAlgorithm {
    /// All of them.
    pub const ALL: [ChecksumAlgorithm; 5] =
        [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The name in headers and documents, such as `CRC32C`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The element in XML documents, such as `ChecksumCRC32C`.
    pub const fn element(self) -> &'static str {
        match self {
            Self::Crc32 => "ChecksumCRC32",
            Self::Crc32c => "ChecksumCRC32C",
            Self::Crc64Nvme => "ChecksumCRC64NVME",
            Self::Sha1 => "ChecksumSHA1",
            Self::Sha256 => "ChecksumSHA256",
        }
    }

    /// The header, in lower case, such as `x-amz-checksum-crc32c`.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The algorithm of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// The algorithm whose header this is.
    pub fn from_header(header: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.header().eq_ignore_ascii_case(header))
    }

    /// Length of a value in bytes.
    pub const fn length(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The type a multipart upload gets when its creator names none.
    pub const fn default_type(self) -> ChecksumType {
        match self {
            Self::Crc64Nvme => ChecksumType::FullObject,
            _ => ChecksumType::Composite,
        }
    }

    /// Whether a multipart upload may use this type: CRC64NVME has no composite form, the SHAs no full one.
    pub const fn allows(self, kind: ChecksumType) -> bool {
        match kind {
            ChecksumType::Composite => !matches!(self, Self::Crc64Nvme),
            ChecksumType::FullObject => !matches!(self, Self::Sha1 | Self::Sha256),
        }
    }
}

impl ChecksumType {
    /// The name in headers and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Composite => "COMPOSITE",
            Self::FullObject => "FULL_OBJECT",
        }
    }

    /// The type of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Composite, Self::FullObject].into_iter().find(|kind| kind.name() == name)
    }
}

/// The value of a checksum over one run of bytes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Checksum {
    algorithm: ChecksumAlgorithm,
    value: Vec<u8>,
}

impl Checksum {
    /// A value of known length; `None` when the length is not the algorithm's.
    pub fn new(algorithm: ChecksumAlgorithm, value: Vec<u8>) -> Option<Self> {
        (value.len() == algorithm.length()).then_some(Self { algorithm, value })
    }

    /// Reads the base64 form; `None` when it is malformed or of the wrong length.
    pub fn from_base64(algorithm: ChecksumAlgorithm, text: &str) -> Option<Self> {
        Self::new(algorithm, BASE64.decode(text.trim()).ok()?)
    }

    /// Which algorithm.
    pub const fn algorithm(&self) -> ChecksumAlgorithm {
        self.algorithm
    }

    /// The raw bytes, most significant first.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The form of headers and documents.
    pub fn to_base64(&self) -> String {
        BASE64.encode(&self.value)
    }
}

/// The checksum of a stored object, with what it was computed over.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ObjectChecksum {
    /// The value.
    pub checksum: Checksum,
    /// Over all bytes, or over the parts' checksums.
    pub kind: ChecksumType,
    /// Number of parts behind a composite value.
    pub parts: u16,
}

impl ObjectChecksum {
    /// The checksum of bytes written in one piece.
    pub const fn whole(checksum: Checksum) -> Self {
        Self { checksum, kind: ChecksumType::FullObject, parts: 0 }
    }

    /// The checksum of a multipart object from its parts' checksums and lengths, in order. `None` when the
    /// algorithm has no such form or a part's checksum is of another algorithm.
    pub fn of_parts(
        algorithm: ChecksumAlgorithm,
        kind: ChecksumType,
        parts: &[(&Checksum, u64)],
    ) -> Option<Self> {
        if !algorithm.allows(kind) || parts.iter().any(|(part, _)| part.algorithm != algorithm) {
            return None;
        }
        let count = u16::try_from(parts.len()).ok()?;
        let checksum = match kind {
            ChecksumType::Composite => {
                let mut hasher = Hasher::new(algorithm);
                parts.iter().for_each(|(part, _)| hasher.update(&part.value));
                hasher.finish()
            }
            ChecksumType::FullObject => combined(algorithm, parts)?,
        };
        Some(Self { checksum, kind, parts: count })
    }

    /// The form of headers and documents: base64, with `-N` for a composite value.
    pub fn to_text(&self) -> String {
        match self.kind {
            ChecksumType::FullObject => self.checksum.to_base64(),
            ChecksumType::Composite => format!("{}-{}", self.checksum.to_base64(), self.parts),
        }
    }
}

/// The CRC of the concatenation, from the CRCs of the pieces and their lengths.
fn combined(algorithm: ChecksumAlgorithm, parts: &[(&Checksum, u64)]) -> Option<Checksum> {
    let kind = crc_algorithm(algorithm)?;
    let number = |part: &Checksum| part.value.iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
    let (first, rest) = parts.split_first()?;
    let crc = rest.iter().fold(number(first.0), |crc, (part, length)| {
        crc_fast::checksum_combine(kind, crc, number(part), *length)
    });
    Checksum::new(algorithm, crc.to_be_bytes()[8 - algorithm.length()..].to_vec())
}

const fn crc_algorithm(algorithm: ChecksumAlgorithm) -> Option<CrcAlgorithm> {
    match algorithm {
        ChecksumAlgorithm::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
        ChecksumAlgorithm::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
        ChecksumAlgorithm::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
        ChecksumAlgorithm::Sha1 | ChecksumAlgorithm::Sha256 => None,
    }
}

/// A checksum being computed.
pub struct Hasher(State);

enum State {
    Crc32(crc32fast::Hasher),
    Crc(ChecksumAlgorithm, crc_fast::Digest),
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
}

impl Hasher {
    /// Begins.
    pub fn new(algorithm: ChecksumAlgorithm) -> Self {
        Self(match algorithm {
            ChecksumAlgorithm::Crc32 => State::Crc32(crc32fast::Hasher::new()),
            ChecksumAlgorithm::Crc32c => {
                State::Crc(algorithm, crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi))
            }
            ChecksumAlgorithm::Crc64Nvme => {
                State::Crc(algorithm, crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme))
            }
            ChecksumAlgorithm::Sha1 => State::Sha1(sha1::Sha1::new()),
            ChecksumAlgorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
        })
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Crc32(hasher) => hasher.update(bytes),
            State::Crc(_, digest) => digest.update(bytes),
            State::Sha1(sha1) => sha1.update(bytes),
            State::Sha256(sha256) => sha256.update(bytes),
        }
    }

    /// The value over everything taken.
    pub fn finish(self) -> Checksum {
        let (algorithm, value) = match self.0 {
            State::Crc32(hasher) => (ChecksumAlgorithm::Crc32, hasher.finalize().to_be_bytes().to_vec()),
            State::Crc(algorithm, digest) => {
                (algorithm, digest.finalize().to_be_bytes()[8 - algorithm.length()..].to_vec())
            }
            State::Sha1(sha1) => (ChecksumAlgorithm::Sha1, sha1.finalize().to_vec()),
            State::Sha256(sha256) => (ChecksumAlgorithm::Sha256, sha256.finalize().to_vec()),
        };
        Checksum { algorithm, value }
    }
}

#[cfg(test)]
#[path = "checksum_tests.rs"]
mod tests;
