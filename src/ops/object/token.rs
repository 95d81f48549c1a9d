//! Continuation tokens: opaque to clients, the last name of a page to us.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The first byte of every token, so that another form can follow some day.
const FORM: u8 = 1;

/// The token of a page that ends with `last`.
pub fn encode(last: &str) -> String {
    URL_SAFE_NO_PAD.encode([&[FORM], last.as_bytes()].concat())
}

/// The name inside a token; `None` when it is none of ours.
pub fn decode(token: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (form, name) = bytes.split_first()?;
    (*form == FORM).then(|| String::from_utf8(name.to_vec()).ok())?
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
