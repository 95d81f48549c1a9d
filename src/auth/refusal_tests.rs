//! One table per way of authenticating: what is bent, and what S3 answers.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::auth::Identity;
use crate::auth::fixture::ACCESS_KEY;
use crate::auth::fixture::Request;
use crate::auth::fixture::SECRET_KEY;
use crate::auth::fixture::at;
use crate::auth::fixture::credentials;
use crate::auth::fixture::extra;
use crate::auth::fixture::root;
use crate::auth::fixture::signature;
use crate::auth::fixture::strict;
use crate::auth::sign;
use crate::auth::sign::Credentials;
use crate::auth::sign::SignedPayload;

const NOW: &str = "20130524T000000Z";
const HOST: (&str, &str) = ("host", "localhost:9000");

fn plain() -> Request {
    Request::new("PUT", "/bucket/key", "", &[HOST, ("x-amz-meta-a", "b")])
}

fn signed() -> Request {
    plain().signed(SignedPayload::Unsigned, at(NOW))
}

/// A request presigned for an hour.
fn presigned() -> Request {
    let request = Request::new("PUT", "/bucket/key", "x-id=PutObject", &[HOST]);
    let hour = std::time::Duration::from_secs(3600);
    let query = request.with_head(|head| sign::presign(&credentials(), head, hour, at(NOW)));
    Request { query, ..request }
}

fn in_query(from: &str, to: &str) -> Request {
    let request = presigned();
    assert!(request.query.contains(from), "{from} is not in {}", request.query);
    Request { query: request.query.replacen(from, to, 1), ..request }
}

#[test]
fn what_is_not_bent_is_accepted() {
    assert_eq!(signed().identity(at(NOW)), Ok(root()));
    assert_eq!(presigned().identity(at(NOW)), Ok(root()));
}

fn assert_refused(cases: impl IntoIterator<Item = (Request, ErrorCode)>) {
    for (request, code) in cases {
        let error = request.refusal(at(NOW));
        assert_eq!(error.code, code, "{request:?}: {error}");
    }
}

#[test]
fn a_malformed_authorization_header_is_refused() {
    use ErrorCode::AuthorizationHeaderMalformed as Malformed;
    use ErrorCode::InvalidRequest;
    let authorization = |value: &str| signed().with("authorization", value);
    assert_refused([
        (authorization("AWS AKIAIGR7ZNNBHC5BKSUB:FWeDfwojDSdS2Ztmpfeubhd9isU="), InvalidRequest),
        (authorization("AWS HAHAHA"), InvalidRequest),
        (authorization("Bearer token"), InvalidRequest),
        (authorization("HAHAHA"), InvalidRequest),
        (authorization("AWS4-ECDSA-P256-SHA256 Credential=a"), InvalidRequest),
        (authorization("AWS4-HMAC-SHA256"), Malformed),
        (authorization("AWS4-HMAC-SHA256 HAHAHA"), Malformed),
        (authorization("AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host"), Malformed),
        (signed().edited("Signature=", "Signature=,Signature="), Malformed),
        (signed().edited("Signature=", "Signature=0,Signature="), Malformed),
        (signed().edited("Signature=", "Else="), Malformed),
        (signed().edited("/us-east-1/s3/", "/s3/"), Malformed),
        (signed().edited("/20130524/us-east-1", "/us-east-1"), Malformed),
        (signed().edited("/s3/", "/ec2/"), Malformed),
        (signed().edited("aws4_request", "aws3_request"), Malformed),
        (signed().edited("/20130524/", "/2013-05-24/"), Malformed),
        (signed().edited("/20130524/", "/20130525/"), Malformed),
    ]);
}

#[test]
fn a_request_that_changed_after_signing_is_refused() {
    use ErrorCode::AccessDenied;
    use ErrorCode::InvalidAccessKeyId;
    use ErrorCode::SignatureDoesNotMatch as Mismatch;
    let path = |path: &str| Request { path: path.to_owned(), ..signed() };
    assert_refused([
        (signed().edited(ACCESS_KEY, "AKIAIOSFODNN7EXAMPLF"), InvalidAccessKeyId),
        (signed().edited(ACCESS_KEY, ""), InvalidAccessKeyId),
        (signed().edited("us-east-1", "eu-west-1"), Mismatch),
        (signed().with("x-amz-meta-a", "c"), Mismatch),
        (signed().without("x-amz-meta-a"), Mismatch),
        (signed().with("host", "elsewhere"), Mismatch),
        (signed().without("host"), Mismatch),
        (Request { method: "GET".to_owned(), ..signed() }, Mismatch),
        (path("/bucket/key2"), Mismatch),
        (path("/bucket//key"), Mismatch),
        (path("/bucket/./key"), Mismatch),
        (path("/bucket%2Fkey"), Mismatch),
        (Request { query: "acl".to_owned(), ..signed() }, Mismatch),
        (signed().with("x-amz-copy-source", "/victim/key"), AccessDenied),
        (signed().edited("host;", ""), AccessDenied),
        (signed().edited("host;", "Host;"), AccessDenied),
    ]);
}

#[test]
fn a_request_must_tell_its_payload_date_and_no_token() {
    use ErrorCode::AccessDenied;
    use ErrorCode::InvalidArgument;
    use ErrorCode::InvalidRequest;
    use ErrorCode::SignatureDoesNotMatch as Mismatch;
    let payload = |value: &str| signed().with("x-amz-content-sha256", value);
    let date = |value: &str| signed().with("x-amz-date", value);
    let with_token = plain().with("x-amz-security-token", "t").signed(SignedPayload::Unsigned, at(NOW));
    assert_refused([
        (payload(&"0".repeat(64)), Mismatch),
        (payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), Mismatch),
        (payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), Mismatch),
        (payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"), Mismatch),
        (payload("unsigned-payload"), InvalidArgument),
        (payload(""), InvalidArgument),
        (payload("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"), InvalidArgument),
        (payload(&"0".repeat(63)), InvalidArgument),
        (signed().without("x-amz-content-sha256"), InvalidRequest),
        (signed().without("x-amz-date"), AccessDenied),
        (date(""), AccessDenied),
        (date("Bad Date"), AccessDenied),
        (date("Tue, 07 Jul 1950 21:53:04 GMT"), AccessDenied),
        (date("20130525T000000Z"), ErrorCode::AuthorizationHeaderMalformed),
        (with_token, ErrorCode::InvalidToken),
    ]);
}

#[test]
fn every_kind_of_payload_needs_the_right_signature() {
    for payload in [
        SignedPayload::Unsigned,
        SignedPayload::of(b"body"),
        SignedPayload::SignedChunks { trailer: false },
        SignedPayload::SignedChunks { trailer: true },
        SignedPayload::UnsignedChunks,
    ] {
        let request = plain().signed(payload, at(NOW));
        assert_eq!(request.identity(at(NOW)), Ok(root()), "{payload:?}");
        let value = request.header("authorization");
        let last = value.chars().next_back().unwrap();
        let flipped = format!("{}{}", &value[..value.len() - 1], if last == '0' { '1' } else { '0' });
        let error = request.with("authorization", &flipped).refusal(at(NOW));
        assert_eq!(error.code, ErrorCode::SignatureDoesNotMatch, "{payload:?}");
    }
}

#[test]
fn every_amz_header_must_be_signed() {
    for name in [
        "x-amz-copy-source",
        "x-amz-acl",
        "x-amz-tagging",
        "x-amz-meta-b",
        "x-amz-object-lock-mode",
        "x-amz-grant-full-control",
        "x-amz-security-token",
        "x-amz-content-sha256",
        "x-amz-date",
    ] {
        let error = presigned().with(name, "UNSIGNED-PAYLOAD").refusal(at(NOW));
        let code =
            if name == "x-amz-security-token" { ErrorCode::InvalidToken } else { ErrorCode::AccessDenied };
        assert_eq!(error.code, code, "{name}");
        if code == ErrorCode::AccessDenied {
            assert_eq!(extra(&error, "HeadersNotSigned"), name);
        }
    }
    let two = signed().with("x-amz-one", "1").with("x-amz-two", "2").refusal(at(NOW));
    assert_eq!(extra(&two, "HeadersNotSigned"), "x-amz-one, x-amz-two");
    // What SDKs leave out of presigned signatures, and only there.
    for name in ["x-amz-user-agent", "x-amz-checksum-mode"] {
        assert_eq!(presigned().with(name, "x").identity(at(NOW)), Ok(root()), "{name}");
        assert_eq!(signed().with(name, "x").refusal(at(NOW)).code, ErrorCode::AccessDenied, "{name}");
    }
}

#[test]
fn a_query_without_all_its_parameters_is_refused_and_never_anonymous() {
    use ErrorCode::AuthorizationQueryParametersError as Malformed;
    let without = |name: &str| {
        let request = presigned();
        let kept: Vec<&str> =
            request.query.split('&').filter(|parameter| !parameter.starts_with(name)).collect();
        Request { query: kept.join("&"), ..request.clone() }
    };
    let query = |query: &str| Request { query: query.to_owned(), ..presigned() };
    assert_refused([
        (without("X-Amz-Algorithm"), Malformed),
        (without("X-Amz-Credential"), Malformed),
        (without("X-Amz-Date"), Malformed),
        (without("X-Amz-Expires"), Malformed),
        (without("X-Amz-SignedHeaders"), Malformed),
        (without("X-Amz-Signature"), Malformed),
        (
            query("X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"),
            Malformed,
        ),
        (query("x-amz-signature=0"), Malformed),
        (query("X-Amz-Algorithm"), Malformed),
        (query("AWSAccessKeyId=a&Signature=b&Expires=1"), ErrorCode::InvalidRequest),
    ]);
}

#[test]
fn a_bent_query_is_refused() {
    use ErrorCode::AuthorizationQueryParametersError as Malformed;
    use ErrorCode::SignatureDoesNotMatch as Mismatch;
    assert_refused([
        (in_query("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), Malformed),
        (in_query("x-id", "X-Amz-Expires=1&x-id"), Malformed),
        (in_query("x-id", "x-amz-signature=0&x-id"), Malformed),
        (in_query("x-id", "x-amz-security-token=t&x-id"), ErrorCode::InvalidToken),
        (in_query("%2Fs3%2F", "%2Fec2%2F"), Malformed),
        (in_query("%2Faws4_request", ""), Malformed),
        (in_query("%2F20130524%2F", "%2F20130525%2F"), Malformed),
        (in_query("X-Amz-Date=20130524T", "X-Amz-Date=20130525T"), Malformed),
        (in_query("X-Amz-Date=20130524T000000Z", "X-Amz-Date=yesterday"), Malformed),
        (in_query("X-Amz-Credential=A", "X-Amz-Credential=%ff"), Malformed),
        (in_query("Expires=3600", "Expires=hour"), Malformed),
        (in_query("Expires=3600", "Expires="), Malformed),
        (in_query("Expires=3600", "Expires=-1"), ErrorCode::AccessDenied),
        (in_query("Expires=3600", "Expires=0"), ErrorCode::AccessDenied),
        (in_query("Expires=3600", "Expires=604801"), Malformed),
        (in_query("Expires=3600", "Expires=99999999999999999999999999"), Malformed),
        (in_query("Expires=3600", "Expires=604800"), Mismatch),
        (in_query("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLF"), ErrorCode::InvalidAccessKeyId),
        (in_query("SignedHeaders=host", "SignedHeaders=range"), ErrorCode::AccessDenied),
        (in_query("SignedHeaders=host", "SignedHeaders=host%3Brange"), Mismatch),
        (in_query("x-id=PutObject", "x-id=GetObject"), Mismatch),
        (in_query("x-id=PutObject", "x-id=PutObject&acl"), Mismatch),
        (Request { method: "DELETE".to_owned(), ..presigned() }, Mismatch),
        (Request { path: "/bucket/other".to_owned(), ..presigned() }, Mismatch),
        (presigned().with("host", "elsewhere"), Mismatch),
    ]);
}

#[test]
fn a_presigned_request_names_its_parameters_in_any_case() {
    let query = "x-amz-algorithm=AWS4-HMAC-SHA256\
                 &x-amz-credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request\
                 &x-amz-date=20130524T000000Z&x-amz-expires=60&x-amz-signedheaders=host";
    let mut request = Request { query: query.to_owned(), ..presigned() };
    let signature = signature(&request, NOW, &["host"]);
    request.query = format!("{query}&x-amz-signature={signature}");
    assert_eq!(request.identity(at(NOW)), Ok(root()));
    // Who changes a name afterwards changes what was signed.
    let renamed = Request { query: request.query.replace("x-amz-date", "X-Amz-Date"), ..request };
    assert_eq!(renamed.refusal(at(NOW)).code, ErrorCode::SignatureDoesNotMatch);
}

#[test]
fn two_ways_at_once_are_one_too_many() {
    let value = signed().header("authorization");
    for request in [
        presigned().with("authorization", &value),
        Request { query: "AWSAccessKeyId=a&Signature=b&Expires=1".to_owned(), ..signed() },
        Request { query: "X-Amz-Signature=0".to_owned(), ..signed() },
    ] {
        let error = request.refusal(at(NOW));
        assert_eq!(error.code, ErrorCode::InvalidArgument);
        assert!(error.message.starts_with("Only one auth mechanism allowed"));
    }
    let mut twice = signed();
    twice.headers.push(("authorization".to_owned(), value.into_bytes()));
    assert_eq!(twice.refusal(at(NOW)).code, ErrorCode::AuthorizationHeaderMalformed);
}

#[test]
fn a_clock_may_be_fifteen_minutes_off() {
    for (now, accepted) in [
        ("20130524T001500Z", true),
        ("20130523T234500Z", true),
        ("20130524T001501Z", false),
        ("20130523T234459Z", false),
        ("20230524T000000Z", false),
    ] {
        assert_eq!(signed().identity(at(now)).is_ok(), accepted, "{now}");
    }
    let error = signed().refusal(at("20130524T003000Z"));
    assert_eq!((error.code, error.code.status()), (ErrorCode::RequestTimeTooSkewed, 403));
    assert_eq!(extra(&error, "RequestTime"), NOW);
    assert_eq!(extra(&error, "ServerTime"), "2013-05-24T00:30:00Z");
    assert_eq!(extra(&error, "MaxAllowedSkewMilliseconds"), "900000");
}

#[test]
fn a_presigned_request_expires() {
    assert!(presigned().identity(at("20130524T010000Z")).is_ok());
    assert!(presigned().identity(at("20130523T234500Z")).is_ok());
    let error = presigned().refusal(at("20130524T010001Z"));
    assert_eq!((error.code, &*error.message), (ErrorCode::AccessDenied, "Request has expired"));
    assert_eq!(extra(&error, "X-Amz-Expires"), "3600");
    assert_eq!(extra(&error, "Expires"), "2013-05-24T01:00:00Z");
    assert_eq!(extra(&error, "ServerTime"), "2013-05-24T01:00:01Z");
    let early = presigned().refusal(at("20130523T234459Z"));
    assert_eq!((early.code, &*early.message), (ErrorCode::AccessDenied, "Request is not valid yet"));
}

#[test]
fn a_date_is_read_from_either_header_in_either_form() {
    let http = "Fri, 24 May 2013 00:00:00 GMT";
    let later = "Fri, 24 May 2013 01:00:00 GMT";
    for (dates, code) in [
        (&[("x-amz-date", http)][..], None),
        (&[("date", http)], None),
        (&[("date", NOW)], None),
        (&[("date", "nonsense"), ("x-amz-date", NOW)], None),
        (&[("date", later), ("x-amz-date", NOW)], None),
        (&[("date", ""), ("x-amz-date", http)], None),
        (&[("date", NOW), ("x-amz-date", "")], Some(ErrorCode::AccessDenied)),
        (&[("date", later)], Some(ErrorCode::RequestTimeTooSkewed)),
        (&[("date", "Tue, 07 Jul 9999 21:53:04 GMT")], Some(ErrorCode::AuthorizationHeaderMalformed)),
    ] {
        let request = dates.iter().fold(plain(), |request, (name, value)| request.with(name, value));
        let request = request.with("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
        let mut names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20130524/us-east-1/s3/aws4_request, SignedHeaders={}, \
             Signature={}",
            names.join(";"),
            signature(&request, NOW, &names)
        );
        let identity = request.clone().with("authorization", &authorization).identity(at(NOW));
        assert_eq!(identity.err().map(|error| error.code), code, "{dates:?}");
    }
}

#[test]
fn the_region_counts_when_it_is_told_to() {
    let abroad = |region: &str| {
        let credentials = Credentials { region: region.to_owned(), ..credentials() };
        let request = plain();
        let head = request
            .with_head(|head| sign::sign_head(&credentials, head, SignedPayload::Unsigned, at(NOW)).headers);
        head.into_iter().fold(request, |request, (name, value)| request.with(name, &value))
    };
    // An admin client signs with an empty region.
    for region in ["us-east-1", "eu-west-1", ""] {
        assert_eq!(abroad(region).identity(at(NOW)), Ok(root()), "{region}");
    }
    assert!(abroad("us-east-1").authenticate(&strict(), at(NOW)).is_ok());
    let error = abroad("eu-west-1").authenticate(&strict(), at(NOW)).err().unwrap();
    assert_eq!((error.code, error.code.status()), (ErrorCode::AuthorizationHeaderMalformed, 400));
    assert_eq!(
        error.message,
        "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-east-1'"
    );
    assert_eq!(extra(&error, "Region"), "us-east-1");
}

#[test]
fn a_mismatch_tells_what_was_signed_and_never_the_secret() {
    let error = signed().with("x-amz-meta-a", "<\u{7}>").refusal(at(NOW));
    assert_eq!(extra(&error, "AWSAccessKeyId"), ACCESS_KEY);
    assert_eq!(extra(&error, "SignatureProvided").len(), 64);
    let message = extra(&error, "StringToSign");
    assert!(message.starts_with("AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"));
    assert!(extra(&error, "StringToSignBytes").starts_with("41 57 53 34 2d"));
    let request = extra(&error, "CanonicalRequest");
    assert!(request.starts_with("PUT\n/bucket/key\n\nhost:localhost:9000\n"), "{request}");
    assert!(request.contains("x-amz-meta-a:<\u{fffd}>\n"));
    assert_eq!(extra(&error, "CanonicalRequestBytes").get(..8), Some("50 55 54"));
    assert!(!format!("{error:?}").contains(SECRET_KEY));
    let long = signed().with("x-amz-meta-a", &"a".repeat(TOLD_BYTES_MAX)).refusal(at(NOW));
    assert!(long.extra.iter().all(|(name, _)| !name.starts_with("CanonicalRequest")));
}

#[test]
fn no_default_or_empty_credentials_are_known() {
    for access_key in ["minioadmin", "rustfsadmin", "admin", "", "anonymous"] {
        let credentials = Credentials { access_key: access_key.to_owned(), ..credentials() };
        let request = plain();
        let head = request
            .with_head(|head| sign::sign_head(&credentials, head, SignedPayload::Unsigned, at(NOW)).headers);
        let request = head.into_iter().fold(request, |request, (name, value)| request.with(name, &value));
        assert_eq!(request.refusal(at(NOW)).code, ErrorCode::InvalidAccessKeyId, "{access_key}");
    }
    assert_eq!(plain().identity(at(NOW)), Ok(Identity::Anonymous));
}
