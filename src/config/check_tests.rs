#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use zeroize::Zeroizing;

use super::*;

const MACHINE: Machine = Machine { cores: 2, memory_bytes: 8 << 30 };

fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::defaults(&MACHINE);
    change(&mut config);
    config
}

fn volumes(config: &mut Config, paths: &[&str]) {
    config.storage.volumes = paths.iter().map(PathBuf::from).collect();
}

#[test]
fn the_defaults_can_be_used() {
    let report = config(|_| ()).check(&MACHINE).unwrap();
    assert!(report.warnings.is_empty(), "{report:?}");
    assert!(report.calibrated[0].contains("worker thread"), "{report:?}");
}

#[test]
fn contradictions_are_refused_with_a_way_out() {
    type Case = (fn(&mut Config), &'static [&'static str]);
    let cases: [Case; 8] = [
        (|c| volumes(c, &["/a", "/b", "/a"]), &["/a is given twice"]),
        (|c| volumes(c, &["/a", "/./a/"]), &["given twice"]),
        (|c| volumes(c, &["data", "./data"]), &["given twice"]),
        (|c| volumes(c, &["/a", "/a/b"]), &["within"]),
        (|c| c.credentials.access_key = Some("root".to_owned()), &["HOLDALL_SECRET_KEY is not set"]),
        (
            |c| c.credentials.secret_key = Some(Zeroizing::new("wonderful-1".to_owned())),
            &["HOLDALL_ACCESS_KEY is not set"],
        ),
        (|c| c.listen.admin_address = c.listen.address, &["127.0.0.1:9000", "--admin-address"]),
        (|c| c.memory.budget_bytes = 9 << 30, &["9GiB", "8192 MiB"]),
    ];
    for (change, parts) in cases {
        let refused = config(change).check(&MACHINE).unwrap_err().to_string();
        assert!(parts.iter().all(|part| refused.contains(part)), "{parts:?}\n{refused}");
        assert!(!refused.contains("wonderful"), "{refused}");
    }
}

#[test]
fn neighbours_with_a_common_beginning_are_fine() {
    config(|c| volumes(c, &["/a", "/ab", "/abc"])).check(&MACHINE).unwrap();
}

#[test]
fn two_listeners_may_both_leave_the_port_to_the_kernel() {
    config(|c| {
        c.listen.address = "127.0.0.1:0".parse().unwrap();
        c.listen.admin_address = c.listen.address;
    })
    .check(&MACHINE)
    .unwrap();
}

#[test]
fn what_may_hurt_is_said() {
    type Case = (fn(&mut Config), &'static str);
    let cases: [Case; 4] = [
        (|c| c.storage.strict = false, "relaxed"),
        (|c| c.listen.admin_address = "0.0.0.0:9001".parse().unwrap(), "0.0.0.0:9001"),
        (|c| c.memory.budget_bytes = 6 << 30, "page cache"),
        (
            |c| {
                c.credentials.access_key = Some("minioadmin".to_owned());
                c.credentials.secret_key = Some(Zeroizing::new("minioadmin".to_owned()));
            },
            "choose another",
        ),
    ];
    for (change, part) in cases {
        let report = config(change).check(&MACHINE).unwrap();
        assert_eq!(report.warnings.len(), 1, "{report:?}");
        assert!(report.warnings[0].contains(part), "{report:?}");
    }
}

#[test]
fn the_budget_is_split_without_remainder() {
    for budget_bytes in [64 << 20, (128 << 20) + 7, 4 << 30, 1 << 40] {
        let memory = crate::config::Memory { budget_bytes };
        let transfers = memory.upload_bytes() + memory.download_bytes();
        let sum = memory.cache_bytes() + memory.write_buffer_bytes() + transfers;
        assert_eq!(sum as u64, budget_bytes);
        assert!(memory.cache_bytes() >= sum / 2);
    }
}
