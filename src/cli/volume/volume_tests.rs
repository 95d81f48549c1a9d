#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::admin::wire::Replica;

fn volume(id: &str, path: &str) -> Volume {
    Volume {
        id: format!("{id:0<32}"),
        path: path.to_owned(),
        state: "active".to_owned(),
        health: "healthy".to_owned(),
        since: None,
        reason: None,
        replaced_elsewhere: false,
        capacity_bytes: 10 << 30,
        available_bytes: Some(3 << 29),
        metadata: None,
        progress: None,
    }
}

fn chosen(text: &str) -> Result<String, String> {
    let volumes = vec![volume("abc1", "/mnt/a"), volume("abd2", "/mnt/b"), volume("f00", "/mnt/abc1")];
    choose(volumes, text).map(|volume| volume.path).map_err(|error| error.to_string())
}

#[test]
fn a_volume_is_named_by_a_path_or_the_beginning_of_its_id() {
    for (text, path) in [
        ("abc", "/mnt/a"),
        ("ABD", "/mnt/b"),
        ("f", "/mnt/abc1"),
        ("/mnt/b", "/mnt/b"),
        ("/mnt/b/", "/mnt/b"),
        (&*format!("{:0<32}", "abc1"), "/mnt/a"),
    ] {
        assert_eq!(chosen(text), Ok(path.to_owned()), "{text}");
    }
    let both = chosen("ab").unwrap_err();
    assert!(both.contains("/mnt/a") && both.contains("/mnt/b"), "{both}");
    for text in ["", "x", "/mnt", "/mnt/c"] {
        assert!(chosen(text).is_err(), "{text}");
    }
}

#[test]
fn the_table_shows_what_matters() {
    let mut absent = volume("abd2", "/mnt/b");
    "absent".clone_into(&mut absent.health);
    absent.replaced_elsewhere = true;
    absent.available_bytes = None;
    absent.metadata = Some(Replica {
        role: "rebuilding".to_owned(),
        voter: false,
        commit: 1,
        behind: None,
        done_bytes: Some(50),
        total_bytes: Some(200),
        reason: None,
    });
    let text = list::table(&[volume("abc1", "/mnt/a"), absent]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "ID            PATH        SIZE     FREE  STATE   HEALTH            METADATA");
    assert_eq!(lines[1], "abc100000000  /mnt/a  10.0 GiB  1.5 GiB  active  healthy           -");
    assert_eq!(
        lines[2],
        "abd200000000  /mnt/b  10.0 GiB        -  active  absent, given up  rebuilding 25 %"
    );
}

#[test]
fn what_cannot_be_asked_is_not_said_to_be_removable() {
    assert_eq!(drained("healthy", true), "is drained and can be removed");
    assert_eq!(drained("suspect", false), "is being drained");
    for is_done in [false, true] {
        let said = drained("absent", is_done);
        assert!(said.contains("--force") && !said.contains("can be removed"), "{said}");
    }
}
