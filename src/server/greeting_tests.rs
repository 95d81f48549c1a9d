#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

fn greeting(origin: Origin, secret_key: Option<&str>) -> Greeting {
    let space = Space { total_bytes: 3 << 40, available_bytes: 5 << 29 };
    Greeting {
        volumes: vec![("/d1".into(), Some(space)), ("/d2".into(), None)],
        warnings: Vec::new(),
        copies: 2,
        active: 2,
        is_strict: true,
        is_new: secret_key.is_some(),
        region: "eu-1".to_owned(),
        address: "0.0.0.0:9000".parse().unwrap(),
        admin_address: "127.0.0.1:9001".parse().unwrap(),
        access_key: "ROOT".to_owned(),
        secret_key: secret_key.map(str::to_owned),
        origin,
    }
}

#[test]
fn everything_worth_knowing_is_told() {
    let text = greeting(Origin::Configured, None).to_string();
    let parts =
        ["/d1  (2.5 GiB free of 3.0 TiB)", "/d2", "2 copies", "strict", "http://0.0.0.0:9000", "eu-1"];
    for part in parts.into_iter().chain(["http://127.0.0.1:9001", "ROOT", "$HOLDALL_SECRET_KEY"]) {
        assert!(text.contains(part), "{part}\n{text}");
    }
    // Nobody can connect to 0.0.0.0.
    assert!(text.contains("--endpoint-url http://127.0.0.1:9000 s3 mb"), "{text}");
}

#[test]
fn relaxed_durability_is_said_loudly() {
    let relaxed = Greeting { is_strict: false, ..greeting(Origin::Configured, None) };
    assert!(relaxed.to_string().contains("RELAXED: A POWER CUT LOSES"));
}

#[test]
fn the_secret_is_shown_by_the_start_that_made_it_alone() {
    let path = PathBuf::from("/d1/credentials.toml");
    let made = greeting(Origin::Made(path.clone()), Some("wonderful")).to_string();
    assert!(
        made.contains("secret key   wonderful") && made.contains("AWS_SECRET_ACCESS_KEY=wonderful "),
        "{made}"
    );
    let kept = greeting(Origin::Kept(path), None).to_string();
    assert!(!kept.contains("wonderful") && kept.contains("/d1/credentials.toml"), "{kept}");
}

#[test]
fn the_line_reads_the_secret_from_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("it's a file.toml");
    let text = crate::config::write_credentials_file("ROOT", "wonderful-secret");
    crate::sys::disk::create_private_file(&path, text.as_bytes()).unwrap();
    let line = greeting(Origin::Kept(path), None).connect();
    let shell = line.replace("aws --endpoint-url", "env; true");
    let output = std::process::Command::new("sh").args(["-c", &shell]).env_clear().output().unwrap();
    let environment = String::from_utf8(output.stdout).unwrap();
    assert!(environment.contains("AWS_SECRET_ACCESS_KEY=wonderful-secret\n"), "{line}\n{environment}");
}

#[test]
fn volumes_on_one_file_system_are_pointed_out() {
    let directory = tempfile::tempdir().unwrap();
    let volumes = ["1", "2"].map(|name| directory.path().join(name));
    volumes.iter().for_each(|volume| std::fs::create_dir(volume).unwrap());
    assert_eq!(shared_file_systems(&volumes[..1]), Vec::<String>::new());
    let shared = shared_file_systems(&volumes);
    assert!(shared.len() == 1 && shared[0].contains("lost together"), "{shared:?}");
    assert!(volumes.iter().all(|path| shared[0].contains(path.to_str().unwrap())), "{shared:?}");
    assert_eq!(shared_file_systems(&[volumes[0].clone(), "/proc".into()]), Vec::<String>::new());
}

#[test]
fn copies_and_volumes_are_counted_in_words() {
    assert_eq!(copies_on(1, 1), "1 copy of each part on 1 volume");
    assert_eq!(copies_on(3, 4), "3 copies of each part on 4 volumes");
}
