//! The signer of the protocol's authors as the oracle: what it signs verifies, and what was changed afterwards does not.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::time::Duration;
use std::time::UNIX_EPOCH;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::PayloadChecksumKind;
use aws_sigv4::http_request::PercentEncodingMode;
use aws_sigv4::http_request::SignableBody;
use aws_sigv4::http_request::SignableRequest;
use aws_sigv4::http_request::SignatureLocation;
use aws_sigv4::http_request::SigningSettings;
use aws_sigv4::http_request::UriPathNormalizationMode;
use aws_sigv4::sign::v4::SigningParams;
use percent_encoding::percent_decode_str;
use proptest::prelude::Just;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prelude::prop_assert;
use proptest::prelude::prop_assert_eq;
use proptest::prelude::prop_oneof;
use proptest::prelude::proptest;
use proptest::sample::Index;

use super::ChunkSigner;
use super::RequestHead;
use super::fixture::ACCESS_KEY;
use super::fixture::Request;
use super::fixture::SECRET_KEY;
use super::fixture::at;
use super::fixture::credentials;
use super::fixture::root;
use super::sign;
use super::sign::SignedPayload;
use crate::base::Timestamp;

const NOW: &str = "20261124T101112Z";
const HOUR: Duration = Duration::from_secs(3600);

fn keys() -> Credentials {
    Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "tests")
}

/// Signs with the oracle, in headers or in the query.
fn sign_by_oracle(mut request: Request, body: SignableBody<'_>, location: SignatureLocation) -> Request {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.expires_in = (location == SignatureLocation::QueryParams).then_some(HOUR);
    settings.signature_location = location;
    let identity = keys().into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("s3")
        .time(UNIX_EPOCH + Duration::from_secs(at(NOW).as_secs()))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let uri = format!("http://localhost{}?{}", request.path, request.query);
    let headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), String::from_utf8(value.clone()).unwrap()))
        .collect();
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let signable = SignableRequest::new(&request.method, uri, headers, body).unwrap();
    let (instructions, _) = aws_sigv4::http_request::sign(signable, &params).unwrap().into_parts();
    let (headers, parameters) = instructions.into_parts();
    for header in headers {
        request = request.with(header.name(), header.value());
    }
    for (name, value) in parameters {
        let joint = if request.query.is_empty() { "" } else { "&" };
        request.query = format!("{}{joint}{name}={}", request.query, sign::encoded(&value));
    }
    request
}

/// Any key: segments may be empty, dots, or anything a client percent-encodes.
fn path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        Just(String::new()),
        Just(".".to_owned()),
        Just("..".to_owned()),
        "[a-zA-Z0-9._~-]{1,12}",
        "\\PC{1,8}",
        "[ +%/&=?#:;,'\"()!*@$<>-]{1,6}",
    ];
    proptest::collection::vec(segment, 1..6).prop_map(|segments| {
        let encoded: Vec<String> = segments.iter().map(|segment| sign::encoded(segment)).collect();
        format!("/bucket/{}", encoded.join("/"))
    })
}

fn query() -> impl Strategy<Value = String> {
    let parameter = ("[a-z][a-z0-9-]{0,10}", "\\PC{0,10}", any::<bool>());
    proptest::collection::vec(parameter, 0..6).prop_map(|parameters| {
        let written = parameters.iter().map(|(name, value, bare)| match *bare && value.is_empty() {
            true => name.clone(),
            false => format!("{name}={}", sign::encoded(value)),
        });
        written.collect::<Vec<_>>().join("&")
    })
}

fn request() -> impl Strategy<Value = Request> {
    let method = prop_oneof![Just("GET"), Just("PUT"), Just("HEAD"), Just("POST"), Just("DELETE")];
    let metadata = proptest::collection::btree_map("[a-z]{1,8}", "[ -~]{0,20}", 0..4);
    (method, path(), query(), metadata).prop_map(|(method, path, query, metadata)| {
        let host = [("host", "localhost")];
        let request = Request::new(method, &path, &query, &host);
        metadata
            .iter()
            .fold(request, |request, (name, value)| request.with(&format!("x-amz-meta-{name}"), value))
    })
}

fn body() -> impl Strategy<Value = SignableBody<'static>> {
    prop_oneof![
        Just(SignableBody::Bytes(b"some bytes")),
        Just(SignableBody::UnsignedPayload),
        Just(SignableBody::StreamingUnsignedPayloadTrailer),
        Just(SignableBody::Precomputed("STREAMING-AWS4-HMAC-SHA256-PAYLOAD".to_owned())),
    ]
}

fn signed() -> impl Strategy<Value = Request> {
    (request(), body(), any::<bool>()).prop_map(|(request, body, in_query)| match in_query {
        true => sign_by_oracle(request, SignableBody::UnsignedPayload, SignatureLocation::QueryParams),
        false => sign_by_oracle(request, body, SignatureLocation::Headers),
    })
}

/// What a request means: two that mean the same may have the same signature.
#[derive(PartialEq)]
struct Meaning {
    method: String,
    segments: Vec<Vec<u8>>,
    parameters: Vec<[Vec<u8>; 2]>,
    headers: Vec<(String, String)>,
}

fn meaning(request: &Request) -> Meaning {
    let decoded = |text: &str| -> Vec<u8> { percent_decode_str(text).collect() };
    let parameter = |written: &str| {
        let plain = written.replace('+', "%20");
        let (name, value) = plain.split_once('=').unwrap_or((&plain, ""));
        // The one name that nothing signs, and that is read in any case.
        let signature = name.eq_ignore_ascii_case("x-amz-signature");
        [decoded(if signature { "x-amz-signature" } else { name }), decoded(value)]
    };
    let words =
        |value: &[u8]| String::from_utf8_lossy(value).split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let mut parameters: Vec<[Vec<u8>; 2]> =
        request.query.split('&').filter(|written| !written.is_empty()).map(parameter).collect();
    parameters.sort();
    Meaning {
        method: request.method.clone(),
        segments: request.path.split('/').map(decoded).collect(),
        parameters,
        headers: request.headers.iter().map(|(name, value)| (name.clone(), words(value))).collect(),
    }
}

/// Flips one bit, when the result can still arrive: printable ASCII, no new place where the path or query ends.
fn flipped(text: &str, at: Index, bit: u8) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    if bytes.is_empty() {
        return None;
    }
    let at = at.index(bytes.len());
    bytes[at] ^= 1 << bit;
    let allowed = bytes[at].is_ascii_graphic() && !matches!(bytes[at], b'?' | b'#');
    allowed.then(|| String::from_utf8(bytes).unwrap())
}

proptest! {
    #[test]
    fn what_the_oracle_signs_in_headers_verifies(request in request(), body in body()) {
        let request = sign_by_oracle(request, body, SignatureLocation::Headers);
        prop_assert_eq!(request.identity(at(NOW)), Ok(root()));
    }

    #[test]
    fn what_the_oracle_presigns_verifies(request in request()) {
        let request = sign_by_oracle(request, SignableBody::UnsignedPayload, SignatureLocation::QueryParams);
        prop_assert_eq!(request.identity(at(NOW)), Ok(root()));
    }

    #[test]
    fn what_we_sign_is_what_the_oracle_signs(request in request()) {
        let theirs = sign_by_oracle(request.clone(), SignableBody::Bytes(b"body"), SignatureLocation::Headers);
        let ours = request.clone().signed(SignedPayload::of(b"body"), at(NOW));
        prop_assert_eq!(ours.header("authorization").replace(' ', ""), theirs.header("authorization").replace(' ', ""));
        let theirs = sign_by_oracle(request.clone(), SignableBody::UnsignedPayload, SignatureLocation::QueryParams);
        let ours = request.with_head(|head| sign::presign(&credentials(), head, HOUR, at(NOW)));
        let signature = |query: &str| query.rsplit_once("X-Amz-Signature=").unwrap().1.to_owned();
        prop_assert_eq!(signature(&ours), signature(&theirs.query));
    }

    /// Method, path, query or a header: whatever bit is flipped, the request is refused or still means the same.
    #[test]
    fn a_flipped_bit_is_refused(request in signed(), which in any::<Index>(), place in any::<Index>(), bit in 0..8_u8) {
        let mut bent = request.clone();
        match which.index(3 + request.headers.len()) {
            0 => bent.method = flipped(&request.method, place, bit).unwrap_or(request.method.clone()),
            1 => bent.path = flipped(&request.path, place, bit).unwrap_or(request.path.clone()),
            2 => bent.query = flipped(&request.query, place, bit).unwrap_or(request.query.clone()),
            header => {
                let value = &mut bent.headers[header - 3].1;
                if !value.is_empty() {
                    let place = place.index(value.len());
                    value[place] ^= 1 << bit;
                }
            }
        }
        if meaning(&bent) != meaning(&request) {
            prop_assert!(bent.identity(at(NOW)) != Ok(root()), "{bent:?}");
        }
    }

    /// A header or parameter more, or a header less.
    #[test]
    fn what_was_added_or_taken_away_is_refused(request in signed(), which in any::<Index>()) {
        let added = request.clone().with("x-amz-acl", "public-read");
        prop_assert!(added.identity(at(NOW)) != Ok(root()));
        let joint = if request.query.is_empty() { "" } else { "&" };
        let longer = Request { query: format!("{}{joint}uploads", request.query), ..request.clone() };
        prop_assert!(longer.identity(at(NOW)) != Ok(root()));
        let name = request.headers[which.index(request.headers.len())].0.clone();
        prop_assert!(request.without(&name).identity(at(NOW)) != Ok(root()), "without {}", name);
    }

    #[test]
    fn chunks_are_signed_as_the_oracle_signs_them(chunks in proptest::collection::vec("\\PC{0,30}", 1..5)) {
        let head = RequestHead { method: "PUT", path: "/b/k", query: "", headers: &[("host", b"localhost")] };
        let payload = SignedPayload::SignedChunks { trailer: true };
        let signed = sign::sign_head(&credentials(), &head, payload, at(NOW));
        let mut seed = signed.headers[2].1.rsplit_once("Signature=").unwrap().1.to_owned();
        let mut ours: ChunkSigner = signed.chunks;
        let (identity, time) = (keys().into(), UNIX_EPOCH + Duration::from_secs(at(NOW).as_secs()));
        let params = SigningParams::builder()
            .identity(&identity).region("us-east-1").name("s3").time(time).settings(()).build().unwrap();
        for chunk in &chunks {
            let bytes = bytes::Bytes::copy_from_slice(chunk.as_bytes());
            let theirs = aws_sigv4::sign::v4::sign_chunk(&bytes, &seed, &params);
            seed = theirs.unwrap().into_parts().1;
            ours.update(chunk.as_bytes());
            prop_assert_eq!(ours.finish(), seed.clone());
        }
    }

    /// Nothing that arrives makes it panic.
    #[test]
    fn no_head_makes_it_panic(
        path in "\\PC{0,30}",
        query in "\\PC{0,60}",
        value in proptest::collection::vec(any::<u8>(), 0..80),
        now in any::<u64>(),
    ) {
        let request = Request::new("GET", &path, &query, &[("x-amz-date", NOW)]);
        let mut signed = request.clone().signed(SignedPayload::Unsigned, at(NOW));
        prop_assert!(signed.identity(Timestamp::from_millis(now)).is_err());
        for name in ["authorization", "x-amz-content-sha256", "x-amz-date"] {
            let mut bent = request.clone();
            bent.headers.push((name.to_owned(), value.clone()));
            let _ = bent.identity(at(NOW));
        }
        signed.query = format!("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={query}&X-Amz-Date={path}");
        let _ = signed.without("authorization").identity(at(NOW));
    }
}

#[test]
fn a_plus_in_a_query_is_a_signed_space() {
    let request = Request::new("GET", "/b", "prefix=hello%20world", &[("host", "localhost")]);
    let signed = sign_by_oracle(request, SignableBody::Bytes(b""), SignatureLocation::Headers);
    // Clients that write forms send the space as a plus after signing it as %20.
    let plus = Request { query: "prefix=hello+world".to_owned(), ..signed.clone() };
    assert_eq!(plus.identity(at(NOW)), Ok(root()));
    let encoded = Request { query: "prefix=hello%2Bworld".to_owned(), ..signed };
    assert!(encoded.identity(at(NOW)).is_err());
}

#[test]
fn a_plus_in_a_path_is_a_plus() {
    let request = Request::new("GET", "/b/a%2Bb", "", &[("host", "localhost")]);
    let signed = sign_by_oracle(request, SignableBody::Bytes(b""), SignatureLocation::Headers);
    assert_eq!(Request { path: "/b/a+b".to_owned(), ..signed.clone() }.identity(at(NOW)), Ok(root()));
    assert!(Request { path: "/b/a%20b".to_owned(), ..signed }.identity(at(NOW)).is_err());
}
