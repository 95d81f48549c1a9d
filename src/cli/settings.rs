//! The settings of commands that work on a deployment's own directories: configuration file, environment, flags.

use std::path::PathBuf;

use crate::config::Sources;

/// The sources of settings, the flags last; those that were not given are left out.
pub(super) fn sources(file: Option<&PathBuf>, flags: Vec<(&'static str, Vec<String>)>) -> Sources {
    let ours = |(name, _): &(String, String)| name.starts_with("HOLDALL_");
    let environment = std::env::vars_os()
        .map(|(name, text)| (name.to_string_lossy().into_owned(), text.to_string_lossy().into_owned()));
    let named = std::env::var_os("HOLDALL_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
    Sources {
        file: file.cloned().or(named),
        environment: environment.filter(ours).collect(),
        flags: flags.into_iter().filter(|(_, values)| !values.is_empty()).collect(),
    }
}
