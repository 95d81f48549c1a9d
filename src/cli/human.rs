//! Sizes, spans, dates and tables, for people.

use std::time::Duration;

use crate::base::Timestamp;
use crate::s3::date;

/// Bytes with one digit behind the point, in the largest unit that leaves a number before it.
pub(super) fn size(bytes: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    match units.into_iter().find(|(_, shift)| bytes >> shift > 0) {
        Some((unit, shift)) => format!("{:.1} {unit}", bytes as f64 / (1_u64 << shift) as f64),
        None => format!("{bytes} B"),
    }
}

/// A rate of a job.
pub(super) fn rate(bytes_per_second: u64) -> String {
    match bytes_per_second {
        0 => "unlimited".to_owned(),
        rate => format!("{}/s", size(rate)),
    }
}

/// A span in its two largest units.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];
    let first = units.iter().position(|(_, length)| seconds >= *length).unwrap_or(3);
    let (unit, length) = units[first];
    let whole = format!("{}{unit}", seconds / length);
    match units.get(first + 1) {
        Some((unit, part)) if seconds % length >= *part => {
            format!("{whole} {}{unit}", seconds % length / part)
        }
        _ => whole,
    }
}

/// How long ago a date of the admin API was.
pub(super) fn ago(text: &str, now: Timestamp) -> String {
    match date::parse_iso(text) {
        Some(at) if now.since(at) < Duration::from_secs(1) => "just now".to_owned(),
        Some(at) => format!("{} ago", span(now.since(at))),
        None => text.to_owned(),
    }
}

/// A number of things.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Columns as wide as their widest cell, two spaces apart. Sizes and other numbers stand at the right.
pub(super) fn table(titles: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([titles[column].chars().count()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let is_number = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).filter(|cell| cell.as_str() != "-");
        let is_number = |cell: &String| cell.starts_with(|first: char| first.is_ascii_digit());
        column > 1 && cells.clone().count() > 0 && cells.into_iter().all(is_number)
    };
    let right: Vec<bool> = (0..titles.len()).map(is_number).collect();
    let line = |cells: Vec<&str>| {
        let cell = |(column, text): (usize, &str)| match right[column] {
            true => format!("{text:>width$}", width = widths[column]),
            false => format!("{text:<width$}", width = widths[column]),
        };
        let cells: Vec<String> = cells.into_iter().enumerate().map(cell).collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(titles.to_vec());
    text.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    text
}

#[cfg(test)]
#[path = "human_tests.rs"]
mod tests;
