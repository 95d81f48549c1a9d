//! The `Range` header, resolved against an object's size (RFC 9110, section 14).

use std::ops::Range;

/// What a `Range` header means for an object of a given size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// No usable range: answer the whole object with 200, as S3 does for several ranges and for other units.
    Whole,
    /// These bytes, with 206.
    Part(Range<u64>),
    /// Nothing of it lies inside the object: 416.
    Unsatisfiable,
}

/// Resolves the text of a `Range` header.
pub fn resolve(header: &str, size: u64) -> Resolved {
    let Some(spec) = header.trim().strip_prefix("bytes=") else { return Resolved::Whole };
    let Some((first, last)) = spec.trim().split_once('-') else { return Resolved::Whole };
    let (first, last) = (first.trim(), last.trim());
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => Resolved::Whole,
        (Some(first), _) if first >= size && (last.is_empty() || number(last).is_some()) => {
            Resolved::Unsatisfiable
        }
        (Some(first), Some(last)) => Resolved::Part(first..last.saturating_add(1).min(size)),
        (Some(first), None) if last.is_empty() => Resolved::Part(first..size),
        (None, Some(0)) if first.is_empty() => Resolved::Unsatisfiable,
        (None, Some(_)) if first.is_empty() && size == 0 => Resolved::Unsatisfiable,
        (None, Some(suffix)) if first.is_empty() => Resolved::Part(size.saturating_sub(suffix)..size),
        _ => Resolved::Whole,
    }
}

/// Reads `x-amz-copy-source-range`: exactly `bytes=first-last`, both given, in order. `None` when it is not.
pub fn parse_exact(header: &str) -> Option<Range<u64>> {
    let (first, last) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then(|| first..last.saturating_add(1))
}

/// A number of digits alone; one too large for 64 bits lies behind every object's end.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
#[path = "range_tests.rs"]
mod tests;
