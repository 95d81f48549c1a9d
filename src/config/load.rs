//! Sources of settings: defaults, then the file, then the environment, then the command line.

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

/// Variables that are no settings: the file itself, the crash points of test builds.
const OTHER_VARIABLES: [&str; 2] = ["HOLDALL_CONFIG", "HOLDALL_FAILPOINTS"];

/// What a cluster manager sets for a service of our name.
const SERVICE_VARIABLES: [&str; 2] = ["HOLDALL_SERVICE_", "HOLDALL_PORT"];

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
            None if is_foreign(variable) => {}
            None => {
                warnings.push(format!("the environment variable {variable} is not a setting and is ignored"))
            }
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

/// A variable that other software may set, or that is read elsewhere.
fn is_foreign(variable: &str) -> bool {
    OTHER_VARIABLES.contains(&variable) || SERVICE_VARIABLES.iter().any(|prefix| variable.starts_with(prefix))
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
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            return vec![format!("the configuration file {} cannot be read: {error}", path.display())];
        }
    };
    let source = Source { path, text: &text };
    match DeTable::parse(&text) {
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
