#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::time::Duration;

use super::*;
use crate::config::Level;

const MACHINE: Machine = Machine { cores: 4, memory_bytes: 16 << 30 };

fn from_file(text: &str) -> Result<Loaded, Error> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("holdall.toml");
    std::fs::File::create(&path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
        .unwrap();
    load(&Sources { file: Some(path), ..Sources::default() }, &MACHINE)
}

fn from_environment(variables: &[(&str, &str)]) -> Result<Loaded, Error> {
    let environment = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    load(&Sources { environment, ..Sources::default() }, &MACHINE)
}

#[test]
fn nothing_said_gives_the_defaults() {
    let loaded = load(&Sources::default(), &MACHINE).unwrap();
    assert_eq!(loaded.config, Config::defaults(&MACHINE));
    assert!(loaded.warnings.is_empty());
    assert_eq!(loaded.config.listen.workers, 4);
    assert_eq!(loaded.config.memory.budget_bytes, 2 << 30);
}

#[test]
fn a_file_says_everything() {
    let config = from_file(
        "[listen]\naddress = \"0.0.0.0:80\"\nworkers = 2\nshutdown_grace = \"5s\"\n\
         [storage]\nvolumes = [\"/a\", \"/d{1...2}\"]\nreplicas = 2\ndurability = \"relaxed\"\n\
         [limits]\nconnections_max = 1_000\n\
         [s3]\ndomains = [\"S3.Example.com\"]\nany_region = false\n\
         [log]\nlevel = \"debug\"\nformat = \"json\"\n",
    )
    .unwrap()
    .config;
    assert_eq!(config.listen.address.to_string(), "0.0.0.0:80");
    assert_eq!((config.listen.workers, config.listen.shutdown_grace), (2, Duration::from_secs(5)));
    assert_eq!(config.storage.volumes, ["/a", "/d1", "/d2"].map(PathBuf::from));
    assert_eq!((config.storage.replicas, config.storage.strict), (Some(2), false));
    assert_eq!(config.limits.connections_max, 1000);
    assert_eq!(
        (config.s3.domains.as_slice(), config.s3.any_region),
        (&["s3.example.com".to_owned()][..], false)
    );
    assert_eq!((config.log.level, config.log.json), (Level::Debug, true));
}

#[test]
fn later_sources_win() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("holdall.toml");
    let text = "[s3]\nregion = \"file\"\n[listen]\nworkers = 1\n[storage]\nreplicas = 1\n";
    std::fs::File::create(&path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
        .unwrap();
    let sources = Sources {
        file: Some(path),
        environment: vec![
            ("HOLDALL_REGION".to_owned(), "environment".to_owned()),
            ("HOLDALL_WORKERS".to_owned(), "2".to_owned()),
        ],
        flags: vec![("s3.region", vec!["flag".to_owned()])],
    };
    let config = load(&sources, &MACHINE).unwrap().config;
    assert_eq!(
        (config.s3.region.as_str(), config.listen.workers, config.storage.replicas),
        ("flag", 2, Some(1))
    );
}

#[test]
fn a_refusal_names_line_key_and_what_is_allowed() {
    let cases: [(&str, &[&str]); 10] = [
        ("[listen]\nadress = \"x\"\n", &["line 2", "listen.adress", "address, admin_address, workers"]),
        ("[lisen]\naddress = \"x\"\n", &["line 1", "[lisen]", "[listen], [storage]"]),
        ("\n\naddress = \"x\"\n", &["line 3", "address", "outside a section"]),
        ("[listen]\n\naddress = \"localhost\"\n", &["line 3", "listen.address", "localhost", "0.0.0.0:9000"]),
        ("[listen]\nworkers = 0\n", &["line 2", "listen.workers", "1 to 256"]),
        ("[listen]\nworkers = 1.5\n", &["line 2", "listen.workers", "a float"]),
        ("[listen]\nworkers = [1]\n", &["line 2", "listen.workers", "an array"]),
        ("[memory]\nbudget = \"12 parsecs\"\n", &["line 2", "memory.budget", "64MiB to 1TiB"]),
        ("[storage]\nvolumes = [\"/d{4...1}\"]\n", &["line 2", "/d{4...1}", "{1...4}"]),
        ("[listen]\naddress = \n", &["line 2"]),
    ];
    for (text, parts) in cases {
        let refused = from_file(text).unwrap_err().to_string();
        assert!(parts.iter().all(|part| refused.contains(part)), "{text}\n{refused}");
    }
}

#[test]
fn bounds_are_kept() {
    for (variable, texts) in [
        ("HOLDALL_ADDRESS", &["9000", "localhost:9000", "1.2.3.4", "1.2.3.4:70000"][..]),
        ("HOLDALL_WORKERS", &["0", "257", "-1", "two"]),
        ("HOLDALL_SHUTDOWN_GRACE", &["30", "11m"]),
        ("HOLDALL_VOLUMES", &[",", "/d{1...}"]),
        ("HOLDALL_REPLICAS", &["0", "x"]),
        ("HOLDALL_DURABILITY", &["Strict", "none"]),
        ("HOLDALL_INLINE_LIMIT", &["1MiB"]),
        ("HOLDALL_MEMORY_BUDGET", &["0", "63MiB", "2TiB"]),
        ("HOLDALL_CONNECTIONS_MAX", &["0"]),
        ("HOLDALL_HEADER_BYTES_MAX", &["0", "1GiB"]),
        ("HOLDALL_HEADERS_MAX", &["0", "257"]),
        ("HOLDALL_HEADER_TIMEOUT", &["0s", "1h"]),
        ("HOLDALL_BODY_IDLE_TIMEOUT", &["0s", "2h"]),
        ("HOLDALL_KEEP_ALIVE", &["0s"]),
        ("HOLDALL_REGION", &["US East", "eu/west", "abcdefghijklmnopqrstuvwxyz-0123456789"]),
        (
            "HOLDALL_DOMAIN",
            &["https://s3.example.com", "s3.example.com:9000", ".example.com", "10.0.0.1", "a..b", "-a.b"],
        ),
        ("HOLDALL_ANY_REGION", &["yes"]),
        ("HOLDALL_ACCESS_KEY", &["ab", "a/b/c", "with space"]),
        ("HOLDALL_SECRET_KEY", &["short", "with space in it", "umläute-umläute"]),
        ("HOLDALL_SWEEP_INTERVAL", &["1s", "60d"]),
        ("HOLDALL_LOG_LEVEL", &["loud"]),
        ("HOLDALL_LOG_FORMAT", &["xml"]),
        ("HOLDALL_LOG_ACCESS", &["1"]),
    ] {
        for text in texts {
            let refused =
                from_environment(&[(variable, text)]).expect_err(&format!("{variable}={text}")).to_string();
            assert!(refused.contains(variable), "{refused}");
        }
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    let refused = from_environment(&[("HOLDALL_WORKERS", "0"), ("HOLDALL_REGION", "?")]).unwrap_err();
    assert_eq!(refused.problems().len(), 2);
    assert!(
        refused.to_string().contains("HOLDALL_WORKERS") && refused.to_string().contains("HOLDALL_REGION")
    );
}

#[test]
fn a_secret_is_in_no_message_and_no_debug_output() {
    let refused = from_environment(&[("HOLDALL_SECRET_KEY", "tiny s")]).unwrap_err().to_string();
    assert!(!refused.contains("tiny"), "{refused}");
    let loaded =
        from_environment(&[("HOLDALL_ACCESS_KEY", "root"), ("HOLDALL_SECRET_KEY", "wonder,ful-1")]).unwrap();
    assert_eq!(loaded.config.credentials.secret_key.as_ref().unwrap().as_str(), "wonder,ful-1");
    assert!(!format!("{loaded:?}").contains("wonder"));
}

#[test]
fn variables_that_are_nearly_settings_are_pointed_out() {
    let variables = [
        ("HOLDALL_REGOIN", "x"),
        ("HOLDALL_REPLICA", "x"),
        ("HOLDALL_BIN", "x"),
        ("HOLDALL_PORT_9000_TCP", "x"),
        ("HOLDALL_SERVICE_HOST", "x"),
        ("HOLDALL_CONFIG", "x"),
        ("HOLDALL_ACCESS_KEY", ""),
    ];
    let loaded = from_environment(&variables).unwrap();
    assert_eq!(loaded.config, Config::defaults(&MACHINE));
    assert_eq!(loaded.warnings.len(), 2, "{:?}", loaded.warnings);
    assert!(loaded.warnings[0].contains("did you mean HOLDALL_REGION?"));
    assert!(loaded.warnings[1].contains("did you mean HOLDALL_REPLICAS?"));
}

#[test]
fn a_list_in_a_variable_is_separated_by_commas() {
    let config =
        from_environment(&[("HOLDALL_VOLUMES", "/a, /d{1...2}"), ("HOLDALL_DOMAIN", "a.example,b.example")]);
    let config = config.unwrap().config;
    assert_eq!(config.storage.volumes, ["/a", "/d1", "/d2"].map(PathBuf::from));
    assert_eq!(config.s3.domains, ["a.example", "b.example"]);
}

#[test]
fn the_table_tells_the_truth_about_its_defaults() {
    /// Found at the start, or none.
    const IN_WORDS: [&str; 6] = [
        "listen.workers",
        "storage.replicas",
        "memory.budget",
        "s3.domains",
        "credentials.access_key",
        "credentials.secret_key",
    ];
    for setting in SETTINGS.iter().filter(|setting| !IN_WORDS.contains(&setting.key)) {
        let mut config = Config::defaults(&MACHINE);
        let given = Given::new(vec![setting.default.to_owned()]);
        assert!((setting.apply)(&mut config, &given).is_some(), "{}", setting.key);
        assert_eq!(config, Config::defaults(&MACHINE), "{}", setting.key);
    }
}

#[test]
fn no_name_is_given_twice() {
    for names in [
        SETTINGS.iter().map(|setting| setting.key).collect::<Vec<_>>(),
        SETTINGS.iter().map(|setting| setting.variable).collect(),
        SETTINGS.iter().filter_map(|setting| setting.flag).collect(),
    ] {
        let unique: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
    }
}

#[test]
fn a_missing_file_is_named() {
    let sources = Sources { file: Some(PathBuf::from("/nonexistent/holdall.toml")), ..Sources::default() };
    assert!(load(&sources, &MACHINE).unwrap_err().to_string().contains("/nonexistent/holdall.toml"));
}
