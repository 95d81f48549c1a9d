#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

#[test]
fn parameters_are_decoded_once() {
    let query = Query::parse("prefix=a%2520b+c&uploads&=x&&max-keys=&prefix=second&k%C3%A9y=v").unwrap();
    assert_eq!(query.get("prefix"), Some("a%20b c"), "the first counts");
    assert_eq!(query.get("uploads"), Some(""));
    assert_eq!(query.get("max-keys"), Some(""));
    assert_eq!(query.get("kéy"), Some("v"));
    assert!(!query.has("absent"));
}

#[test]
fn broken_encoding_is_an_invalid_uri() {
    for raw in ["a=%", "a=%2", "a=%zz", "%ff=1", "a=%c3%28", "a=+%"] {
        assert_eq!(Query::parse(raw).unwrap_err().code, ErrorCode::InvalidURI, "{raw}");
    }
}

#[test]
fn decoding_keeps_every_byte() {
    assert_eq!(decoded("a%00//../%2e%2E+b").unwrap(), "a\0//../..+b");
    assert_eq!(decoded("%25%32%35").unwrap(), "%25");
}
