use super::*;

const POINT: Timestamp = Timestamp::from_millis(1_369_353_600_123);

#[test]
fn each_form_as_aws_prints_it() {
    assert_eq!(http(POINT), "Fri, 24 May 2013 00:00:00 GMT");
    assert_eq!(iso(POINT), "2013-05-24T00:00:00.123Z");
    assert_eq!(amz(POINT), "20130524T000000Z");
}

#[test]
fn each_form_is_read_back() {
    let seconds = Some(Timestamp::from_secs(POINT.as_secs()));
    assert_eq!(parse_http(&http(POINT)), seconds);
    assert_eq!(parse_http("Fri May 24 00:00:00 2013"), seconds);
    assert_eq!(parse_http("Fri, 24 May 2013 02:00:00 +0200"), seconds);
    assert_eq!(parse_amz(&amz(POINT)), seconds);
    assert_eq!(parse_iso(&iso(POINT)), Some(POINT));
    assert_eq!(parse_iso("2013-05-24"), seconds);
}

#[test]
fn nonsense_is_no_date() {
    for text in ["", "yesterday", "20130524", "20131324T000000Z", "Fri, 99 May 2013 00:00:00 GMT"] {
        assert_eq!((parse_amz(text), parse_http(text)), (None, None), "{text}");
    }
}
