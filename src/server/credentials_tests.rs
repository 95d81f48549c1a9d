#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::sys::entropy::SeededEntropy;
use crate::sys::entropy::SystemEntropy;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn places(roots: &[PathBuf]) -> Places {
    Places { roots: roots.to_vec(), may_make: true }
}

#[test]
fn the_first_start_makes_them_and_later_ones_read_them() {
    let directory = tempfile::tempdir().unwrap();
    let volumes = [directory.path().join("1"), directory.path().join("2")];
    volumes.iter().for_each(|volume| std::fs::create_dir(volume).unwrap());
    let made = find_or_make(&Credentials::default(), &places(&volumes), &SystemEntropy).ok().unwrap();
    let path = volumes[0].join("credentials.toml");
    assert_eq!(made.origin, Origin::Made(path.clone()));
    assert_eq!(mode(&path), 0o600);
    assert_eq!((made.access_key.len(), made.secret_key.expose().len()), (20, 40));
    // In whatever order the volumes are given.
    let reversed = [volumes[1].clone(), volumes[0].clone()];
    let kept = find_or_make(&Credentials::default(), &places(&reversed), &SystemEntropy).ok().unwrap();
    let origin = Origin::Kept(volumes[1].join(NAME));
    assert_eq!((kept.access_key, kept.origin), (made.access_key.clone(), origin));
    assert!(kept.secret_key.matches(&made.secret_key));
    // And without the one that they were made on, which gets them again.
    #[expect(clippy::disallowed_methods, reason = "the disk is lost")]
    std::fs::rename(&path, directory.path().join("lost")).unwrap();
    let kept = find_or_make(&Credentials::default(), &places(&volumes), &SystemEntropy).ok().unwrap();
    assert_eq!(kept.access_key, made.access_key);
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn what_an_absent_volume_may_have_is_not_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let places = Places { roots: vec![directory.path().to_owned()], may_make: false };
    let refused = find_or_make(&Credentials::default(), &places, &SystemEntropy).err().unwrap().to_string();
    assert!(refused.contains("absent"), "{refused}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn configured_ones_take_precedence_and_leave_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let secret_key = Some(zeroize::Zeroizing::new("wonderful-secret".to_owned()));
    let configured = Credentials { access_key: Some("ROOT".to_owned()), secret_key };
    let volumes = [directory.path().to_owned()];
    let root = find_or_make(&configured, &places(&volumes), &SystemEntropy).ok().unwrap();
    assert_eq!((root.access_key.as_str(), root.secret_key.expose()), ("ROOT", "wonderful-secret"));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let volumes = [directory.path().to_owned()];
    find_or_make(&Credentials::default(), &places(&volumes), &SystemEntropy).ok().unwrap();
    let path = directory.path().join(NAME);
    for mode in [0o644, 0o640, 0o604, 0o620] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let refused = find_or_make(&Credentials::default(), &places(&volumes), &SystemEntropy)
            .err()
            .unwrap()
            .to_string();
        assert!(refused.contains(&format!("{mode:04o}")) && refused.contains("0600"), "{refused}");
    }
}

#[test]
fn no_two_deployments_have_the_same_ones() {
    let text = |seed| random_text(&SeededEntropy::new(seed), SECRET_KEY_LETTERS, 40);
    assert_eq!(text(1), text(1));
    assert_ne!(text(1), text(2));
    let long = random_text(&SystemEntropy, ACCESS_KEY_LETTERS, 10_000);
    assert!(ACCESS_KEY_LETTERS.iter().all(|letter| long.contains(char::from(*letter))));
    assert!(long.bytes().all(|letter| ACCESS_KEY_LETTERS.contains(&letter)));
}
