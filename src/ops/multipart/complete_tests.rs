#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::base::Timestamp;
use crate::s3::checksum::Checksum;
use crate::s3::checksum::Hasher;
use crate::s3::name::BucketName;
use crate::s3::name::ObjectKey;
use crate::store::records::ContentHeaders;
use crate::store::records::PartBody;

const MIB: u64 = 1 << 20;

fn crc32(text: &str) -> Checksum {
    let mut hasher = Hasher::new(ChecksumAlgorithm::Crc32);
    hasher.update(text.as_bytes());
    hasher.finish()
}

fn part(number: u16, size: u64) -> Part {
    let checksum = Some(crc32("x"));
    Part {
        number,
        size,
        md5: [number as u8; 16],
        modified: Timestamp::default(),
        checksum,
        body: PartBody::Empty,
    }
}

fn named(number: i64) -> CompletedPart {
    let etag = format!("\"{}\"", ETag::plain([number as u8; 16]));
    CompletedPart { number, etag, checksum: None }
}

fn upload(checksum: Option<(ChecksumAlgorithm, ChecksumType)>) -> Upload {
    Upload {
        id: UploadId::from_bytes([1; 16]),
        key: "k".to_owned(),
        initiated: Timestamp::default(),
        owner: String::new(),
        headers: ContentHeaders::default(),
        user_metadata: Vec::new(),
        storage_class: String::new(),
        checksum,
    }
}

fn input(parts: Vec<CompletedPart>) -> Input {
    let bucket = BucketName::new("bucket").unwrap();
    let target = Target { bucket, key: ObjectKey::new("k").unwrap(), upload_id: "u".to_owned() };
    let conditions = WriteConditions::default();
    Input { target, parts, checksum: None, checksum_type: None, object_size: None, conditions }
}

fn refusal(input: &Input, parts: &[Part]) -> ErrorCode {
    plan(input, &upload(None), parts).unwrap_err().code
}

#[test]
fn parts_with_gaps_and_a_small_last_one_make_an_object() {
    let parts = [part(2, 5 * MIB), part(5, 5 * MIB), part(9, 1)];
    let completion = plan(&input(vec![named(2), named(9)]), &upload(None), &parts).unwrap();
    assert_eq!(completion.parts.iter().map(|part| part.number).collect::<Vec<_>>(), [2, 9]);
    assert!(completion.etag.to_string().ends_with("-2"));
}

/// Parts may bring checksums though the upload named none.
#[test]
fn a_checksum_that_is_not_that_of_the_parts_is_refused() {
    let parts = [part(1, 1)];
    let complete = |algorithm, text: &str, kind| {
        let checksum = Some((algorithm, text.to_owned()));
        plan(&Input { checksum, checksum_type: kind, ..input(vec![named(1)]) }, &upload(None), &parts)
    };
    let right = crc32("x").to_base64();
    let done = complete(ChecksumAlgorithm::Crc32, &right, Some(ChecksumType::FullObject)).unwrap();
    assert_eq!(
        done.checksum,
        Some(ObjectChecksum::whole(crc32("x"))).map(|whole| ObjectChecksum { parts: 1, ..whole })
    );
    for (algorithm, text, kind, code) in [
        (ChecksumAlgorithm::Crc32, "AAAAAA==", None, ErrorCode::BadDigest),
        (ChecksumAlgorithm::Crc32, "garbage!", None, ErrorCode::BadDigest),
        (ChecksumAlgorithm::Crc32, &right, Some(ChecksumType::Composite), ErrorCode::InvalidRequest),
        (ChecksumAlgorithm::Sha256, &right, None, ErrorCode::InvalidRequest),
    ] {
        assert_eq!(complete(algorithm, text, kind).unwrap_err().code, code, "{text}");
    }
}

#[test]
fn of_a_part_named_twice_the_last_mention_counts() {
    let mut older = named(1);
    older.etag = named(7).etag;
    let parts = [part(1, 5 * MIB), part(2, 1)];
    let twice = vec![older.clone(), named(1), named(2)];
    assert!(check_order(&twice).is_ok());
    let completion = plan(&input(twice), &upload(None), &parts).unwrap();
    assert_eq!(completion.parts.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(refusal(&input(vec![named(1), older]), &parts), ErrorCode::InvalidPart);
}

#[test]
fn what_does_not_fit_is_refused() {
    let parts = [part(1, 5 * MIB - 1), part(2, 1)];
    assert_eq!(refusal(&input(vec![named(1), named(2)]), &parts), ErrorCode::EntityTooSmall);
    assert_eq!(refusal(&input(vec![named(3)]), &parts), ErrorCode::InvalidPart);
    let mut foreign = named(1);
    foreign.etag = named(2).etag;
    assert_eq!(refusal(&input(vec![foreign]), &parts), ErrorCode::InvalidPart);
    let mut contradicting = named(2);
    contradicting.checksum = Some(crc32("y"));
    assert_eq!(refusal(&input(vec![contradicting]), &parts), ErrorCode::InvalidPart);
    let sized = Input { object_size: Some(2), ..input(vec![named(2)]) };
    assert_eq!(refusal(&sized, &parts), ErrorCode::InvalidRequest);
    assert_eq!(check_order(&[named(2), named(1)]).unwrap_err().code, ErrorCode::InvalidPartOrder);
}

#[test]
fn the_objects_checksum_is_compared_in_both_spellings() {
    let upload = upload(Some((ChecksumAlgorithm::Crc32, ChecksumType::Composite)));
    let parts = [part(1, 1)];
    let of_parts =
        ObjectChecksum::of_parts(ChecksumAlgorithm::Crc32, ChecksumType::Composite, &[(&crc32("x"), 1)])
            .unwrap();
    let with =
        |text: String| Input { checksum: Some((ChecksumAlgorithm::Crc32, text)), ..input(vec![named(1)]) };
    assert_eq!(plan(&with(of_parts.to_text()), &upload, &parts).unwrap().checksum, Some(of_parts.clone()));
    assert!(plan(&with(of_parts.checksum.to_base64()), &upload, &parts).is_ok());
    let wrong = plan(&with("AAAAAA==-1".to_owned()), &upload, &parts).unwrap_err();
    assert_eq!(wrong.code, ErrorCode::BadDigest);
}
