#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::time::UNIX_EPOCH;

use aws_sigv4::http_request::PayloadChecksumKind;
use aws_sigv4::http_request::PercentEncodingMode;
use aws_sigv4::http_request::SignableBody;
use aws_sigv4::http_request::SignableRequest;
use aws_sigv4::http_request::SigningSettings;
use aws_sigv4::http_request::UriPathNormalizationMode;
use aws_sigv4::http_request::sign;
use aws_sigv4::sign::v4;

use super::*;

/// What the protocol's authors sign for the same request: the Authorization header.
fn oracle(request: &Signed<'_>, now: Timestamp) -> String {
    let identity = aws_credential_types::Credentials::new("AKID", "SECRET", None, None, "test").into();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-3")
        .name("s3")
        .time(UNIX_EPOCH + std::time::Duration::from_secs(now.as_secs()))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let uri = format!("http://{}{}?{}", request.host, request.path, request.query);
    let body = match request.payload {
        None => SignableBody::UnsignedPayload,
        Some(digest) => SignableBody::Precomputed(hex::encode(digest)),
    };
    let headers = [("host", request.host)];
    let signable = SignableRequest::new(request.method, uri, headers.into_iter(), body).unwrap();
    let (instructions, _) = sign(signable, &params).unwrap().into_parts();
    let (headers, _) = instructions.into_parts();
    let found = headers.iter().find(|header| header.name() == "authorization").unwrap();
    found.value().to_owned()
}

#[test]
fn agrees_with_an_independent_signer_over_days() {
    let credentials = Credentials { access_key: "AKID".into(), secret_key: "SECRET".into() };
    let mut signer = Signer::new(credentials, "eu-west-3");
    let digest: Sha256Digest = Sha256::digest(b"body").into();
    let mut now = 1_795_000_000;
    for (method, query, payload) in [
        ("GET", "", None),
        ("GET", "list-type=2&max-keys=1000&prefix=a%2Fb", None),
        ("PUT", "partNumber=3&uploadId=x%3D%3D", Some(&digest)),
    ] {
        let request = Signed { method, path: "/bucket/a/0000", query, host: "127.0.0.1:9000", payload };
        let mut head = Vec::new();
        let at = Timestamp::from_secs(now);
        signer.sign(&request, at, &mut head);
        let head = String::from_utf8(head).unwrap();
        let authorization = head.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap();
        assert_eq!(authorization, oracle(&request, at), "{method} {query}");
        now += 86_400;
    }
}
