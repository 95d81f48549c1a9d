//! Waiting until a change of membership is done: a bar on a terminal, lines elsewhere.

use std::io::IsTerminal as _;
use std::time::Duration;
use std::time::Instant;

use indicatif::ProgressBar;
use indicatif::ProgressStyle;

use crate::admin::wire::Progress;
use crate::admin::wire::Volume;
use crate::cli::human;
use crate::cli::remote::Remote;

/// How often the server is asked.
const TICK: Duration = Duration::from_secs(1);

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows progress until everything is where it belongs; the volume as it is then. To end the command does not end what
/// the server does.
pub(super) fn until_done(remote: &mut Remote, mut volume: Volume, is_quiet: bool) -> anyhow::Result<Volume> {
    let mut shown = Shown::new(is_quiet);
    let path = format!("/admin/v1/volumes/{}", volume.id);
    while let Some(progress) = volume.progress.as_ref().filter(|progress| !progress.done) {
        shown.show(progress);
        std::thread::sleep(TICK);
        volume = remote.get(&path)?;
    }
    shown.end();
    Ok(volume)
}

struct Shown {
    bar: Option<ProgressBar>,
    is_quiet: bool,
    line: Option<Instant>,
}

impl Shown {
    fn new(is_quiet: bool) -> Self {
        let bar = (!is_quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(0);
            let form = "{prefix} {wide_bar} {bytes} of {total_bytes}  {bytes_per_sec}  {msg}";
            if let Ok(style) = ProgressStyle::with_template(form) {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, is_quiet, line: None }
    }

    fn show(&mut self, progress: &Progress) {
        match &self.bar {
            Some(bar) => {
                bar.set_prefix(progress.job.clone());
                bar.set_length(progress.done_bytes + progress.left_bytes.unwrap_or_default());
                bar.set_position(progress.done_bytes);
                bar.set_message(note(progress));
            }
            None if !self.is_quiet && self.line.is_none_or(|line| line.elapsed() >= LINE_EVERY) => {
                eprintln!("{}", line_of(progress));
                self.line = Some(Instant::now());
            }
            None => {}
        }
    }

    fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What there is to say beside bytes: what holds the job up, or how long it will take.
fn note(progress: &Progress) -> String {
    match progress.state.as_str() {
        "paused" => return format!("paused; `holdall job resume {}` lets it go on", progress.job),
        "failed" => return "a step failed and is tried again".to_owned(),
        _ => {}
    }
    let span = progress.eta_seconds.map(|seconds| human::span(Duration::from_secs(seconds)));
    span.map(|span| format!("about {span} left")).unwrap_or_default()
}

/// Progress in one line.
fn line_of(progress: &Progress) -> String {
    let mut text = format!("{}: {} done", progress.job, human::size(progress.done_bytes));
    if let Some(left) = progress.left_bytes {
        text.push_str(&format!(", {} left", human::size(left)));
    }
    let note = note(progress);
    if note.is_empty() { text } else { format!("{text}, {note}") }
}

#[cfg(test)]
#[path = "wait_tests.rs"]
mod tests;
