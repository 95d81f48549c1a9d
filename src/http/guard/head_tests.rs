#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

const PLAIN: &str = "GET /b/k HTTP/1.1\r\nhost: h\r\n";

fn framing(extra: &str) -> Result<Framing, ErrorCode> {
    let head = format!("{PLAIN}{extra}\r\n");
    judge(head.as_bytes(), HEADERS_CAP).map(|admitted| admitted.framing).map_err(|refusal| refusal.code())
}

#[test]
fn the_length_of_a_body_is_known() {
    assert_eq!(framing(""), Ok(Framing::Complete));
    assert_eq!(framing("content-length: 0\r\n"), Ok(Framing::Complete));
    assert_eq!(framing("Content-Length:5\r\n"), Ok(Framing::Length(5)));
    assert_eq!(framing("Content-Length:  007 \r\n"), Ok(Framing::Length(7)));
    assert_eq!(framing("Transfer-Encoding: Chunked\r\n"), Ok(Framing::chunked()));
    assert_eq!(framing("content-length: 18446744073709551616\r\n"), Err(ErrorCode::BadRequest));
    assert_eq!(framing("content-length: 5\r\nCONTENT-LENGTH: 5\r\n"), Err(ErrorCode::BadRequest));
    let old = judge(b"POST / HTTP/1.0\r\n\r\n", HEADERS_CAP).unwrap_err();
    assert_eq!(old.code(), ErrorCode::MissingContentLength);
}

#[test]
fn the_end_of_a_head_is_found_piece_by_piece() {
    let head = format!("{PLAIN}\r\n");
    let bytes = format!("{head}body\n\n");
    let mut scan = Scan::default();
    for end in 1..bytes.len() {
        let expected = (end >= head.len()).then_some(head.len());
        assert_eq!(scan.end(&bytes.as_bytes()[..end]).unwrap(), expected, "{end}");
        if expected.is_some() {
            return;
        }
    }
    panic!("the end was not found");
}

#[test]
fn a_bare_line_feed_is_refused_before_the_head_ends() {
    assert!(Scan::default().end(b"GET / HTTP/1.1\nhost").is_err());
    assert!(Scan::default().end(b"GET / HTTP/1.1\r\nhost: h\r\n\nx").is_err());
    assert!(Scan::default().end(b"\x16\x03\x01").is_err());
}

#[test]
fn a_head_with_many_headers_is_shortened_to_what_actix_acts_on() {
    let many: String = (0..100).map(|number| format!("x-amz-meta-{number}: {number}\r\n")).collect();
    let head = format!("{PLAIN}{many}Expect: 100-continue\r\ncontent-length: 3\r\n\r\n");
    let (short, rest) = judge(head.as_bytes(), HEADERS_CAP).unwrap().shortened.unwrap();
    let short = String::from_utf8(short).unwrap();
    assert_eq!(short, format!("{PLAIN}Expect: 100-continue\r\ncontent-length: 3\r\n\r\n"));
    assert_eq!(rest.len(), 100);
    assert_eq!(rest[7], (b"x-amz-meta-7".to_vec(), b"7".to_vec()));
    assert!(
        judge(head.as_bytes(), 100)
            .is_err_and(|refusal| refusal.code() == ErrorCode::RequestHeaderSectionTooLarge)
    );
}

#[test]
fn empty_lines_are_skipped_up_to_a_point() {
    assert_eq!(empty_lines(b"GET"), Ok(0));
    assert_eq!(empty_lines(b"\r\n\r\nGET"), Ok(4));
    assert!(empty_lines(b"\r\n\r\n\r\nGET").is_err());
}

proptest! {
    /// Whatever arrives, the judge does not panic, and what it admits ends with an empty line.
    #[test]
    fn garbage_is_judged_safely(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut scan = Scan::default();
        if let Ok(Some(length)) = scan.end(&bytes) {
            prop_assert!(bytes[..length].ends_with(b"\r\n\r\n") || length == 2);
            let _ = judge(&bytes[..length], HEADERS_CAP);
        }
    }
}
