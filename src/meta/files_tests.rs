#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::sys::disk::RealDisk;

/// The directories that are there, each with the word in it.
fn tree(root: &Path) -> Vec<(String, String)> {
    let mut names = RealDisk.list(root).unwrap();
    names.sort();
    let word = |name: &String| std::fs::read_to_string(root.join(name).join("word")).unwrap();
    names.iter().map(|name| (name.clone(), word(name))).collect()
}

#[expect(clippy::disallowed_methods, reason = "what a crash left")]
fn make(root: &Path, directories: &[&str]) {
    for name in directories {
        std::fs::create_dir(root.join(name)).unwrap();
        std::fs::write(root.join(name).join("word"), name).unwrap();
    }
}

/// Wherever a rebuild was cut off, one whole replica is left, under its own name and alone.
#[test]
fn leftovers_of_a_rebuild_are_put_right() {
    let cases: [(&[&str], &str); 6] = [
        (&["meta"], "meta"),
        (&["meta", "meta.new"], "meta"),
        (&["meta.new", "meta.old"], "meta.old"),
        (&["meta", "meta.old"], "meta"),
        (&["meta.old"], "meta.old"),
        (&["meta", "meta.checkpoint-3", "meta.checkpoint-4"], "meta"),
    ];
    for (left, whole) in cases {
        let directory = tempfile::tempdir().unwrap();
        make(directory.path(), left);
        make(directory.path(), &["metadata"]);
        tidy(&RealDisk, &directory.path().join("meta")).unwrap();
        let expected = [("meta", whole), ("metadata", "metadata")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(tree(directory.path()), expected, "{left:?}");
    }
    let directory = tempfile::tempdir().unwrap();
    tidy(&RealDisk, &directory.path().join("none/meta")).unwrap();
    assert!(!directory.path().join("none").exists());
}

#[test]
fn a_swap_leaves_the_new_one_alone() {
    for left in [&["meta", "meta.new"][..], &["meta.new"], &["meta", "meta.old", "meta.new"]] {
        let directory = tempfile::tempdir().unwrap();
        make(directory.path(), left);
        swap(&RealDisk, &directory.path().join("meta")).unwrap();
        assert_eq!(tree(directory.path()), [("meta".to_owned(), "meta.new".to_owned())]);
    }
}

#[test]
fn rows_without_a_list_of_files_are_no_new_database() {
    let directory = tempfile::tempdir().unwrap();
    let replica = directory.path().join("meta");
    assert!(!held_rows(&RealDisk, &replica).unwrap(), "nothing is there");
    RealDisk.create_dirs(&replica).unwrap();
    assert!(!held_rows(&RealDisk, &replica).unwrap(), "nothing is in it");
    for name in ["000012.sst", "000013.blob", "000014.log", "holdall-promise"] {
        let path = replica.join(name);
        RealDisk.create(&path, NewFile::default()).unwrap();
        assert!(held_rows(&RealDisk, &replica).unwrap(), "{name}");
        RealDisk.remove(&path).unwrap();
    }
}
