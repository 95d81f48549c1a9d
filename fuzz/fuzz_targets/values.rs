//! Values of headers and paths.
#![no_main]

use holdall::s3::date;
use holdall::s3::name::BucketName;
use holdall::s3::name::KEY_BYTES_MAX;
use holdall::s3::name::ObjectKey;
use holdall::s3::range;
use holdall::s3::range::Resolved;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u64, &str)| {
    let (size, text) = input;
    if let Resolved::Part(part) = range::resolve(text, size) {
        assert!(part.start < part.end && part.end <= size, "{text:?} of {size}: {part:?}");
    }
    let _ = range::parse_exact(text);
    let _ = (date::parse_amz(text), date::parse_http(text), date::parse_iso(text));
    if let Ok(name) = BucketName::new(text) {
        assert!((3..=63).contains(&name.as_str().len()));
    }
    if let Ok(key) = ObjectKey::new(text) {
        assert!(key.as_str().len() <= KEY_BYTES_MAX);
    }
});
