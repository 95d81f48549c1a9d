//! The three ways in which S3 writes a point in time.

use time::Date;
use time::OffsetDateTime;
use time::PrimitiveDateTime;
use time::format_description::well_known::Rfc2822;
use time::macros::format_description;

use crate::base::Timestamp;

fn at(timestamp: Timestamp) -> OffsetDateTime {
    // Beyond the year 9999 nothing is printable; the epoch then tells that the clock is broken.
    let seconds = i64::try_from(timestamp.as_secs()).unwrap_or(0);
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The HTTP form, in seconds: `Tue, 24 Nov 2026 15:16:42 GMT` (RFC 9110, section 5.6.7).
pub fn http(timestamp: Timestamp) -> String {
    let at = at(timestamp);
    let day = DAYS[usize::from(at.weekday().number_days_from_monday())];
    let month = MONTHS[usize::from(u8::from(at.month())) - 1];
    format!(
        "{day}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
        at.day(),
        at.year(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// The form of XML documents, in milliseconds: `2026-11-24T15:16:42.123Z` (ISO 8601), written without allocating.
pub fn write_iso(timestamp: Timestamp, out: &mut Vec<u8>) {
    let at = at(timestamp);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let year = u32::try_from(at.year()).unwrap_or(0);
    digits(&mut text[0..4], year);
    digits(&mut text[5..7], u32::from(u8::from(at.month())));
    digits(&mut text[8..10], u32::from(at.day()));
    digits(&mut text[11..13], u32::from(at.hour()));
    digits(&mut text[14..16], u32::from(at.minute()));
    digits(&mut text[17..19], u32::from(at.second()));
    digits(&mut text[20..23], (timestamp.as_millis() % 1000) as u32);
    out.extend_from_slice(&text);
}

/// As [`write_iso`], as a string.
pub fn iso(timestamp: Timestamp) -> String {
    let mut text = Vec::with_capacity(24);
    write_iso(timestamp, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

fn digits(place: &mut [u8], mut value: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// The form of Signature Version 4: `20261124T151642Z`.
pub fn amz(timestamp: Timestamp) -> String {
    let iso = iso(timestamp);
    format!("{}{}{}T{}{}{}Z", &iso[0..4], &iso[5..7], &iso[8..10], &iso[11..13], &iso[14..16], &iso[17..19])
}

/// Reads the form of Signature Version 4.
pub fn parse_amz(text: &str) -> Option<Timestamp> {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    from_primitive(PrimitiveDateTime::parse(text, format).ok()?)
}

/// Reads a date of an HTTP header: the preferred form, the two obsolete ones, or RFC 2822 with an offset.
pub fn parse_http(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let fixed = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let asctime = format_description!(
        "[weekday repr:short] [month repr:short] [day padding:space] [hour]:[minute]:[second] [year]"
    );
    PrimitiveDateTime::parse(text, fixed)
        .or_else(|_| PrimitiveDateTime::parse(text, asctime))
        .ok()
        .and_then(from_primitive)
        .or_else(|| from_offset(OffsetDateTime::parse(text, &Rfc2822).ok()?))
}

/// Reads the ISO form, with or without fractions, as POST policies and documents carry it.
pub fn parse_iso(text: &str) -> Option<Timestamp> {
    let rfc3339 = time::format_description::well_known::Rfc3339;
    if let Ok(at) = OffsetDateTime::parse(text.trim(), &rfc3339) {
        return from_offset(at);
    }
    let day = Date::parse(text.trim(), format_description!("[year]-[month]-[day]")).ok()?;
    from_primitive(day.midnight())
}

fn from_primitive(at: PrimitiveDateTime) -> Option<Timestamp> {
    from_offset(at.assume_utc())
}

fn from_offset(at: OffsetDateTime) -> Option<Timestamp> {
    let millis = at.unix_timestamp_nanos() / 1_000_000;
    Some(Timestamp::from_millis(u64::try_from(millis).ok()?))
}

#[cfg(test)]
#[path = "date_tests.rs"]
mod tests;
