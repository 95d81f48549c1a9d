//! The bar of a check: stages, steps, bytes read and time left. On a terminal only, so that logs and pipes stay clean.

use std::io::IsTerminal as _;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Instant;

use indicatif::ProgressBar;
use indicatif::ProgressStyle;

use super::output::show_bytes;
use crate::server::check::Watch;

/// Shows how far a check has got.
pub(super) struct Bar {
    bar: ProgressBar,
    begun: Instant,
    read: AtomicU64,
}

impl Bar {
    pub(super) fn new() -> Self {
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::new(0),
            false => ProgressBar::hidden(),
        };
        if let Ok(style) =
            ProgressStyle::with_template("{prefix:>24} {wide_bar} {percent:>3} %  {msg}  {eta} left")
        {
            bar.set_style(style);
        }
        Self { bar, begun: Instant::now(), read: AtomicU64::new(0) }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Bar {
    fn stage(&self, what: &str, total: u64) {
        self.bar.reset();
        self.bar.set_prefix(what.to_owned());
        self.bar.set_message("");
        self.bar.set_length(total.max(1));
    }

    fn advance(&self, steps: u64) {
        self.bar.inc(steps);
    }

    fn read(&self, bytes: u64) {
        let before = self.read.fetch_add(bytes, Ordering::Relaxed);
        // Putting it into words for every small body would cost more than reading it.
        if before >> 24 != (before + bytes) >> 24 {
            let rate = (before + bytes) as f64 / self.begun.elapsed().as_secs_f64().max(0.001);
            self.bar.set_message(format!(
                "{} read, {}/s",
                show_bytes(before + bytes),
                show_bytes(rate as u64)
            ));
        }
    }
}
