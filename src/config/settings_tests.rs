#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::SETTINGS;

/// `docs/operations.md` shows every setting as it is. When this fails, put the rows it prints into that file.
#[test]
fn the_documentation_has_the_same_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md");
    let document = std::fs::read_to_string(path).expect("docs/operations.md");
    let rows: Vec<String> = SETTINGS
        .iter()
        .map(|setting| {
            let flag = setting.flag.map_or(String::new(), |flag| format!("`{flag}`"));
            let default = if setting.default.is_empty() { "none" } else { setting.default };
            let (key, variable) = (setting.key, setting.variable);
            format!(
                "| `{key}` | `{variable}` | {flag} | {default} | {}. {}. |",
                setting.meaning,
                upper(setting.allowed)
            )
        })
        .collect();
    let shown: Vec<&str> = document.lines().filter(|line| line.contains("` | `HOLDALL_")).collect();
    assert!(shown == rows, "the table should be:\n{}", rows.join("\n"));
}

fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
