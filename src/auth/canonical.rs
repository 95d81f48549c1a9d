//! The canonical request and the string to sign
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html#canonical-request>).
//!
//! The path is taken as it came: each byte decoded once and encoded again by S3's rules, so `//`, `.`, `..` and `%2F`
//! stay what they are. In the query `+` is a space, as S3 reads it, and is signed as `%20`; in the path it is a plus.

use sha2::Digest as _;
use sha2::Sha256;

use super::RequestHead;
use super::signing_key::hex_digest;

/// The one algorithm there is.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The query parameter that is not signed: the signature itself.
const SIGNATURE_PARAMETER: &[u8] = b"x-amz-signature";

const UPPER_HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Whether a byte stands for itself by S3's rules: letters, digits, `-`, `.`, `_` and `~`.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// [`is_unreserved`] for every byte: most of a request is copied by looking here.
const UNRESERVED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = is_unreserved(byte as u8);
        byte += 1;
    }
    table
};

/// Appends `byte`, percent-encoded unless it stands for itself.
pub(super) fn push_encoded(byte: u8, out: &mut Vec<u8>) {
    if UNRESERVED[usize::from(byte)] {
        out.push(byte);
    } else {
        out.extend_from_slice(&[b'%', UPPER_HEX[usize::from(byte >> 4)], UPPER_HEX[usize::from(byte & 15)]]);
    }
}

/// What else than percent-encoding a text may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    /// A path: slashes separate.
    Path,
    /// A name or value of a query: a plus is a space.
    Parameter,
}

/// Decodes `raw` once and appends it encoded again. A `%` that begins no code is a percent sign.
fn push_recoded(raw: &[u8], text: Text, out: &mut Vec<u8>) {
    let plain = |byte: u8| UNRESERVED[usize::from(byte)] || (byte == b'/' && text == Text::Path);
    let mut rest = raw;
    loop {
        let run = rest.iter().position(|byte| !plain(*byte)).unwrap_or(rest.len());
        out.extend_from_slice(&rest[..run]);
        let Some((&byte, after)) = rest[run..].split_first() else { return };
        rest = after;
        match byte {
            b'%' => match after.get(..2).and_then(hex_pair) {
                Some(decoded) => {
                    push_encoded(decoded, out);
                    rest = &after[2..];
                }
                None => push_encoded(b'%', out),
            },
            b'+' if text == Text::Parameter => push_encoded(b' ', out),
            _ => push_encoded(byte, out),
        }
    }
}

fn hex_pair(digits: &[u8]) -> Option<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let (high, low) = (value(*digits.first()?)?, value(*digits.get(1)?)?);
    u8::try_from(high * 16 + low).ok()
}

/// Appends the parameters of `raw`, recoded and sorted by name, then value; the signature is left out.
pub(super) fn push_query(raw: &str, out: &mut Vec<u8>) {
    let mut text = Vec::with_capacity(raw.len() + 16);
    // Begin, equals sign and end of each parameter in `text`.
    let mut spans: Vec<(usize, usize, usize)> = Vec::new();
    for parameter in raw.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let begin = text.len();
        push_recoded(name.as_bytes(), Text::Parameter, &mut text);
        if text[begin..].eq_ignore_ascii_case(SIGNATURE_PARAMETER) {
            text.truncate(begin);
            continue;
        }
        let equals = text.len();
        text.push(b'=');
        push_recoded(value.as_bytes(), Text::Parameter, &mut text);
        spans.push((begin, equals, text.len()));
    }
    spans.sort_unstable_by_key(|&(begin, equals, end)| (&text[begin..equals], &text[equals..end]));
    for (index, &(begin, _, end)) in spans.iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(&text[begin..end]);
    }
}

/// Appends a header value without white space at its ends, runs of white space inside being one space.
fn push_value(value: &[u8], out: &mut Vec<u8>) {
    let words = value.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

/// What a signature covers beside the head itself.
#[derive(Clone, Copy)]
pub(super) struct Covered<'a> {
    /// Names of the signed headers, in lower case and sorted.
    pub headers: &'a [&'a str],
    /// The last line: the payload's hash, or the word that stands for it.
    pub payload: &'a str,
    /// Taken for the value of `accept-encoding` instead of what arrived.
    pub accept_encoding: Option<&'a str>,
}

/// The canonical request.
pub(super) fn request(head: &RequestHead<'_>, covered: &Covered<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(head.method.as_bytes());
    out.push(b'\n');
    push_recoded(head.path.as_bytes(), Text::Path, &mut out);
    out.push(b'\n');
    push_query(head.query, &mut out);
    out.push(b'\n');
    for name in covered.headers {
        // An empty header of another kind may be lost on the way; one of these means something by being there.
        if name.starts_with("x-amz-") && head.value(name).is_none() {
            continue;
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        match covered.accept_encoding {
            Some(value) if *name == "accept-encoding" => out.extend_from_slice(value.as_bytes()),
            _ => push_values(head, name, &mut out),
        }
        out.push(b'\n');
    }
    out.push(b'\n');
    for (index, name) in covered.headers.iter().enumerate() {
        if index > 0 {
            out.push(b';');
        }
        out.extend_from_slice(name.as_bytes());
    }
    out.push(b'\n');
    out.extend_from_slice(covered.payload.as_bytes());
    out
}

/// Appends the values of a header that came more than once with commas between them.
fn push_values(head: &RequestHead<'_>, name: &str, out: &mut Vec<u8>) {
    for (index, value) in head.values(name).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_value(value, out);
    }
}

/// The string to sign for a canonical request at `time` (the form of `x-amz-date`) in `scope`.
pub(super) fn string_to_sign(time: &str, scope: &str, request: &[u8]) -> Vec<u8> {
    let hash = hex_digest(&Sha256::digest(request).into());
    let mut out = Vec::with_capacity(192);
    for line in [ALGORITHM, time, scope] {
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(&hash);
    out
}

#[cfg(test)]
#[path = "canonical_tests.rs"]
mod tests;
