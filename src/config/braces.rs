//! `{1...4}` in the path of a volume.

/// Paths that one text may stand for: more disks than a machine has.
const EXPANSION_MAX: usize = 256;

/// Writes out every range of numbers: `/mnt/disk{1...3}` is three paths, `/mnt/{01...12}` keeps its leading zero, two
/// ranges give every pair. Other braces are left as they are.
pub(super) fn expand(text: &str) -> Result<Vec<String>, String> {
    let mut paths = Vec::new();
    expand_into(text, &mut paths)?;
    Ok(paths)
}

fn expand_into(text: &str, paths: &mut Vec<String>) -> Result<(), String> {
    let Some((before, range, after)) = find_range(text) else {
        paths.push(text.to_owned());
        return Ok(());
    };
    let (first, last, width) = parse_range(range)
        .ok_or_else(|| format!("{{{range}}} in {text} is not a range of numbers, such as {{1...4}}"))?;
    for number in first..=last {
        expand_into(&format!("{before}{number:0width$}{after}"), paths)?;
        if paths.len() > EXPANSION_MAX {
            return Err(format!("{{{range}}} in {text} stands for more than {EXPANSION_MAX} volumes"));
        }
    }
    Ok(())
}

/// The text before, within and after the first pair of braces that holds three dots.
fn find_range(text: &str) -> Option<(&str, &str, &str)> {
    let dots = text.find("...")?;
    let open = text[..dots].rfind('{')?;
    let close = dots + text[dots..].find('}')?;
    Some((&text[..open], &text[open + 1..close], &text[close + 1..]))
}

/// First and last number, and with how many digits they are written.
fn parse_range(range: &str) -> Option<(u32, u32, usize)> {
    let (first, last) = range.split_once("...")?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(first) || !is_number(last) {
        return None;
    }
    let width = if first.starts_with('0') { first.len() } else { 1 };
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last, width))
}

#[cfg(test)]
#[path = "braces_tests.rs"]
mod tests;
