use super::Answer;
use super::HOST;
use super::Server;

async fn post(server: &Server, fields: &[(&str, &str)], file: &str) -> Answer {
    let field = |(name, value): &(&str, &str)| {
        format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let fields: String = fields.iter().map(field).collect();
    let form = format!(
        "{fields}--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.txt\"\r\n\r\n{file}\r\n--B--\r\n"
    );
    let length = form.len().to_string();
    let headers = [
        ("host", HOST),
        ("content-type", "multipart/form-data; boundary=B"),
        ("content-length", length.as_str()),
    ];
    server.raw("POST", "/bkt", &headers, form.as_bytes()).await
}

#[actix_rt::test]
async fn a_form_that_nobody_signed_is_refused() {
    let server = Server::with_bucket().await;
    let answer = post(&server, &[("key", "k")], "hello").await;
    assert_eq!(answer.refusal(), (403, "AccessDenied".to_owned()));
    assert_eq!(server.send("GET", "/bkt/k", &[], b"").await.status, 404);
}

#[actix_rt::test]
async fn what_is_no_form_is_refused() {
    let server = Server::with_bucket().await;
    let headers = [("host", HOST), ("content-type", "text/plain"), ("content-length", "1")];
    let answer = server.raw("POST", "/bkt", &headers, b"x").await;
    assert_eq!(answer.refusal(), (412, "PreconditionFailed".to_owned()));
    let headers =
        [("host", HOST), ("content-type", "multipart/form-data; boundary=B"), ("content-length", "1")];
    let answer = server.raw("POST", "/bkt", &headers, b"x").await;
    assert_eq!(answer.refusal(), (400, "MalformedPOSTRequest".to_owned()));
}
