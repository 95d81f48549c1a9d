//! Sizes and durations as people write them.

use std::time::Duration;

/// Units of size; the binary ones are what we print.
const SIZES: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

/// Units of time in milliseconds, longest first.
const DURATIONS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Digits behind the point of a size.
const FRACTION_MAX: usize = 12;

/// Bytes from `64MiB`, `10 GB`, `1.5GiB` or a plain number; letters of either case. A part of a byte is dropped.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit.trim_start() {
        "" => 1,
        unit => SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1,
    };
    let part = match number.split_once('.') {
        None => 0,
        Some((_, digits)) if factor == 1 || digits.len() > FRACTION_MAX => return None,
        Some((_, digits)) => {
            let part = digits.parse::<u64>().ok()?;
            u128::from(part) * u128::from(factor) / 10_u128.pow(digits.len() as u32)
        }
    };
    let whole: u64 = number.split('.').next()?.parse().ok()?;
    whole.checked_mul(factor)?.checked_add(u64::try_from(part).ok()?)
}

/// A size in the largest binary unit that leaves no remainder.
pub fn show_size(bytes: u64) -> String {
    let unit = SIZES.iter().take(4).find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor));
    match unit {
        Some((name, factor)) => format!("{}{name}", bytes / factor),
        None => format!("{bytes}B"),
    }
}

/// A duration from `30s`, `500ms`, `5m`, `6h` or `7d`. A plain number is refused: it does not say of what.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let (_, millis) = DURATIONS.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*millis).map(Duration::from_millis)
}

/// A duration in the largest unit that leaves no remainder.
pub fn show_duration(span: Duration) -> String {
    let millis = span.as_millis() as u64;
    if millis == 0 {
        return "0s".to_owned();
    }
    let unit = DURATIONS.iter().find(|(_, factor)| millis.is_multiple_of(*factor));
    unit.map_or_else(String::new, |(name, factor)| format!("{}{name}", millis / factor))
}

/// Digits and what follows them.
fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    Some((digits.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
#[path = "units_tests.rs"]
mod tests;
