//! The XML bodies of requests.
#![no_main]

use holdall::s3::document;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = document::complete_multipart_upload(bytes);
    let _ = document::create_bucket_configuration(bytes);
    if let Ok(delete) = document::delete(bytes) {
        assert!(delete.objects.len() <= document::DELETE_OBJECTS_MAX);
    }
});
