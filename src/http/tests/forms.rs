use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::Hmac;
use hmac::KeyInit as _;
use hmac::Mac as _;
use sha2::Sha256;

use super::ACCESS_KEY;
use super::Answer;
use super::HOST;
use super::Server;
use crate::s3::date;
use crate::sys::clock::Clock as _;
use crate::sys::clock::SystemClock;

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Posts a form whose policy allows `conditions` beside what signs it.
async fn post_signed(server: &Server, conditions: &str, fields: &[(&str, &str)], file: &str) -> Answer {
    let now = SystemClock.now();
    let time = date::amz(now);
    let day = &time[..8];
    let credential = format!("{ACCESS_KEY}/{day}/us-east-1/s3/aws4_request");
    let expiration = date::iso(now.plus(std::time::Duration::from_secs(60)));
    let policy = format!(
        "{{\"expiration\":\"{expiration}\",\"conditions\":[{{\"bucket\":\"bkt\"}},\
         {{\"x-amz-credential\":\"{credential}\"}},{{\"x-amz-algorithm\":\"AWS4-HMAC-SHA256\"}},\
         {{\"x-amz-date\":\"{time}\"}},{conditions}]}}"
    );
    let policy = BASE64.encode(policy);
    let secret = format!("AWS4{}", super::secret().expose());
    let key = ["us-east-1", "s3", "aws4_request"]
        .iter()
        .fold(mac(secret.as_bytes(), day), |key, text| mac(&key, text));
    let signature = hex::encode(mac(&key, &policy));
    let signing = [
        ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
        ("x-amz-credential", credential.as_str()),
        ("x-amz-date", time.as_str()),
        ("policy", policy.as_str()),
        ("x-amz-signature", signature.as_str()),
    ];
    post(server, &[fields, &signing].concat(), file).await
}

const CONDITIONS: &str = "[\"starts-with\",\"$key\",\"u/\"],[\"content-length-range\",2,10],\
                          [\"starts-with\",\"$x-amz-meta-n\",\"\"],[\"eq\",\"$success_action_status\",\"201\"]";

#[actix_rt::test]
async fn a_signed_form_puts_its_file() {
    let server = Server::with_bucket().await;
    let fields = [("key", "u/${filename}"), ("x-amz-meta-n", "v"), ("success_action_status", "201")];
    let answer = post_signed(&server, CONDITIONS, &fields, "hello").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!((answer.element("Bucket"), answer.element("Key")), ("bkt".to_owned(), "u/f.txt".to_owned()));
    assert!(answer.element("Location").ends_with("/bkt/u%2Ff.txt") && !answer.closes);
    let get = server.send("GET", "/bkt/u/f.txt", &[], b"").await;
    assert_eq!((get.body.as_slice(), get.header("x-amz-meta-n")), (&b"hello"[..], Some("v")));
    assert_eq!(get.header("etag"), answer.header("etag"));
}

#[actix_rt::test]
async fn a_form_is_held_to_its_policy() {
    let server = Server::with_bucket().await;
    let allowed = [("key", "u/k"), ("x-amz-meta-n", "v"), ("success_action_status", "201")];
    for (fields, file, expected) in [
        (vec![("key", "other"), allowed[1], allowed[2]], "hello", (403, "AccessDenied")),
        (vec![allowed[0], allowed[1], allowed[2], ("x-amz-meta-extra", "v")], "hello", (403, "AccessDenied")),
        (allowed.to_vec(), "more than ten", (400, "EntityTooLarge")),
        (allowed.to_vec(), "1", (400, "EntityTooSmall")),
    ] {
        let answer = post_signed(&server, CONDITIONS, &fields, file).await;
        assert_eq!(answer.refusal(), (expected.0, expected.1.to_owned()), "{fields:?} {file}");
    }
    assert_eq!(server.send("GET", "/bkt?list-type=2", &[], b"").await.element("KeyCount"), "0");
}

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
