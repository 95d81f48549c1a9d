#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::auth::fixture::ACCESS_KEY;
use crate::auth::fixture::OneKey;
use crate::auth::fixture::at;
use crate::auth::fixture::extra;
use crate::auth::fixture::lenient;
use crate::auth::fixture::root;
use crate::auth::fixture::secret;
use crate::auth::signing_key::Scope;
use crate::auth::signing_key::SigningKey;
use crate::auth::signing_key::text;

const NOW: &str = "20151229T010000Z";
const DATE: &str = "20151229T000000Z";
const CREDENTIAL: &str = "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request";
const BUCKET: &str = "sigv4examplebucket";

type Fields = &'static [(&'static str, &'static str)];

fn authenticate(fields: &[(&str, &str)]) -> Result<AuthenticatedForm, AuthError> {
    lenient().authenticate_form(&FormFields { bucket: BUCKET, fields }, &OneKey, at(NOW))
}

fn sign(policy: &str) -> String {
    let scope = Scope { date: "20151229", region: "us-east-1", service: "s3" };
    text(&SigningKey::derive(&secret(), &scope).sign(policy.as_bytes())).to_owned()
}

/// Signs a policy document and sends it with fields.
fn send_document(document: &str, fields: &[(&str, &str)]) -> Result<AuthenticatedForm, AuthError> {
    let policy = BASE64.encode(document);
    let signature = sign(&policy);
    let mut all = fields.to_vec();
    all.extend([
        ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
        ("x-amz-credential", CREDENTIAL),
        ("x-amz-date", DATE),
        ("policy", policy.as_str()),
        ("x-amz-signature", signature.as_str()),
    ]);
    authenticate(&all)
}

/// Conditions that cover the bucket and the authentication fields, and more.
fn send(conditions: &str, fields: &[(&str, &str)]) -> Result<AuthenticatedForm, AuthError> {
    let document = format!(
        r#"{{"expiration": "2015-12-30T12:00:00.000Z", "conditions": [
            {{"bucket": "{BUCKET}"}}, {{"x-amz-credential": "{CREDENTIAL}"}},
            {{"x-amz-algorithm": "AWS4-HMAC-SHA256"}}, {{"x-amz-date": "{DATE}"}}, {conditions}]}}"#
    );
    send_document(&document, fields)
}

fn code(result: &Result<AuthenticatedForm, AuthError>) -> Option<ErrorCode> {
    result.as_ref().err().map(|error| error.code)
}

/// The policy of AWS's example, with the line ends of its base64 form.
fn example_policy() -> String {
    let lines = [
        r#"{ "expiration": "2015-12-30T12:00:00.000Z","#,
        r#"  "conditions": ["#,
        r#"    {"bucket": "sigv4examplebucket"},"#,
        r#"    ["starts-with", "$key", "user/user1/"],"#,
        r#"    {"acl": "public-read"},"#,
        r#"    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},"#,
        r#"    ["starts-with", "$Content-Type", "image/"],"#,
        r#"    {"x-amz-meta-uuid": "14365123651274"},"#,
        r#"    {"x-amz-server-side-encryption": "AES256"},"#,
        r#"    ["starts-with", "$x-amz-meta-tag", ""],"#,
        r#""#,
        r#"    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},"#,
        r#"    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},"#,
        r#"    {"x-amz-date": "20151229T000000Z" }"#,
        r#"  ]"#,
        r#"}"#,
    ];
    BASE64.encode(lines.join("\r\n"))
}

#[test]
fn the_example_of_aws_is_allowed() {
    let policy = example_policy();
    let redirect = "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html";
    let fields = [
        ("key", "user/user1/photo.jpg"),
        ("acl", "public-read"),
        ("success_action_redirect", redirect),
        ("content-type", "image/jpeg"),
        ("x-amz-meta-uuid", "14365123651274"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-credential", CREDENTIAL),
        ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
        ("x-amz-date", DATE),
        ("x-amz-meta-tag", ""),
        ("policy", policy.as_str()),
        ("x-amz-signature", "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"),
    ];
    assert_eq!(authenticate(&fields).unwrap().identity(), &root());
    // Every single change is refused, where the policy does not allow anything.
    for index in (0..fields.len()).filter(|index| fields[*index].0 != "x-amz-meta-tag") {
        let mut bent = fields;
        bent[index].1 = "changed";
        assert!(authenticate(&bent).is_err(), "{}", bent[index].0);
    }
}

#[test]
fn a_form_without_authentication_is_anonymous() {
    let form = authenticate(&[("key", "k"), ("acl", "private")]).unwrap();
    assert_eq!((form.identity(), form.length_max()), (&Identity::Anonymous, None));
    assert!(form.check_length(u64::MAX).is_ok());
}

#[test]
fn a_form_that_lost_a_field_is_refused_and_never_anonymous() {
    let policy = BASE64.encode("{}");
    let all = [
        ("key", "k"),
        ("policy", policy.as_str()),
        ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
        ("x-amz-credential", CREDENTIAL),
        ("x-amz-date", DATE),
        ("x-amz-signature", "0"),
    ];
    for index in 0..all.len() {
        let mut fields = all.to_vec();
        let (name, _) = fields.remove(index);
        let error = authenticate(&fields).unwrap_err();
        assert_eq!((error.code, error.code.status()), (ErrorCode::InvalidArgument, 400), "{name}");
        assert!(extra(&error, "ArgumentName").eq_ignore_ascii_case(name));
    }
    let version2 = [("key", "k"), ("awsaccesskeyid", ACCESS_KEY), ("policy", &policy), ("signature", "x")];
    assert_eq!(code(&authenticate(&version2)), Some(ErrorCode::InvalidRequest));
}

#[test]
fn a_bent_signature_or_credential_is_refused() {
    let policy = example_policy();
    let signature = sign(&policy);
    let with = |name: &str, value: &str| {
        let mut fields = vec![
            ("key", "k"),
            ("policy", policy.as_str()),
            ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
            ("x-amz-credential", CREDENTIAL),
            ("x-amz-date", DATE),
            ("x-amz-signature", signature.as_str()),
        ];
        fields.iter_mut().filter(|(given, _)| *given == name).for_each(|field| field.1 = value);
        code(&authenticate(&fields)).unwrap()
    };
    let zeros = "0".repeat(64);
    let other_key = CREDENTIAL.replace(ACCESS_KEY, "AKIAIOSFODNN7EXAMPLF");
    assert_eq!(with("x-amz-signature", &zeros), ErrorCode::SignatureDoesNotMatch);
    assert_eq!(with("x-amz-signature", &signature.to_ascii_uppercase()), ErrorCode::SignatureDoesNotMatch);
    assert_eq!(with("policy", &policy.replacen('e', "f", 1)), ErrorCode::SignatureDoesNotMatch);
    assert_eq!(with("x-amz-credential", &other_key), ErrorCode::InvalidAccessKeyId);
    assert_eq!(with("x-amz-credential", "a/b"), ErrorCode::AuthorizationQueryParametersError);
    assert_eq!(with("x-amz-date", "20151230T000000Z"), ErrorCode::AuthorizationQueryParametersError);
    assert_eq!(with("x-amz-date", "today"), ErrorCode::AuthorizationQueryParametersError);
    assert_eq!(with("x-amz-algorithm", "AWS4-ECDSA-P256-SHA256"), ErrorCode::InvalidRequest);
}

#[test]
fn conditions_are_held_against_the_fields() {
    let key = r#"["starts-with", "$key", "user/"]"#;
    let cases: [(&str, Fields, bool); 18] = [
        (key, &[("key", "user/a")], true),
        (key, &[("key", "users")], false),
        (r#"["STARTS-with", "$KeY", "user/"]"#, &[("key", "user/a")], true),
        (r#"["eq", "$key", "user/a"]"#, &[("key", "user/a")], true),
        (r#"["eq", "$key", "user/a"]"#, &[("key", "user/ab")], false),
        (r#"["eq", "$key", "\\$foo"]"#, &[("key", r"\$foo")], true),
        (r#"{"KEY": "user/a"}"#, &[("key", "user/a")], true),
        (r#"{"key": "user/a"}"#, &[("key", "user/A")], false),
        // Both of two fields of one name must be allowed.
        (key, &[("key", "user/a"), ("key", "victim/a")], false),
        (key, &[("key", "user/a"), ("acl", "private")], false),
        (key, &[("key", "user/a"), ("x-amz-meta-a", "")], false),
        (key, &[("key", "user/a"), ("x-ignore-a", "1"), ("file", "f")], true),
        (key, &[("key", "user/a"), ("bucket", BUCKET)], true),
        (key, &[("key", "user/a"), ("bucket", "victim")], false),
        (r#"["starts-with", "$key", ""], {"acl": "private"}"#, &[("key", "k")], false),
        (r#"["starts-with", "$key", ""], ["starts-with", "$acl", ""]"#, &[("key", "k")], true),
        (
            r#"["starts-with", "$key", ""], ["starts-with", "$Content-Type", "image/"]"#,
            &[("key", "k"), ("content-type", "image/png, image/gif")],
            true,
        ),
        (
            r#"["starts-with", "$key", ""], ["starts-with", "$Content-Type", "image/"]"#,
            &[("key", "k"), ("content-type", "image/png,text/html")],
            false,
        ),
    ];
    for (conditions, fields, allowed) in cases {
        let sent = send(conditions, fields);
        let expected = if allowed { None } else { Some(ErrorCode::AccessDenied) };
        assert_eq!(code(&sent), expected, "{conditions} {fields:?}");
    }
}

#[test]
fn the_refusal_names_what_was_not_met() {
    let message = |conditions, fields: &[_]| send(conditions, fields).unwrap_err().message.into_owned();
    assert_eq!(
        message(r#"["starts-with", "$Key", "user/"]"#, &[("key", "k")]),
        r#"Invalid according to Policy: Policy Condition failed: ["starts-with","$key","user/"]"#
    );
    assert_eq!(
        message(r#"{"key": "k"}"#, &[("key", "k"), ("acl", "private")]),
        "Invalid according to Policy: Extra input fields: acl"
    );
}

#[test]
fn the_bucket_must_be_covered() {
    let document = format!(
        r#"{{"expiration": "2015-12-30T12:00:00Z", "conditions": [["starts-with", "$key", ""],
            {{"x-amz-credential": "{CREDENTIAL}"}}, {{"x-amz-algorithm": "AWS4-HMAC-SHA256"}},
            {{"x-amz-date": "{DATE}"}}]}}"#
    );
    let sent = send_document(&document, &[("key", "k")]);
    assert_eq!(sent.unwrap_err().message, "Invalid according to Policy: Extra input fields: bucket");
    let other = document.replace("[[", r#"[{"bucket": "other"}, ["#);
    assert_eq!(code(&send_document(&other, &[("key", "k")])), Some(ErrorCode::AccessDenied));
}

#[test]
fn lengths_are_bounded_on_both_sides() {
    let form = send(r#"{"key": "k"}, ["content-length-range", 2, "10"]"#, &[("key", "k")]).unwrap();
    assert_eq!(form.length_max(), Some(10));
    assert!(form.check_length(2).is_ok() && form.check_length(10).is_ok());
    let small = form.check_length(1).unwrap_err();
    assert_eq!((small.code, extra(&small, "MinSizeAllowed")), (ErrorCode::EntityTooSmall, "2"));
    let large = form.check_length(11).unwrap_err();
    assert_eq!((large.code, large.code.status()), (ErrorCode::EntityTooLarge, 400));
    assert_eq!((extra(&large, "ProposedSize"), extra(&large, "MaxSizeAllowed")), ("11", "10"));
    let both = r#"{"key": "k"}, ["content-length-range", 0, 5], ["content-length-range", 3, 9]"#;
    let form = send(both, &[("key", "k")]).unwrap();
    assert!(form.check_length(2).is_err() && form.check_length(4).is_ok() && form.check_length(6).is_err());
}

#[test]
fn a_policy_expires() {
    let document = |expiration: &str| {
        format!(r#"{{"expiration": "{expiration}", "conditions": [["starts-with", "$key", ""]]}}"#)
    };
    for expiration in ["2015-12-29T00:59:59Z", "2015-12-29T00:59:59.999Z", "1970-01-01T00:00:00Z"] {
        let error = send_document(&document(expiration), &[("key", "k")]).unwrap_err();
        assert_eq!((error.code, error.code.status()), (ErrorCode::AccessDenied, 403), "{expiration}");
        assert_eq!(error.message, "Invalid according to Policy: Policy expired.");
    }
}

#[test]
fn a_malformed_policy_is_refused() {
    let conditions =
        |conditions: &str| format!(r#"{{"expiration": "2015-12-30T12:00:00Z", "conditions": {conditions}}}"#);
    let whole = |document: &str| document.to_owned();
    for document in [
        whole(""),
        whole("null"),
        whole("[]"),
        whole("{"),
        whole(r#"{"conditions": []}"#),
        whole(r#"{"expiration": "2015-12-30T12:00:00Z"}"#),
        whole(r#"{"EXPIRATION": "2015-12-30T12:00:00Z", "conditions": []}"#),
        whole(r#"{"expiration": "2015-12-30T12:00:00Z", "CONDITIONS": []}"#),
        whole(r#"{"expiration": "2015-12-30 12:00:00.000+00:00", "conditions": []}"#),
        whole(r#"{"expiration": "tomorrow", "conditions": []}"#),
        whole(r#"{"expiration": 1451476800, "conditions": []}"#),
        conditions("{}"),
        conditions("[{}]"),
        conditions(r#"[{"a": "b", "c": "d"}]"#),
        conditions(r#"[{"a": 1}]"#),
        conditions(r#"["key"]"#),
        conditions("[[]]"),
        conditions(r#"[["eq", "$key"]]"#),
        conditions(r#"[["eq", "key", "k"]]"#),
        conditions(r#"[["eq", "$key", "k", "l"]]"#),
        conditions(r#"[["ends-with", "$key", "k"]]"#),
        conditions(r#"[["content-length-range", 0]]"#),
        conditions(r#"[["content-length-range", -1, 0]]"#),
        conditions(r#"[["content-length-range", 2, 1]]"#),
        conditions(r#"[["content-length-range", "+1", "x"]]"#),
    ] {
        let error = send_document(&document, &[("key", "k")]).unwrap_err();
        assert_eq!((error.code, error.code.status()), (ErrorCode::InvalidPolicyDocument, 400), "{document}");
    }
    let signature = sign("not base64");
    let fields = [
        ("key", "k"),
        ("policy", "not base64"),
        ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
        ("x-amz-credential", CREDENTIAL),
        ("x-amz-date", DATE),
        ("x-amz-signature", signature.as_str()),
    ];
    assert_eq!(code(&authenticate(&fields)), Some(ErrorCode::InvalidPolicyDocument));
    // The signature is checked before the policy is looked at.
    let mut unsigned = fields;
    unsigned[5].1 = "0";
    assert_eq!(code(&authenticate(&unsigned)), Some(ErrorCode::SignatureDoesNotMatch));
}
