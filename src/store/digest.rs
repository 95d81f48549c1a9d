//! Everything that is computed over a body while it passes, in one place and in one pass.

use sha2::Digest as _;
use sha2::Sha256;

use super::Promises;
use super::StageError;
use super::md5;
use super::md5::Md5;
use crate::base::Md5Digest;
use crate::base::Sha256Digest;
use crate::s3::checksum;
use crate::s3::checksum::Checksum;
use crate::s3::checksum::ChecksumAlgorithm;
use crate::volume::BlockSums;

/// The digests of a body.
#[derive(Debug, Clone)]
pub struct Digests {
    /// MD5, the ETag of a part or a plain object.
    pub md5: Md5Digest,
    /// SHA-256, only when the client signed its payload as a whole.
    pub sha256: Option<Sha256Digest>,
    /// The S3 checksum of the algorithm that was asked for, CRC64NVME by default.
    pub checksum: Checksum,
}

/// The running digests of one body. Moves between threads with the body's buffers, in order.
pub(super) struct Hashing {
    md5: Md5,
    sha256: Option<Sha256>,
    checksum: checksum::Hasher,
    blocks: BlockSums,
}

impl Hashing {
    pub(super) fn new(algorithm: ChecksumAlgorithm, sha256: bool) -> Self {
        Self {
            md5: Md5::new(),
            sha256: sha256.then(Sha256::new),
            checksum: checksum::Hasher::new(algorithm),
            blocks: BlockSums::new(),
        }
    }

    /// Takes the next bytes of the body for the client's digests alone: small bodies have no blocks.
    pub(super) fn update_inline(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.update_others(bytes);
    }

    fn update_others(&mut self, bytes: &[u8]) {
        self.checksum.update(bytes);
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
    }

    pub(super) fn finish(self) -> (Digests, BlockSums) {
        let digests = Digests {
            md5: self.md5.finish(),
            sha256: self.sha256.map(|sha256| sha256.finalize().into()),
            checksum: self.checksum.finish(),
        };
        (digests, self.blocks)
    }
}

/// Takes the next bytes of each body, for the client's digests and for the part file's block checksums.
pub(super) fn update_many<'a>(bodies: impl Iterator<Item = (&'a mut Hashing, &'a [u8])>) {
    md5::update_many(bodies.map(|(hashing, bytes)| {
        hashing.update_others(bytes);
        hashing.blocks.update(bytes);
        (&mut hashing.md5, bytes)
    }));
}

impl Digests {
    /// Compares what arrived with what was promised.
    pub(super) fn keep(&self, promises: &Promises) -> Result<(), StageError> {
        if promises.sha256.is_some() && promises.sha256 != self.sha256 {
            return Err(StageError::Sha256Mismatch);
        }
        if promises.md5.is_some_and(|md5| md5 != self.md5) {
            return Err(StageError::Md5Mismatch);
        }
        match &promises.checksum {
            Some(promised) if *promised != self.checksum => {
                Err(StageError::ChecksumMismatch { algorithm: self.checksum.algorithm() })
            }
            _ => Ok(()),
        }
    }
}
