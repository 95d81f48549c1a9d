#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

fn deployment(number: u8) -> DeploymentId {
    DeploymentId::from_bytes([number; 16])
}

/// A volume in one letter: `m`issing, `e`mpty, `n`ameless, `x` foreign, or `a`, `b` formatted in deployment 1 or 2.
/// A capital letter holds metadata. Its path and its id tell its place.
fn observe(letters: &str) -> Vec<Observed> {
    let one = |(number, letter): (usize, char)| {
        let volume = VolumeId::from_bytes([number as u8; 16]);
        let found = match letter.to_ascii_lowercase() {
            'm' => Found::Missing,
            'e' => Found::Unformatted,
            'n' => Found::Nameless,
            'x' => Found::Foreign("thesis.doc".to_owned()),
            'a' => Found::Formatted { volume, deployment: deployment(1) },
            _ => Found::Formatted { volume, deployment: deployment(2) },
        };
        Observed { path: format!("/d{number}").into(), found, has_metadata: letter.is_ascii_uppercase() }
    };
    letters.chars().enumerate().map(one).collect()
}

#[test]
fn usable_volumes() {
    let cases: [(&str, usize, Option<u8>, &[usize]); 11] = [
        // New deployments: all are formatted, the first gets the metadata and is formatted last.
        ("m", 0, None, &[0]),
        ("e", 0, None, &[0]),
        ("mem", 0, None, &[1, 2, 0]),
        // Cut off before or after the first identity was written.
        ("Eee", 0, None, &[1, 2, 0]),
        ("eEe", 1, None, &[0, 2, 1]),
        ("Eae", 0, Some(1), &[2, 0]),
        ("Eaa", 0, Some(1), &[0]),
        // Later starts, in any order.
        ("A", 0, Some(1), &[]),
        ("Aaa", 0, Some(1), &[]),
        ("aaA", 2, Some(1), &[]),
        ("bB", 1, Some(2), &[]),
    ];
    for (letters, metadata, known, format) in cases {
        let expected = Plan { metadata, deployment: known.map(deployment), format: format.to_vec() };
        assert_eq!(plan(&observe(letters)), Ok(expected), "{letters}");
    }
}

#[test]
fn refused_volumes() {
    let cases: [(&str, &[&str]); 15] = [
        // A disk that is not mounted, or lost what it held.
        ("Ae", &["/d1 is empty", "mounted"]),
        ("Am", &["/d1 does not exist"]),
        ("aeA", &["/d1 is empty"]),
        // The one with the metadata too.
        ("ea", &["/d0 is empty"]),
        ("maa", &["/d0 does not exist"]),
        ("a", &["meta"]),
        ("aa", &["meta"]),
        // Others' directories, and our own without a name.
        ("x", &["/d0", "thesis.doc"]),
        ("Ax", &["/d1", "thesis.doc"]),
        ("n", &["/d0", "holdall-volume.json"]),
        ("An", &["/d1", "holdall-volume.json"]),
        // Volumes that do not belong together.
        ("Ab", &["/d0 and /d1", "different deployments"]),
        ("AB", &["different deployments"]),
        ("AA", &["/d0 and /d1 both hold metadata"]),
        ("EE", &["both hold metadata"]),
    ];
    for (letters, parts) in cases {
        let refused = plan(&observe(letters)).expect_err(letters).to_string();
        assert!(parts.iter().all(|part| refused.contains(part)), "{letters}: {refused}");
    }
}

#[test]
fn a_volume_under_two_paths_is_refused() {
    let mut observed = observe("Aa");
    observed[1].found = observed[0].found.clone();
    assert!(matches!(plan(&observed), Err(Refusal::Twins { .. })));
}
