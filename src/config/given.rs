//! What a source says about one setting, before it is a value.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use super::units;

/// One or several texts. Numbers and truth values of a file arrive here as their text.
pub(super) struct Given {
    texts: Vec<String>,
}

impl Given {
    pub(super) const fn new(texts: Vec<String>) -> Self {
        Self { texts }
    }

    /// A variable: several texts are separated by commas.
    pub(super) fn separated(text: &str) -> Self {
        Self { texts: text.split(',').map(|text| text.trim().to_owned()).collect() }
    }

    pub(super) fn list(&self) -> &[String] {
        &self.texts
    }

    /// The text, where only one is allowed.
    pub(super) fn text(&self) -> Option<&str> {
        match self.texts.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    pub(super) fn parsed<T: FromStr>(&self) -> Option<T> {
        self.text()?.trim().parse().ok()
    }

    pub(super) fn number(&self, bounds: RangeInclusive<usize>) -> Option<usize> {
        self.parsed().filter(|number| bounds.contains(number))
    }

    pub(super) fn size(&self, bounds: RangeInclusive<u64>) -> Option<u64> {
        units::parse_size(self.text()?).filter(|bytes| bounds.contains(bytes))
    }

    pub(super) fn duration(&self, seconds: RangeInclusive<u64>) -> Option<Duration> {
        let bounds = Duration::from_secs(*seconds.start())..=Duration::from_secs(*seconds.end());
        units::parse_duration(self.text()?).filter(|span| bounds.contains(span))
    }

    /// The value that the text stands for.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text()?.trim();
        choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value)
    }

    pub(super) fn truth(&self) -> Option<bool> {
        self.choice(&[("true", true), ("false", false)])
    }
}
