#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::s3::checksum::ChecksumAlgorithm;

fn owner(checksum: Option<Checksum>) -> BlobOwner {
    BlobOwner {
        bucket: BucketId(7),
        bucket_name: "bucket".to_owned(),
        key: "key".to_owned(),
        part: Some((UploadId::from_bytes([3; 16]), 9)),
        begun: Timestamp::from_secs(5),
        owner: "owner".to_owned(),
        headers: ContentHeaders { content_type: Some("text/plain".to_owned()), ..ContentHeaders::default() },
        user_metadata: vec![("a".to_owned(), "b".to_owned())],
        storage_class: "STANDARD_IA".to_owned(),
        checksum,
    }
}

#[test]
fn what_is_written_is_read() {
    let checksum = Checksum::new(ChecksumAlgorithm::Crc32, vec![1, 2, 3, 4]);
    for owner in [owner(checksum), owner(None)] {
        let bytes = owner.encode();
        assert_eq!(bytes[0], 2);
        assert_eq!(BlobOwner::decode(&bytes), Some(owner));
    }
}

/// Files of the first release lie on disks; this is such a section, byte by byte.
#[test]
fn the_first_format_has_no_checksum() {
    let mut bytes = vec![1, 7, 6];
    bytes.extend_from_slice(b"bucket\x03key\x01");
    bytes.extend_from_slice(&[3; 16]);
    bytes.extend_from_slice(&[9, 0x88, 0x27, 5]);
    bytes.extend_from_slice(b"owner\x01\x0atext/plain");
    bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 1, 1, b'a', 1, b'b', 11]);
    bytes.extend_from_slice(b"STANDARD_IA");
    assert_eq!(BlobOwner::decode(&bytes), Some(owner(None)));
    bytes[0] = 2;
    assert_eq!(BlobOwner::decode(&bytes), None);
    bytes[0] = 3;
    assert_eq!(BlobOwner::decode(&bytes), None, "a later format is not guessed at");
}
