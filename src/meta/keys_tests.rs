use proptest::prelude::*;

use super::*;

fn id(number: u8) -> UploadId {
    UploadId::from_bytes([number; 16])
}

proptest! {
    /// Uploads sort by key as S3 sorts keys, whatever bytes follow.
    #[test]
    fn uploads_sort_by_key_then_id(a in ".{0,4}", b in ".{0,4}", i in 0_u8.., j in 0_u8..) {
        let (x, y) = (open_upload(BucketId(1), &a, &id(i)), open_upload(BucketId(1), &b, &id(j)));
        prop_assert_eq!(x.bytes.cmp(&y.bytes), (a.as_bytes(), i).cmp(&(b.as_bytes(), j)));
    }

    #[test]
    fn behind_a_key_lie_exactly_its_uploads(a in "[a\0\u{1}b]{0,3}", b in "[a\0\u{1}b]{0,3}", i in 0_u8..) {
        let upload = open_upload(BucketId(1), &b, &id(i));
        let behind = open_uploads_behind(BucketId(1), &a);
        prop_assert_eq!(upload.bytes < behind.bytes, b.as_bytes() <= a.as_bytes());
    }

    #[test]
    fn a_successor_is_behind_all_with_the_prefix(prefix in prop::collection::vec(any::<u8>(), 1..4), rest in prop::collection::vec(any::<u8>(), 0..4)) {
        if let Some(next) = successor(&prefix) {
            prop_assert!([prefix.clone(), rest].concat() < next);
            prop_assert!(prefix < next);
        } else {
            prop_assert!(prefix.iter().all(|byte| *byte == 0xff));
        }
    }

    /// Every key that is built is taken apart again into what it was built of.
    #[test]
    fn keys_say_what_they_name(name in "[a\0\u{1}\u{10FFFF}]{0,4}", i in 0_u8.., number in 1_u16..) {
        let (bucket, blob, upload) = (BucketId(u64::from(i) << 56 | 3), BlobId::from_bytes([i; 16]), id(i));
        let object = current(bucket, &name);
        let part_row = part(&upload, number);
        for (key, named) in [
            (super::bucket(&name), Named::Bucket(name.clone())),
            (object.clone(), Named::Current(bucket, name.clone())),
            (open_upload(bucket, &name, &upload), Named::OpenUpload(bucket, name.clone(), upload)),
            (ended_upload(bucket, &name, &upload), Named::EndedUpload(bucket, name.clone(), upload)),
            (part_row.clone(), Named::Part(upload, number)),
            (inline(blob), Named::Inline(blob)),
            (blobref(blob, &object), Named::BlobRef(blob, object)),
            (blobref(blob, &part_row), Named::BlobRef(blob, part_row)),
            (reclaim(blob), Named::Reclaim(blob)),
            (repair(blob), Named::Repair(blob)),
            (usage(bucket), Named::Usage(bucket)),
            (system(&name), Named::System(name.clone())),
        ] {
            prop_assert_eq!(key.named(), Some(named));
        }
    }

    /// Damaged keys are refused, never misread into a panic.
    #[test]
    fn any_bytes_are_a_key_or_not(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        for family in Family::ALL {
            let _ = Key::from_parts(*family, bytes.clone()).named();
        }
    }
}
