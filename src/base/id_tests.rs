#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

#[test]
fn an_identifier_survives_its_text() {
    let id = BlobId::from_bytes(std::array::from_fn(|i| (i * 17) as u8));
    assert_eq!(id.to_string(), "00112233445566778899aabbccddeeff");
    assert_eq!(id.to_string().parse::<BlobId>().unwrap(), id);
}

#[test]
fn other_texts_are_refused() {
    for text in ["", "00", "zz112233445566778899aabbccddeeff", "00112233445566778899aabbccddeeff00"] {
        assert_eq!(text.parse::<UploadId>(), Err(ParseIdError), "{text}");
    }
}

#[test]
fn a_request_id_has_sixteen_digits() {
    assert_eq!(RequestId(255).to_string(), "00000000000000FF");
}
