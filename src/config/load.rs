//! Sources of settings: defaults, then the file, then the environment, then the command line.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use toml::de::DeTable;
use toml::de::DeValue;

use super::Config;
use super::Error;
use super::SETTINGS;
use super::Setting;
use super::braces;
use super::given::Given;
use crate::sys::disk;
use crate::sys::machine::Machine;

/// Where settings come from; later ones win.
#[derive(Debug, Default)]
pub struct Sources {
    /// The configuration file, when one was named.
    pub file: Option<PathBuf>,
    /// The variables of the environment whose names begin with `HOLDALL_`. An empty one counts as unset.
    pub environment: Vec<(String, String)>,
    /// Keys of settings with what the command line says about them.
    pub flags: Vec<(&'static str, Vec<String>)>,
}

/// Settings as they were said.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// What looks like a slip of the pen.
    pub warnings: Vec<String>,
}

/// Reads all sources. Fails with everything that is wrong with them at once.
pub fn load(sources: &Sources, machine: &Machine) -> Result<Loaded, Error> {
    let mut config = Config::defaults(machine);
    let mut warnings = Vec::new();
    let mut problems = Vec::new();
    if let Some(path) = &sources.file {
        problems.extend(read_file(&mut config, path));
    }
    for (variable, text) in &sources.environment {
        match SETTINGS.iter().find(|setting| setting.variable == variable) {
            Some(_) if text.is_empty() => {}
            Some(setting) => {
                let given =
                    if setting.many { Given::separated(text) } else { Given::new(vec![text.clone()]) };
                problems.extend(apply(&mut config, setting, &given).map(|why| format!("{variable}: {why}")));
            }
            None => warnings.extend(near_miss(variable)),
        }
    }
    for (key, texts) in &sources.flags {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.key == *key) else {
            continue;
        };
        let name = setting.flag.unwrap_or(setting.key);
        let refused = apply(&mut config, setting, &Given::new(texts.clone()));
        problems.extend(refused.map(|why| format!("{name}: {why}")));
    }
    match problems.is_empty() {
        true => Ok(Loaded { config, warnings }),
        false => Err(Error::new(problems)),
    }
}

/// A warning about a variable whose name is nearly that of a setting. Others are left alone: build scripts and cluster
/// managers set variables that begin like ours.
fn near_miss(variable: &str) -> Option<String> {
    let nearest = SETTINGS.iter().min_by_key(|setting| distance(setting.variable, variable))?;
    (distance(nearest.variable, variable) <= 2)
        .then(|| format!("{variable} is not a setting and is ignored; did you mean {}?", nearest.variable))
}

/// Letters to insert, remove or replace to get from one name to the other.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (number, letter) in from.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], number + 1);
        for (column, other) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

/// Takes a value over; the reason when it is refused.
fn apply(config: &mut Config, setting: &Setting, given: &Given) -> Option<String> {
    if (setting.apply)(config, given).is_some() {
        return None;
    }
    if setting.key == "storage.volumes"
        && let Some(why) = given.list().iter().find_map(|text| braces::expand(text).err())
    {
        return Some(why);
    }
    // What was said may be a secret, however badly chosen.
    let said = match setting.key.starts_with("credentials.") {
        true => "the value".to_owned(),
        false => format!("{:?}", given.list().join(",")),
    };
    Some(format!(
        "{said} is not allowed here; {} ({}) takes {}",
        setting.key, setting.meaning, setting.allowed
    ))
}

/// The file and the text in it, for lines in messages.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn at(&self, offset: usize) -> String {
        let line = self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
        format!("{} line {line}", self.path.display())
    }
}

/// Reads the configuration file; the problems in it.
fn read_file(config: &mut Config, path: &Path) -> Vec<String> {
    let read = disk::read_file(&disk::RealDisk, path);
    let read = read.and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other));
    match read {
        Ok(text) => read_text(config, path, &text),
        Err(error) => vec![format!("the configuration file {} cannot be read: {error}", path.display())],
    }
}

/// Takes over what the text of a configuration file says; the problems in it.
pub(super) fn read_text(config: &mut Config, path: &Path, text: &str) -> Vec<String> {
    let source = Source { path, text };
    match DeTable::parse(text) {
        Ok(document) => read_sections(config, &source, document.get_ref()),
        Err(error) => {
            let place = error.span().map_or_else(|| path.display().to_string(), |span| source.at(span.start));
            vec![format!("{place}: {}", error.message())]
        }
    }
}

fn read_sections(config: &mut Config, source: &Source<'_>, document: &DeTable<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    for (section, entries) in document {
        let Some(entries) = entries.get_ref().as_table() else {
            let place = source.at(section.span().start);
            problems.push(format!("{place}: {} stands outside a section; {}", section.get_ref(), sections()));
            continue;
        };
        if !keys_of(section.get_ref()).any(|_| true) {
            let place = source.at(section.span().start);
            problems.push(format!("{place}: [{}] is not a section; {}", section.get_ref(), sections()));
            continue;
        }
        for (name, value) in entries {
            let place = source.at(name.span().start);
            let refused = read_entry(config, section.get_ref(), name.get_ref(), value.get_ref());
            problems.extend(refused.map(|why| format!("{place}: {why}")));
        }
    }
    problems
}

/// One line of the file; the reason when it is refused.
fn read_entry(config: &mut Config, section: &str, name: &str, value: &DeValue<'_>) -> Option<String> {
    let key = format!("{section}.{name}");
    let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
        let allowed: Vec<&str> = keys_of(section).collect();
        return Some(format!("{key} is not a setting; [{section}] has {}", allowed.join(", ")));
    };
    match texts(value, setting.many) {
        Some(texts) => apply(config, setting, &Given::new(texts)),
        None => Some(format!(
            "{key} ({}) takes {}, not {} {}",
            setting.meaning,
            setting.allowed,
            article(value.type_str()),
            value.type_str(),
        )),
    }
}

/// A value as text; `None` when it is of a kind that no setting has.
fn texts(value: &DeValue<'_>, many: bool) -> Option<Vec<String>> {
    match value {
        DeValue::String(text) => Some(vec![text.to_string()]),
        DeValue::Integer(number) => Some(vec![number.to_string()]),
        DeValue::Boolean(truth) => Some(vec![truth.to_string()]),
        DeValue::Array(values) if many => {
            values.iter().map(|value| value.get_ref().as_str().map(str::to_owned)).collect()
        }
        _ => None,
    }
}

fn article(kind: &str) -> &'static str {
    if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// Names of the settings in a section.
fn keys_of(section: &str) -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().filter_map(move |setting| {
        let (of, name) = setting.key.split_once('.')?;
        (of == section).then_some(name)
    })
}

fn sections() -> String {
    let mut names: Vec<&str> = SETTINGS.iter().filter_map(|setting| setting.key.split('.').next()).collect();
    names.dedup();
    format!("the sections are [{}]", names.join("], ["))
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
