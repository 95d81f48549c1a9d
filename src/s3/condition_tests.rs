use super::*;

const ETAG: ETag = ETag::plain([7; 16]);
const MODIFIED: Timestamp = Timestamp::from_millis(10_500);

fn tag() -> Option<String> {
    Some(format!("\"{ETAG}\""))
}

fn other() -> Option<String> {
    Some("\"00000000000000000000000000000000\"".to_owned())
}

fn at(seconds: u64) -> Option<Timestamp> {
    Some(Timestamp::from_secs(seconds))
}

fn read(
    if_match: Option<String>,
    if_none_match: Option<String>,
    since: Option<Timestamp>,
    unmodified: Option<Timestamp>,
) -> Verdict {
    Conditions { if_match, if_none_match, if_modified_since: since, if_unmodified_since: unmodified }
        .read(&ETAG, MODIFIED)
}

#[test]
fn reads_by_tag() {
    assert_eq!(read(None, None, None, None), Verdict::Holds);
    assert_eq!(read(tag(), None, None, None), Verdict::Holds);
    assert_eq!(read(Some("*".into()), None, None, None), Verdict::Holds);
    assert_eq!(read(other(), None, None, None), Verdict::Failed("If-Match"));
    assert_eq!(
        read(
            Some(format!("{}, {}", other().unwrap_or_default(), tag().unwrap_or_default())),
            None,
            None,
            None
        ),
        Verdict::Holds
    );
    assert_eq!(read(None, tag(), None, None), Verdict::NotModified);
    assert_eq!(read(None, Some(ETAG.to_string()), None, None), Verdict::NotModified, "without quotes");
    assert_eq!(read(None, other(), None, None), Verdict::Holds);
}

#[test]
fn reads_by_date_in_whole_seconds() {
    assert_eq!(read(None, None, at(10), None), Verdict::NotModified);
    assert_eq!(read(None, None, at(9), None), Verdict::Holds);
    assert_eq!(read(None, None, None, at(10)), Verdict::Holds);
    assert_eq!(read(None, None, None, at(9)), Verdict::Failed("If-Unmodified-Since"));
}

#[test]
fn tags_win_over_dates() {
    assert_eq!(read(tag(), None, None, at(1)), Verdict::Holds);
    assert_eq!(read(None, other(), at(10), None), Verdict::Holds);
    assert_eq!(read(None, tag(), at(1), None), Verdict::NotModified);
}

#[test]
fn writes() {
    let write = |if_match: Option<String>, if_none_match: Option<String>, current| {
        WriteConditions { if_match, if_none_match }.write(current)
    };
    let any = || Some("*".to_owned());
    assert_eq!(write(None, None, None), Ok(()));
    assert_eq!(write(None, any(), None), Ok(()));
    assert_eq!(write(None, any(), Some(&ETAG)), Err(WriteRefusal::Failed("If-None-Match")));
    assert_eq!(write(None, tag(), Some(&ETAG)), Err(WriteRefusal::Failed("If-None-Match")));
    assert_eq!(write(None, other(), Some(&ETAG)), Ok(()));
    assert_eq!(write(tag(), None, Some(&ETAG)), Ok(()));
    assert_eq!(write(other(), None, Some(&ETAG)), Err(WriteRefusal::Failed("If-Match")));
    assert_eq!(write(any(), None, None), Err(WriteRefusal::NoSuchKey));
    assert_eq!(write(tag(), None, None), Err(WriteRefusal::NoSuchKey));
}

#[test]
fn the_source_of_a_copy_names_its_header() {
    let source = |if_match, if_none_match| Conditions { if_match, if_none_match, ..Conditions::default() };
    assert_eq!(source(tag(), None).copy_source(&ETAG, MODIFIED), Ok(()));
    assert_eq!(source(other(), None).copy_source(&ETAG, MODIFIED), Err("x-amz-copy-source-If-Match"));
    assert_eq!(source(None, tag()).copy_source(&ETAG, MODIFIED), Err("x-amz-copy-source-If-None-Match"));
}
