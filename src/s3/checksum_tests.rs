#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

fn of(algorithm: ChecksumAlgorithm, bytes: &[u8]) -> Checksum {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.finish()
}

/// Check values of "123456789" from the CRC catalogue and FIPS 180-4.
#[test]
fn published_values() {
    let hex_of = |algorithm| hex::encode(of(algorithm, b"123456789").value());
    assert_eq!(hex_of(ChecksumAlgorithm::Crc32), "cbf43926");
    assert_eq!(hex_of(ChecksumAlgorithm::Crc32c), "e3069283");
    assert_eq!(hex_of(ChecksumAlgorithm::Crc64Nvme), "ae8b14860a799888");
    assert_eq!(hex_of(ChecksumAlgorithm::Sha1), "f7c3bc1d808e04732adf679965ccc34ca7ae3441");
    assert!(hex_of(ChecksumAlgorithm::Sha256).starts_with("15e2b0d3c33891eb"));
}

#[test]
fn full_object_values_come_from_the_parts_alone() {
    let (a, b, c) = (vec![1_u8; 1000], vec![2_u8; 77], vec![3_u8; 5]);
    let whole = [a.clone(), b.clone(), c.clone()].concat();
    for algorithm in [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Crc32c, ChecksumAlgorithm::Crc64Nvme] {
        let sums = [of(algorithm, &a), of(algorithm, &b), of(algorithm, &c)];
        let parts = [(&sums[0], 1000), (&sums[1], 77), (&sums[2], 5)];
        let combined = ObjectChecksum::of_parts(algorithm, ChecksumType::FullObject, &parts).unwrap();
        assert_eq!(combined.checksum, of(algorithm, &whole), "{algorithm:?}");
        assert_eq!(combined.to_text(), of(algorithm, &whole).to_base64());
    }
}

#[test]
fn composite_values_carry_the_number_of_parts() {
    let sums = [of(ChecksumAlgorithm::Sha256, b"a"), of(ChecksumAlgorithm::Sha256, b"b")];
    let parts = [(&sums[0], 1), (&sums[1], 1)];
    let composite =
        ObjectChecksum::of_parts(ChecksumAlgorithm::Sha256, ChecksumType::Composite, &parts).unwrap();
    let concatenated = [sums[0].value(), sums[1].value()].concat();
    assert_eq!(composite.checksum, of(ChecksumAlgorithm::Sha256, &concatenated));
    assert!(composite.to_text().ends_with("-2"));
}

#[test]
fn forms_that_do_not_exist_are_refused() {
    let sha = of(ChecksumAlgorithm::Sha1, b"a");
    let crc = of(ChecksumAlgorithm::Crc64Nvme, b"a");
    let full = ChecksumType::FullObject;
    assert_eq!(ObjectChecksum::of_parts(ChecksumAlgorithm::Sha1, full, &[(&sha, 1)]), None);
    assert_eq!(
        ObjectChecksum::of_parts(ChecksumAlgorithm::Crc64Nvme, ChecksumType::Composite, &[(&crc, 1)]),
        None
    );
    assert_eq!(
        ObjectChecksum::of_parts(ChecksumAlgorithm::Crc32, full, &[(&crc, 1)]),
        None,
        "another algorithm"
    );
}

#[test]
fn base64_of_the_wrong_length_is_refused() {
    assert!(Checksum::from_base64(ChecksumAlgorithm::Crc32, "AAAAAA==").is_some());
    for text in ["", "AAAA", "AAAAAAA=", "!!!!!!!!"] {
        assert!(Checksum::from_base64(ChecksumAlgorithm::Crc32, text).is_none(), "{text}");
    }
}
