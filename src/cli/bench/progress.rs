//! The progress bar: on a terminal only, so that logs and pipes stay clean.

use std::io::IsTerminal as _;

use indicatif::ProgressBar;
use indicatif::ProgressStyle;

/// A bar of `length` steps that says what it waits for; invisible without a terminal or when `quiet`.
pub fn bar(length: u64, what: &str, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{prefix:>28} {wide_bar} {msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(what.to_owned());
    bar
}
