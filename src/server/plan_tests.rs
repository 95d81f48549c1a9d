#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::base::Timestamp;
use crate::volume::Member;
use crate::volume::VolumeState;

fn deployment(number: u8) -> DeploymentId {
    DeploymentId::from_bytes([number; 16])
}

fn volume(number: usize) -> VolumeId {
    VolumeId::from_bytes([number as u8; 16])
}

/// A volume in one letter: `m`issing, `e`mpty, `n`ameless, `x` foreign, `u`nreadable, or `a`, `b` formatted in
/// deployment 1 or 2. A capital letter holds metadata. Its path and its id tell its place.
fn observe(letters: &str) -> Vec<Observed> {
    let one = |(number, letter): (usize, char)| {
        let volume = volume(number);
        let found = match letter.to_ascii_lowercase() {
            'm' => Found::Missing,
            'e' => Found::Unformatted,
            'n' => Found::Nameless,
            'x' => Found::Foreign("thesis.doc".to_owned()),
            'u' => Found::Unreadable("Input/output error".to_owned()),
            'a' => Found::Formatted { volume, deployment: deployment(1) },
            _ => Found::Formatted { volume, deployment: deployment(2) },
        };
        Observed {
            path: format!("/d{number}").into(),
            is_given: true,
            found,
            has_metadata: letter.is_ascii_uppercase(),
            roster: None,
        }
    };
    letters.chars().enumerate().map(one).collect()
}

/// A roster of volumes 0 to `members`, the first `voters` of which vote.
fn roster(revision: u64, members: usize, voters: usize) -> Roster {
    let member = |number: usize| {
        let path = format!("/d{number}").into();
        let member = Member::new(volume(number), path, 1 << 40, Timestamp::default());
        Member { metadata: number < voters, ..member }
    };
    Roster { revision, ..Roster::forming(deployment(1), (0..members).map(member).collect()) }
}

/// As found, when every formatted volume has that roster.
fn observe_with(letters: &str, roster: &Roster) -> Vec<Observed> {
    let mut observed = observe(letters);
    for one in observed.iter_mut().filter(|one| matches!(one.found, Found::Formatted { .. })) {
        one.roster = Some(roster.clone());
    }
    observed
}

fn refusal(observed: &[Observed]) -> String {
    plan(observed).expect_err("it should have been refused").to_string()
}

#[test]
fn new_deployments_and_first_starts_that_were_cut_off() {
    let cases: [(&str, Option<u8>, &[usize]); 7] = [
        ("m", None, &[0]),
        ("e", None, &[0]),
        // The first gets metadata, and is formatted last.
        ("mem", None, &[1, 2, 0]),
        ("Eee", None, &[1, 2, 0]),
        // Cut off by the first release before or after the first identity was written.
        ("eEe", None, &[0, 2, 1]),
        ("Eae", Some(1), &[2, 0]),
        ("Eaa", Some(1), &[0]),
    ];
    for (letters, known, format) in cases {
        let Ok(Plan::Form(form)) = plan(&observe(letters)) else { panic!("{letters}") };
        assert_eq!((form.deployment, form.format), (known.map(deployment), format.to_vec()), "{letters}");
        let first = letters.find('E').unwrap_or(0);
        assert_eq!(form.voters[0], first, "{letters}");
        assert_eq!(form.voters.len(), letters.len().min(VOTERS_MAX), "{letters}");
    }
}

/// Whatever is formatted and whatever is not: with rosters of revision 0 the first start goes on.
#[test]
fn revision_0_is_formed_to_the_end() {
    for letters in ["aee", "Aae", "AAA", "EaA", "eaa", "maa"] {
        let observed = observe_with(letters, &roster(0, 3, VOTERS_MAX));
        let Ok(Plan::Form(form)) = plan(&observed) else { panic!("{letters}") };
        let unformatted = letters.matches(|letter: char| !letter.eq_ignore_ascii_case(&'a')).count();
        assert_eq!((form.deployment, form.format.len()), (Some(deployment(1)), unformatted), "{letters}");
    }
    // Also when nothing but the roster was written.
    let mut observed = observe("ee");
    observed[1].roster = Some(roster(0, 2, 1));
    let Ok(Plan::Form(form)) = plan(&observed) else { panic!() };
    assert_eq!(form.deployment, Some(deployment(1)));
}

#[test]
fn deployments_of_the_first_release_are_adopted() {
    for (letters, metadata) in [("A", 0), ("Aaa", 0), ("aaA", 2), ("bB", 1), ("Ae", 0), ("maA", 2)] {
        assert_eq!(plan(&observe(letters)), Ok(Plan::Adopt(metadata)), "{letters}");
    }
}

#[test]
fn refused_volumes() {
    let cases: [(&str, &[&str]); 14] = [
        // The disk with the metadata is not mounted, or lost what it held.
        ("ea", &["/d0 is empty", "mounted"]),
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
        ("aB", &["different deployments"]),
        ("AB", &["different deployments"]),
        ("AA", &["/d0 and /d1 both hold metadata"]),
        ("EE", &["both hold metadata"]),
        ("EA", &["both hold metadata"]),
    ];
    for (letters, parts) in cases {
        let refused = refusal(&observe(letters));
        assert!(parts.iter().all(|part| refused.contains(part)), "{letters}: {refused}");
    }
}

/// What is there is opened; the others are absent, each with what is there instead.
#[test]
fn volumes_may_be_missing() {
    let cases: [(&str, usize, &[usize], &[&str]); 7] = [
        ("AAA", 3, &[0, 1, 2], &[]),
        ("AmA", 3, &[0, 2], &["does not exist"]),
        ("eAA", 3, &[1, 2], &["mounted"]),
        ("uAA", 3, &[1, 2], &["Input/output"]),
        // One of two voters is enough to start, and so are volumes without a vote.
        ("Am", 2, &[0], &["does not exist"]),
        ("Aam", 1, &[0, 1], &["does not exist"]),
        ("Amm", 1, &[0], &["does not exist", "does not exist"]),
    ];
    for (letters, voters, present, reasons) in cases {
        let Ok(Plan::Open(open)) = plan(&observe_with(letters, &roster(7, letters.len(), voters))) else {
            panic!("{letters}")
        };
        assert_eq!(open.present, present, "{letters}");
        assert_eq!(open.absent.len(), reasons.len());
        let fits = |(absent, reason): (&Absent, &&str)| absent.reason.contains(*reason);
        assert!(open.absent.iter().zip(reasons).all(fits), "{letters}: {:?}", open.absent);
    }
}

#[test]
fn too_few_replicas_of_the_metadata_are_refused_with_their_places() {
    for (letters, voters, named) in [("Amm", 3, "/d2 (the directory does not exist)"), ("mA", 1, "/d0")] {
        let refused = refusal(&observe_with(letters, &roster(7, letters.len(), voters)));
        assert!(refused.contains(named) && refused.contains("of which"), "{refused}");
    }
    // The directory meta itself may be what is missing.
    let refused = refusal(&observe_with("Aam", &roster(7, 3, 3)));
    assert!(refused.contains("/d1 (its directory meta is gone)"), "{refused}");
}

#[test]
fn volumes_are_found_where_they_are_now() {
    let roster = roster(7, 3, 1);
    // The second and the third have changed places, and the first was not given but is where it was.
    let mut observed = observe_with("Aaa", &roster);
    observed[0].is_given = false;
    observed[1].path = "/d2".into();
    observed[2].path = "/d1".into();
    let Ok(Plan::Open(open)) = plan(&observed) else { panic!() };
    let paths: Vec<_> = open.roster.members.iter().map(|member| member.path.to_str().unwrap()).collect();
    assert_eq!(paths, ["/d0", "/d2", "/d1"]);
    assert!(open.absent.is_empty());
}

/// The newest roster counts, wherever it is.
#[test]
fn the_highest_revision_is_the_truth() {
    let mut observed = observe_with("Aa", &roster(3, 2, 1));
    let mut newer = roster(4, 3, 1);
    newer.members[2].state = VolumeState::Removed;
    observed[1].roster = Some(newer.clone());
    let Ok(Plan::Open(open)) = plan(&observed) else { panic!() };
    assert_eq!(open.roster, newer);
    // A disk that was removed is not taken in again by its own, older word.
    let mut observed = observe_with("Aaa", &roster(3, 3, 1));
    observed[0].roster = Some(newer);
    let refused = refusal(&observed);
    assert!(refused.contains("/d2 is the volume") && refused.contains("removed"), "{refused}");
}

#[test]
fn what_does_not_belong_is_refused() {
    let roster = roster(7, 2, 1);
    for (letters, part) in [("Aae", "/d2 is empty"), ("Aam", "/d2 does not exist"), ("Aaa", "never came")] {
        let refused = refusal(&observe_with(letters, &roster));
        assert!(refused.contains(part) && refused.contains("holdall volume add /d2"), "{refused}");
    }
    let refused = refusal(&observe_with("Aau", &roster));
    assert!(refused.contains("/d2 cannot be used: Input/output"), "{refused}");
    // A volume in use whose identity file alone is gone.
    let mut observed = observe_with("Ae", &roster);
    observed[1].roster = Some(roster.clone());
    assert!(refusal(&observed).contains("/d1 holds data, but its identity file"));
    // A volume of others at a path that nobody gave is left alone.
    let mut observed = observe_with("Ab", &roster);
    observed[1].is_given = false;
    let Ok(Plan::Open(open)) = plan(&observed) else { panic!() };
    assert!(open.absent[0].reason.contains("another volume"));
}

#[test]
fn a_volume_under_two_paths_is_refused() {
    let mut observed = observe("Aa");
    observed[1].found = observed[0].found.clone();
    assert!(matches!(plan(&observed), Err(Refusal::Twins { .. })));
}
