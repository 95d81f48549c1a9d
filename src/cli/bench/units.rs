//! Sizes, spans and counts as people write them.

use std::time::Duration;

use crate::config;

/// Reads `4096`, `4KiB`, `1.5MiB`, `50MB` as the settings do, and `64k`, whose letter alone is a power of 1024.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let is_letter_alone = text.ends_with(['k', 'K', 'm', 'M', 'g', 'G']);
    let bytes = match is_letter_alone {
        true => config::parse_size(&format!("{text}iB")),
        false => config::parse_size(text),
    };
    bytes.ok_or_else(|| format!("not a size: {text}; give bytes, or a unit as in 64KiB, 1.5MiB or 50MB"))
}

/// Reads `500ms`, `10s`, `10`, `2m`.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| format!("not a duration: {text}"))?;
    match unit.trim() {
        "ms" => Ok(Duration::from_millis(number)),
        "" | "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        _ => Err(format!("unknown unit in {text}")),
    }
}

/// Writes a size the way [`parse_size`] reads it, in the largest unit that divides it.
pub fn show_size(bytes: u64) -> String {
    for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] {
        if bytes >= 1 << shift && bytes.is_multiple_of(1 << shift) {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    format!("{bytes}B")
}

/// Bytes as MiB.
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

#[cfg(test)]
#[path = "units_tests.rs"]
mod tests;
