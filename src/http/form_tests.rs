#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::future::poll_fn;

use actix_web::error::PayloadError;
use futures_util::stream;

use super::*;

/// The form, cut into pieces of this many bytes.
fn payload(form: &[u8], piece: usize) -> dev::Payload {
    let pieces: Vec<Result<Bytes, PayloadError>> =
        form.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    dev::Payload::Stream { payload: Box::pin(stream::iter(pieces)) }
}

fn part(disposition: &str, content: &str) -> String {
    format!("--B\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
}

async fn content(file: &mut File) -> Result<Vec<u8>, ErrorCode> {
    let mut bytes = Vec::new();
    while let Some(chunk) = poll_fn(|cx| file.poll_chunk(cx)).await {
        bytes.extend_from_slice(&chunk.map_err(|error| error.code)?);
    }
    Ok(bytes)
}

async fn refusal(form: &str) -> ErrorCode {
    match read(payload(form.as_bytes(), 1000), "B").await {
        Err(error) => error.code,
        Ok((fields, _)) => panic!("{fields:?}"),
    }
}

#[actix_rt::test]
async fn a_form_is_read_whatever_its_pieces() {
    let file = "\r\n--A line like\r\n--a boundary\r\n-";
    let form = [
        "preamble\r\n".to_owned(),
        part("name=\"Key\"", "a/${filename}"),
        part("name=x-amz-meta-empty", ""),
        part("name=\"policy\"; filename=\"decoy\"", "p"),
        part("name=\"file\"; filename=\"C:\\dir\\na\\\"me.txt\"", file),
        part("name=\"after\"", "ignored"),
        "--B--\r\nepilogue".to_owned(),
    ]
    .concat();
    for piece in [1, 2, 3, 7, 64, 4096] {
        let (fields, mut source) = read(payload(form.as_bytes(), piece), "B").await.unwrap();
        let expected = [("key", "a/${filename}"), ("x-amz-meta-empty", ""), ("policy", "p")];
        let fields_read: Vec<_> = fields.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(fields_read, expected, "in pieces of {piece}");
        assert_eq!(fields.filename, "na\"me.txt");
        assert_eq!(content(&mut source).await.unwrap(), file.as_bytes(), "in pieces of {piece}");
        assert!(source.has_ended());
    }
}

#[actix_rt::test]
async fn an_empty_file_is_a_file() {
    let form = part("name=\"file\"", "") + "--B--";
    let (fields, mut source) = read(payload(form.as_bytes(), 5), "B").await.unwrap();
    assert_eq!(fields, Fields::default());
    assert_eq!(content(&mut source).await.unwrap(), b"");
}

#[actix_rt::test]
async fn a_file_without_an_end_is_incomplete() {
    let form = part("name=\"file\"", "content");
    let (_, mut source) = read(payload(form.as_bytes(), 5), "B").await.unwrap();
    assert_eq!(content(&mut source).await.unwrap_err(), ErrorCode::IncompleteBody);
}

#[actix_rt::test]
async fn what_is_no_form_is_refused() {
    let no_file = part("name=\"key\"", "k") + "--B--\r\n";
    assert_eq!(refusal(&no_file).await, ErrorCode::InvalidArgument);
    let twice = part("name=\"key\"", "k") + &part("name=\"KEY\"", "other") + "--B--";
    assert_eq!(refusal(&twice).await, ErrorCode::InvalidArgument);
    for form in [
        "",
        "nothing",
        "--B",
        "--B\r\n\r\nno head\r\n",
        "--B\r\nContent-Type: text/plain\r\n\r\nno disposition\r\n--B--",
        "--B\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--B--",
    ] {
        assert_eq!(refusal(form).await, ErrorCode::MalformedPOSTRequest, "{form:?}");
    }
}

#[actix_rt::test]
async fn fields_are_bounded_and_the_file_is_not() {
    let large = "v".repeat(FIELDS_BYTES_MAX);
    let field = part("name=\"key\"", &large);
    assert_eq!(refusal(&field).await, ErrorCode::MaxPostPreDataLengthExceededError);
    let many = part("name=\"key\"", &large[..9000])
        + &part("name=\"b\"", &large[..9000])
        + &part("name=\"c\"", &large[..9000]);
    assert_eq!(refusal(&many).await, ErrorCode::MaxPostPreDataLengthExceededError);
    let form = part("name=\"file\"", &large) + "--B--";
    let (_, mut source) = read(payload(form.as_bytes(), 1 << 20), "B").await.unwrap();
    assert_eq!(content(&mut source).await.unwrap().len(), large.len());
}

#[test]
fn the_content_type_has_the_boundary() {
    assert_eq!(boundary("multipart/form-data; boundary=B").unwrap(), "B");
    assert_eq!(boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"").unwrap(), "a b");
    assert_eq!(boundary("text/plain").unwrap_err().code, ErrorCode::PreconditionFailed);
    for without in
        ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"x"]
    {
        assert_eq!(boundary(without).unwrap_err().code, ErrorCode::MalformedPOSTRequest, "{without}");
    }
}

#[test]
fn file_names_come_without_folders() {
    for (disposition, expected) in [
        ("form-data; name=\"file\"; filename=\"a.txt\"", "a.txt"),
        ("form-data; name=\"file\"; filename=\"/home/me/a;b.txt\"", "a;b.txt"),
        ("form-data; filename=\"a%22b\"", "a\"b"),
        ("form-data; filename=a.txt; name=file", "a.txt"),
        ("form-data; filename*=UTF-8''%C3%A9.txt; filename=\"e.txt\"", "é.txt"),
        ("form-data; filename=\"dir/\"", ""),
    ] {
        assert_eq!(filename(disposition).as_deref(), Some(expected), "{disposition}");
    }
    assert_eq!(filename("form-data; name=\"filename\""), None);
}
