#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use clap::CommandFactory as _;
use clap::Parser;

use super::*;
use crate::config::SETTINGS;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    serve: ServeArgs,
}

fn parse(arguments: &[&str]) -> ServeArgs {
    Command::try_parse_from([&["serve"], arguments].concat()).ok().unwrap().serve
}

#[test]
fn every_flag_of_the_table_is_an_option_whose_help_tells_the_same() {
    let command = Command::command();
    for setting in SETTINGS {
        let Some(flag) = setting.flag else { continue };
        let argument = command.get_arguments().find(|argument| match flag.strip_prefix("--") {
            Some(long) => argument.get_long() == Some(long),
            None => argument.is_positional(),
        });
        let help = argument.unwrap_or_else(|| panic!("{flag}")).get_help().unwrap().to_string();
        assert!(help.contains(&format!("[env: {}]", setting.variable)), "{help}");
        let default = if setting.default.is_empty() { "none" } else { setting.default };
        assert!(help.contains(&format!("[default: {default}]")), "{help}");
    }
}

#[test]
fn every_option_reaches_its_setting() {
    let arguments = [
        "--address=127.0.0.1:1",
        "--admin-address=127.0.0.1:2",
        "--replicas=2",
        "--durability=relaxed",
        "--region=eu",
        "--domain=a.example,b.example",
        "--domain=c.example",
        "--log-level=debug",
        "--log-format=json",
        "/d{1...3}",
    ];
    let machine = Machine { cores: 1, memory_bytes: 1 << 30 };
    let sources = Sources { environment: Vec::new(), ..parse(&arguments).sources() };
    let config = config::load(&sources, &machine).unwrap().config;
    assert_eq!((config.listen.address.port(), config.listen.admin_address.port()), (1, 2));
    assert_eq!((config.storage.volumes.len(), config.storage.copies(), config.storage.strict), (3, 2, false));
    assert_eq!((config.s3.region.as_str(), config.s3.domains.len()), ("eu", 3));
    assert_eq!((config.log.level, config.log.json), (config::Level::Debug, true));
    let flags = SETTINGS.iter().filter(|setting| setting.flag.is_some()).count();
    assert_eq!(sources.flags.len(), flags);
}

#[test]
fn what_was_not_said_is_left_to_other_sources() {
    assert!(parse(&[]).sources().flags.is_empty());
}

#[test]
fn secrets_have_no_option() {
    assert!(SETTINGS.iter().all(|setting| !setting.key.contains("secret") || setting.flag.is_none()));
}
