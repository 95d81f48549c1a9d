use super::*;

#[test]
fn bucket_names_that_s3_takes() {
    for name in ["abc", "a.b-c", "my-bucket.example", "0ab", &"a".repeat(63), "192.168.5.4a", "1.2.3"] {
        assert!(BucketName::new(name).is_ok(), "{name}");
    }
}

#[test]
fn bucket_names_that_s3_refuses() {
    let long = "a".repeat(64);
    let names = [
        "",
        "ab",
        &long,
        "Abc",
        "a_b",
        "a..b",
        ".abc",
        "abc.",
        "-abc",
        "abc-",
        "a.-b",
        "192.168.5.4",
        "xn--abc",
        "sthree-abc",
        "abc-s3alias",
        "abc--ol-s3",
        "abc.mrap",
        "abc--x-s3",
        "abc--table-s3",
        "..",
        "a b",
        "äbc",
        "a/b",
        "abc\0",
    ];
    for name in names {
        assert_eq!(BucketName::new(name), Err(InvalidBucketName), "{name:?}");
    }
}

#[test]
fn keys_are_counted_in_bytes() {
    assert!(ObjectKey::new("k".repeat(1024)).is_ok());
    assert_eq!(ObjectKey::new("k".repeat(1025)), Err(InvalidKey::TooLong));
    assert!(ObjectKey::new("💾".repeat(256)).is_ok());
    assert_eq!(ObjectKey::new("💾".repeat(257)), Err(InvalidKey::TooLong));
    assert_eq!(ObjectKey::new(""), Err(InvalidKey::Empty));
}

#[test]
fn keys_are_not_normalised() {
    for key in ["a//b", "/a", "..", "a/../b", "e\u{301}", "\u{e9}", "a\0b"] {
        assert_eq!(ObjectKey::new(key).map(|k| k.as_str().to_owned()), Ok(key.to_owned()));
    }
}
