//! The rules of the house, read from the source. ARCHITECTURE.md and CONTRIBUTING.md say why they exist.
//!
//! A text match is enough because the style makes edges visible: one `use crate::…;` a line, no braces after
//! `crate::`, no globs, no `super::super`. Comments and the contents of strings are blanked before the match.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// A module imports modules of lower rank only, never its own rank.
const RANKS: [(&str, u8); 14] = [
    ("cli", 9),
    ("server", 8),
    ("http", 7),
    ("admin", 7),
    ("ops", 6),
    ("jobs", 6),
    ("store", 5),
    ("meta", 4),
    ("volume", 4),
    ("auth", 3),
    ("policy", 3),
    ("s3", 2),
    ("config", 2),
    ("sys", 1),
];

/// The foundation: everybody may import it, it imports nobody.
const BASE: &str = "base";

/// Lower in rank and forbidden all the same.
const MUST_NOT_KNOW: [(&str, &str); 8] = [
    ("volume", "s3"),
    ("http", "meta"),
    ("http", "volume"),
    ("admin", "meta"),
    ("admin", "volume"),
    ("ops", "volume"),
    ("auth", "config"),
    ("policy", "config"),
];

/// One dependency, one home: the text that betrays a use, and the paths below `src/` where it may stand.
const HOMES: [(&str, &[&str]); 26] = [
    ("actix_web", &["http/", "admin/"]),
    ("actix_http", &["http/", "admin/"]),
    ("actix_service", &["http/", "admin/"]),
    ("rocksdb", &["meta/"]),
    ("postcard", &["meta/"]),
    ("quick_xml", &["s3/xml/"]),
    ("toml", &["config/"]),
    ("prometheus", &["sys/metrics.rs"]),
    ("rand", &["sys/entropy.rs"]),
    // The load generator is a client: it speaks to sockets, and looks at another process.
    ("rustix", &["sys/", "cli/bench/"]),
    ("clap", &["cli/", "main.rs"]),
    ("anyhow", &["cli/", "main.rs"]),
    ("indicatif", &["cli/"]),
    ("hdrhistogram", &["cli/"]),
    ("tracing_subscriber", &["server/"]),
    ("hmac", &["auth/", "cli/bench/client/signer.rs"]),
    ("subtle", &["auth/"]),
    ("std::fs", &["sys/", "config/load.rs", "cli/"]),
    ("SystemTime", &["sys/clock.rs", "cli/"]),
    ("OffsetDateTime::now_utc", &[]),
    ("spawn_blocking", &["store/blocking.rs"]),
    ("println!", &["cli/", "server/"]),
    ("eprintln!", &["cli/", "server/"]),
    ("dbg!", &[]),
    ("todo!", &[]),
    ("unimplemented!", &[]),
];

/// Rooms without a runtime: plain blocking Rust, testable without one.
const SYNCHRONOUS: [&str; 8] = ["base", "sys", "s3", "config", "auth", "policy", "meta", "volume"];

/// Lines in one source file.
const FILE_LINES: usize = 600;

/// Files that may be longer, each with its reason.
const LONGER: [(&str, &str); 1] = [("conformance/boto3/suite.py", "a flat list of checks with one client")];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 9] =
    ["util", "utils", "helper", "helpers", "common", "manager", "misc", "shared", "types"];

/// Hosts that a file with pinned dependencies may name.
const REGISTRIES: [&str; 8] = [
    "github.com",
    "registry.npmjs.org",
    "crates.io",
    "static.crates.io",
    "www.apache.org",
    "maven.apache.org",
    "repo.maven.apache.org",
    "www.w3.org",
];

/// Directories that hold nothing tracked.
const UNTRACKED: [&str; 9] =
    [".git", "target", "data", ".venv", "node_modules", "__pycache__", "corpus", "artifacts", ".cache"];

#[test]
fn modules_import_lower_ranks_only() {
    report(each_source(ranks));
}

#[test]
fn dependencies_stay_at_home() {
    report(each_source(homes));
}

#[test]
fn edges_are_visible() {
    report(each_source(edges));
}

#[test]
fn rooms_open_with_what_they_hold() {
    let complaints = sources().into_iter().filter_map(|(path, text)| opening(&path, &text)).collect();
    report(complaints);
}

#[test]
fn files_are_short_and_named() {
    let mut complaints = Vec::new();
    for (path, text) in tree(&root(), &["rs", "py", "sh"]) {
        let cap = LONGER.iter().find(|(name, _)| path == *name).map_or(FILE_LINES, |_| usize::MAX);
        let lines = text.lines().count();
        if lines > cap {
            complaints.push(format!("{path}: {lines} lines, the cap is {cap}"));
        }
        for part in path.split('/').map(|part| part.split('.').next().unwrap_or(part)) {
            if path.starts_with("src/") && EMPTY_NAMES.contains(&part) {
                complaints.push(format!("{path}: the name '{part}' does not say what is inside"));
            }
        }
    }
    for (path, reason) in LONGER {
        if !root().join(path).exists() || reason.is_empty() {
            complaints.push(format!("{path}: on the list of longer files without need"));
        }
    }
    report(complaints);
}

#[test]
fn nothing_names_a_machine() {
    let mut complaints = Vec::new();
    for (path, text) in tree(&root(), &[]) {
        complaints.extend(machine_paths(&path, &text));
        complaints.extend(foreign_hosts(&path, &text));
    }
    report(complaints);
}

#[test]
fn documents_name_files_that_exist() {
    let documents = tree(&root(), &["md"]);
    report(documents.iter().flat_map(|(path, text)| dead_names(path, text)).collect());
}

#[test]
fn every_rule_can_fail() {
    let soiled = [
        ranks("src/jobs/scrub.rs", "use crate::ops::Error;"),
        ranks("src/meta/db.rs", "fn f() -> crate::store::Error {}"),
        ranks("src/volume/format.rs", "use crate::s3::name::ObjectKey;"),
        ranks("src/wardrobe/mod.rs", "fn f() {}"),
        ranks("src/base/id.rs", "use crate::sys::clock::Clock;"),
        homes("src/store/commit.rs", "use rocksdb::DB;"),
        homes("src/store/commit.rs", "let x = std::fs::read(path);"),
        homes("src/ops/object/get.rs", "println!()"),
        homes("src/volume/mod.rs", "async fn f() {}"),
        edges("src/ops/object/get.rs", "use crate::{s3, store};"),
        edges("src/ops/object/get.rs", "use super::super::Error;"),
        edges("src/ops/mod.rs", "use super::store;"),
        edges("src/ops/object/get.rs", "#[allow(dead_code, reason = x)]"),
        edges("src/ops/object/get.rs", "#[cfg(test)]\nmod tests {\n"),
        edges("src/ops/object/get.rs", "use crate::s3::*;"),
        opening("src/ops/mod.rs", "use crate::s3;").into_iter().collect(),
        machine_paths("README.md", &format!("cd {}/x", concat!("/ro", "ot"))),
        foreign_hosts("conformance/package-lock.json", "\"resolved\": \"https://mirror.example.net/a.tgz\""),
        dead_names("docs/x.md", "see `src/nowhere.rs` and `src/*.rs`"),
        dead_names("docs/x.md", "see [here](nowhere.md) and [there](https://example.net)"),
    ];
    for (number, complaints) in soiled.iter().enumerate() {
        assert_eq!(complaints.len(), 1, "soiled example {number}: {complaints:?}");
    }
    let clean = "// rocksdb::DB\nlet url = \"crate::store // println!\"; use crate::s3::name::ObjectKey; $crate::ops!()";
    let code = blank(clean);
    assert!(ranks("src/auth/mod.rs", &code).is_empty() && homes("src/auth/mod.rs", &code).is_empty());
    assert!(blank("r#\"a \" // b\"# '\"' \"\\\"\" 'a x").contains("'a x"), "{}", blank("'\"' 'a x"));
}

fn ranks(path: &str, code: &str) -> Vec<String> {
    let Some(room) = room(path) else { return Vec::new() };
    let Some(own) = rank(room) else {
        return vec![format!("{path}: {room} has no rank")];
    };
    let mut complaints = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let target = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        let Some(other) = rank(target) else { continue };
        if target != room && other >= own {
            complaints.push(format!("{path}: {room} (rank {own}) may not import {target} (rank {other})"));
        }
        if MUST_NOT_KNOW.contains(&(room, target)) {
            complaints.push(format!("{path}: {room} must not know {target}"));
        }
    }
    complaints
}

fn homes(path: &str, code: &str) -> Vec<String> {
    let Some(below) = path.strip_prefix("src/") else {
        return Vec::new();
    };
    let mut complaints = Vec::new();
    for (word, homes) in HOMES {
        if uses(code, word) && !homes.iter().any(|home| below.starts_with(home)) {
            complaints.push(format!(
                "{path}: {word} lives in {}",
                if homes.is_empty() { "no room" } else { homes[0] }
            ));
        }
    }
    let asynchronous =
        ["async fn", "async move", ".await"].iter().any(|word| code.contains(word)) || uses(code, "tokio");
    if room(path).is_some_and(|room| SYNCHRONOUS.contains(&room)) && asynchronous {
        complaints.push(format!("{path}: this room is synchronous"));
    }
    complaints
}

fn edges(path: &str, code: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut ban = |found: bool, what: &str| {
        if found {
            complaints.push(format!("{path}: {what}"));
        }
    };
    ban(code.contains("use crate::{"), "braces after crate:: hide an import: one use a line");
    ban(code.contains("super::super"), "super::super hides an import: write crate::…");
    ban(code.contains("::*;"), "a glob hides an import: name what is used");
    ban(code.contains("[allow("), "an exception is #[expect(…, reason = \"…\")]");
    ban(code.contains("mod tests {"), "tests live in a sibling file: #[path = \"x_tests.rs\"] mod tests;");
    let is_room = path.matches('/').count() == 2 && path.ends_with("/mod.rs");
    ban(is_room && uses(code, "super"), "super:: leaves the room: write crate::…");
    complaints
}

fn opening(path: &str, text: &str) -> Option<String> {
    let opens = text.starts_with("//! ") && !text.starts_with("//! (") && text.lines().next()?.len() > 20;
    (path.ends_with("/mod.rs") && !opens).then(|| format!("{path}: open with `//!`: what the room holds"))
}

fn machine_paths(path: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for directory in ["root", "work", "home/user", "Users"] {
        let needle = format!("/{directory}/");
        for (number, line) in text.lines().enumerate() {
            // A directory at the start of a path; not a part of a URL, of ~/work or of a longer path.
            let absolute = line.match_indices(&needle).any(|(at, _)| {
                !line[..at].ends_with(|before: char| before.is_alphanumeric() || "_-.~}*)".contains(before))
            });
            if absolute
                || line.ends_with(&format!(" /{directory}"))
                || line.contains(&format!("cd /{directory}"))
            {
                complaints.push(format!("{path}:{}: a path of one machine ({needle})", number + 1));
            }
        }
    }
    complaints.dedup();
    complaints
}

/// Paths in back quotes and relative links that lead nowhere.
fn dead_names(path: &str, text: &str) -> Vec<String> {
    let folder = Path::new(path).parent().unwrap_or_else(|| Path::new(""));
    let tops =
        ["src/", "tests/", "docs/", "setup/", "conformance/", "s3-tests/", "fuzz/", "benches/", "docker/"];
    let quoted =
        text.split('`').skip(1).step_by(2).filter(|name| tops.iter().any(|top| name.starts_with(top)));
    // A line of shell or a pattern is no path.
    let quoted =
        quoted.filter(|name| !name.contains([' ', '*', '<', '{', '…', '\n'])).map(|name| root().join(name));
    let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let links = links
        .filter(|link| !link.is_empty() && !link.contains(':'))
        .map(|link| root().join(folder).join(link));
    let dead = quoted.chain(links).filter(|file| !file.exists());
    dead.map(|file| format!("{path}: there is no {}", file.strip_prefix(root()).unwrap_or(&file).display()))
        .collect()
}

fn foreign_hosts(path: &str, text: &str) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let pins = ["lock", "lock.json", "requirements.txt", "go.sum", "go.mod", "pom.xml", ".npmrc", "pip.conf"];
    let pinned = pins.iter().any(|end| name.ends_with(end)) || path.ends_with(".cargo/config.toml");
    if !pinned {
        return Vec::new();
    }
    // A lock file of npm also says where to send money.
    let lines = text.lines().filter(|line| !name.starts_with("package") || line.contains("\"resolved\""));
    let text: String = lines.collect();
    let hosts = text.match_indices("://").map(|(at, _)| {
        let rest = &text[at + 3..];
        rest.split(|c: char| !c.is_ascii_alphanumeric() && !".-".contains(c)).next().unwrap_or_default()
    });
    let mut foreign: Vec<&str> = hosts.filter(|host| !REGISTRIES.contains(host)).collect();
    foreign.sort_unstable();
    foreign.dedup();
    foreign
        .into_iter()
        .map(|host| format!("{path}: the host {host} is not on the list of registries"))
        .collect()
}

/// Whether a whole path segment or macro of that name occurs.
fn uses(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + word.len()..];
        let crate_or_macro = word.contains('!') || word.contains("::") || after.starts_with("::");
        let type_or_call = word.starts_with(char::is_uppercase) || word.starts_with("spawn_");
        let clear = before.is_none_or(|c| !part(c) && c != '.') && !code[..at].ends_with("::");
        match type_or_call {
            true => before.is_none_or(|c| !part(c)) && !after.starts_with(part),
            false => clear && crate_or_macro,
        }
    })
}

fn rank(room: &str) -> Option<u8> {
    let ranked = RANKS.iter().find(|(name, _)| *name == room).map(|(_, rank)| *rank);
    if room == BASE { Some(0) } else { ranked }
}

/// The folder below `src/`; `lib.rs` and `main.rs` have none.
fn room(path: &str) -> Option<&str> {
    let below = path.strip_prefix("src/")?;
    below.split_once('/').map(|(room, _)| room)
}

/// Comments and the contents of strings, taken out; line breaks stay.
fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("r\"") || rest.starts_with("r#") {
            raw_string(rest)
        } else if next == '"' {
            quoted(rest)
        } else if next == '\'' {
            character(rest)
        } else {
            0
        };
        if skipped == 0 {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        } else {
            code.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
            rest = &rest[skipped..];
        }
    }
    code
}

/// Bytes of a string literal at the start of `text`, both quotes included.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Bytes of a raw string; none for a raw identifier (`r#type`).
fn raw_string(text: &str) -> usize {
    let hashes = text[1..].bytes().take_while(|byte| *byte == b'#').count();
    if text.as_bytes().get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let body = 2 + hashes;
    text[body..].find(&close).map_or(text.len(), |at| body + at + close.len())
}

/// Bytes of a character literal; none for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((after, _))) => text[after + 1..].find('\'').map_or(0, |at| after + at + 2),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Sources of the product, tests left out: path from the root, text.
fn sources() -> Vec<(String, String)> {
    let mut files = tree(&root(), &["rs"]);
    let is_test = |path: &str| {
        path.contains("/tests/")
            || ["_tests.rs", "/tests.rs", "/fixture.rs"].iter().any(|end| path.ends_with(end))
    };
    files.retain(|(path, _)| path.starts_with("src/") && !is_test(path));
    assert!(files.len() > 50, "the walk found {} sources", files.len());
    files
}

fn each_source(rule: impl Fn(&str, &str) -> Vec<String>) -> Vec<String> {
    sources().iter().flat_map(|(path, text)| rule(path, &blank(text))).collect()
}

/// Text files below `directory` with one of these extensions (or any), path from the root.
fn tree(directory: &Path, extensions: &[&str]) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("a readable directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if UNTRACKED.contains(&name.as_str()) || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            files.extend(tree(&path, extensions));
            continue;
        }
        let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        if !extensions.is_empty() && !extensions.contains(&extension.as_str()) {
            continue;
        }
        let short = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
        if let Ok(text) = fs::read_to_string(&path) {
            files.push((short, text));
        }
    }
    files
}

fn report(complaints: Vec<String>) {
    let mut all = String::new();
    for complaint in &complaints {
        let _ = writeln!(all, "  {complaint}");
    }
    assert!(complaints.is_empty(), "{} untidy:\n{all}", complaints.len());
}
