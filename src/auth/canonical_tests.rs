#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

fn query(raw: &str) -> String {
    let mut out = Vec::new();
    push_query(raw, &mut out);
    String::from_utf8(out).unwrap()
}

fn path(raw: &str) -> String {
    let mut out = Vec::new();
    push_recoded(raw.as_bytes(), Text::Path, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn paths_are_recoded_and_never_normalised() {
    for (raw, canonical) in [
        ("/", "/"),
        ("/bucket/key", "/bucket/key"),
        ("/b//k", "/b//k"),
        ("/b/./k/../k", "/b/./k/../k"),
        ("/b/%2e%2e/k", "/b/../k"),
        ("/b/a%2Fb", "/b/a%2Fb"),
        ("/b/a%2fb", "/b/a%2Fb"),
        ("/b/a+b", "/b/a%2Bb"),
        ("/b/a%2Bb", "/b/a%2Bb"),
        ("/b/a b", "/b/a%20b"),
        ("/b/%252e", "/b/%252e"),
        ("/b/%7Euser", "/b/~user"),
        ("/b/\u{e9}", "/b/%C3%A9"),
        ("/b/%c3%a9", "/b/%C3%A9"),
        ("/b/100%", "/b/100%25"),
        ("/b/%zz", "/b/%25zz"),
        ("/b/a=b&c:d@e,f;g!h*i'j(k)", "/b/a%3Db%26c%3Ad%40e%2Cf%3Bg%21h%2Ai%27j%28k%29"),
    ] {
        assert_eq!(path(raw), canonical, "{raw}");
    }
}

#[test]
fn queries_are_sorted_by_encoded_name_then_value() {
    for (raw, canonical) in [
        ("", ""),
        ("acl", "acl="),
        ("acl=", "acl="),
        ("prefix=J&max-keys=2", "max-keys=2&prefix=J"),
        ("b=2&a=2&a=1&a", "a=&a=1&a=2&b=2"),
        ("&a=1&&b=2&", "a=1&b=2"),
        ("a=b=c", "a=b%3Dc"),
        ("prefix=a+b", "prefix=a%20b"),
        ("prefix=a%20b", "prefix=a%20b"),
        ("prefix=a%2Bb", "prefix=a%2Bb"),
        ("prefix=env:/", "prefix=env%3A%2F"),
        ("delimiter=/&a=%7e", "a=~&delimiter=%2F"),
        ("a1=x&a=x", "a=x&a1=x"),
        ("X-Amz-Signature=0&X-Amz-Date=1&x-amz-signature=2", "X-Amz-Date=1"),
    ] {
        assert_eq!(query(raw), canonical, "{raw}");
    }
}

#[test]
fn header_values_are_trimmed_collapsed_and_joined() {
    let headers: [(&str, &[u8]); 4] = [
        ("host", b"  example.com "),
        ("x-amz-meta-a", b"one   two\tthree"),
        ("x-amz-meta-b", b""),
        ("x-amz-meta-a", b" \xff "),
    ];
    let head = RequestHead { method: "GET", path: "/", query: "", headers: &headers };
    let covered = Covered {
        headers: &["host", "missing", "x-amz-meta-a", "x-amz-meta-b", "x-amz-missing"],
        payload: "UNSIGNED-PAYLOAD",
        accept_encoding: None,
    };
    let mut expected = b"GET\n/\n\nhost:example.com\nmissing:\nx-amz-meta-a:one two three,".to_vec();
    expected.push(0xff);
    expected.extend_from_slice(
        b"\nx-amz-meta-b:\n\nhost;missing;x-amz-meta-a;x-amz-meta-b;x-amz-missing\nUNSIGNED-PAYLOAD",
    );
    assert_eq!(request(&head, &covered), expected);
}
