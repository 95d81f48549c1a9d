//! The frame of the suite: see ../../checks.py, whose output this prints.

use std::fmt::Debug;
use std::fmt::Display;
use std::future::Future;
use std::time::Instant;

/// The result of a check: what went wrong, if anything did.
pub type Outcome = Result<(), String>;

/// The same keys as in ../../checks.py.
pub const ODD_KEYS: &[&str] = &[
    "plain",
    "with space",
    " leading and trailing ",
    "two  spaces",
    "plus+plus",
    "per%cent",
    "per%20cent",
    "per%2Fcent",
    "double//slash",
    "/leading-slash",
    "folder/",
    "folder/inside",
    "folder/inside/deep",
    "ключ/日本語/é",
    "e\u{301} decomposed",
    "emoji-😀",
    "quotes'\"`",
    "amp&<tag>;",
    "question?a=b#fragment",
    "list,of:things;@$=!*()~",
    "back\\slash",
    "brackets[]{}|^",
];

/// Runs one check and prints its line; true if it passed.
pub async fn check(title: &str, run: impl Future<Output = Outcome>) -> bool {
    let started = Instant::now();
    let outcome = run.await;
    let word = if outcome.is_ok() { "ok" } else { "FAILED" };
    println!(
        "{word:<8}sdk-rust: {title} ({:.1} s)",
        started.elapsed().as_secs_f64()
    );
    if let Err(detail) = &outcome {
        for line in detail.lines().take(20) {
            println!("        | {line}");
        }
    }
    outcome.is_ok()
}

pub fn equal<T: PartialEq + Debug>(got: T, expected: T, what: &str) -> Outcome {
    if got == expected {
        return Ok(());
    }
    let short = |value: &T| format!("{value:?}").chars().take(600).collect::<String>();
    Err(format!(
        "{what}: expected {}, got {}",
        short(&expected),
        short(&got)
    ))
}

pub fn yes(condition: bool, what: impl Display) -> Outcome {
    if condition { Ok(()) } else { Err(what.to_string()) }
}

/// Bytes that look random, the same for the same seed.
pub fn random_bytes(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ size as u64 | 1;
    let mut data = Vec::with_capacity(size + 8);
    while data.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        data.extend_from_slice(&state.to_le_bytes());
    }
    data.truncate(size);
    data
}
